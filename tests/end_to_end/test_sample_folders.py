"""The folders of a sample at the root of the project, where they were in the sample's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots import sample_as_it_was
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy
from tests.end_to_end.instances import Host, Instance, Instances

FILES = {
    "app.py": """
import sys
from aiohttp import web
from config import DefaultConfig
raise SystemExit("This is the sample's own server, which nobody asked for.")
""",
    "config.py": "class DefaultConfig:\n    PORT = 3978\n",
    "bots/__init__.py": "from .menu_bot import MenuBot\n",
    "bots/menu_bot.py": """
import json, os
from botbuilder.core import ActivityHandler
from config import DefaultConfig
from helpers.menu_helper import MenuHelper
class MenuBot( ActivityHandler ):
    async def on_message_activity(self, turn_context):
        with open(os.path.join(os.getcwd(), "resources/menu.json")) as menu:
            await turn_context.send_activity(json.load(menu)["today"])
        with open("resources/menu.json") as menu:
            await turn_context.send_activity(MenuHelper.of(json.load(menu)))
        with open(os.path.join(os.path.dirname(__file__), "greeting.txt")) as greeting:
            await turn_context.send_activity(greeting.read())
""",
    "bots/greeting.txt": "Enjoy.",
    "helpers/__init__.py": "",
    "helpers/menu_helper.py": """
class MenuHelper:
    @staticmethod
    def of(menu): return menu["tomorrow"]
""",
    "resources/menu.json": '{"today": "Soup", "tomorrow": "Pie"}',
    "deploymentTemplates/template.json": "{}",
}


@pytest.fixture
def instance(host: Host, tmp_path: Path) -> Iterator[Instance]:
    """A host that was started in another folder than that of the app."""
    app = deploy(tmp_path / "app", bot=Path(sample_as_it_was.__file__))
    for name, text in FILES.items():
        (app / name).parent.mkdir(exist_ok=True)
        (app / name).write_text(text, encoding="utf-8")
    with Instances(host, app, tmp_path) as instances:
        yield instances.start()


async def test_a_samples_folders_may_stay_where_they_were(
    instance: Instance, channel: FakeChannel
) -> None:
    """Its modules import each other, and its files are found, from the root and beside the bot."""
    channel.bot_url = instance.url

    await channel.says("What is there?")

    assert ["Soup", "Pie", "Enjoy."] == channel.replies()
