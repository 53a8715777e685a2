"""Log lines that belong to no running invocation, on every host."""

import json
import re
from collections.abc import Iterator
from textwrap import dedent

import pytest
from aiohttp import ClientSession

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy
from tests.end_to_end.instances import EMBEDDED_HOST, Host, Instance, Instances
from tests.programs.programs import eventually

BOT = """
import asyncio
import logging
import threading

from botbuilder.core import ActivityHandler

logger = logging.getLogger("own")
logger.warning("line at import")
background = set()

class Talker(ActivityHandler):
    async def on_message_activity(self, turn_context):
        logger.warning("line in the turn")
        await asyncio.gather(self.child())
        await asyncio.to_thread(logger.warning, "line in a thread")
        background.add(asyncio.create_task(self.later()))
        threading.Timer(0.7, logger.error, ["line in a timer"]).start()
        asyncio.get_running_loop().call_later(0.7, logger.info, "line in a callback")

    async def child(self):
        logger.warning("line in a child")

    async def later(self):
        await asyncio.sleep(0.7)
        logger.warning("line in a task\\nof %s", "two\\nlines")
        try:
            raise ValueError("reason")
        except ValueError:
            logger.exception("line with a reason")

STATE_TYPES = ()

def create_bot(storage):
    return Talker()
"""
FUNCTION = """
import asyncio
import logging

import azure.functions as func

background = set()

async def main(req):
    logging.warning("another function")
    await asyncio.gather(child())
    background.add(asyncio.create_task(later()))
    return func.HttpResponse("done")

async def child():
    logging.warning("another child")

async def later():
    await asyncio.sleep(0.7)
    logging.warning("another task")
"""
BINDINGS = [
    {"type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "anonymous"},
    {"type": "http", "direction": "out", "name": "$return"},
]


@pytest.fixture(scope="module")
def talker(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A bot that logs wherever code can, beside a function that is not the app's own."""
    folder = tmp_path_factory.mktemp("talker")
    module = folder / "talker.py"
    module.write_text(dedent(BOT))
    app = deploy(folder / "app", bot=module)
    (app / "Foreign").mkdir()
    (app / "Foreign" / "__init__.py").write_text(dedent(FUNCTION))
    (app / "Foreign" / "function.json").write_text(json.dumps({"bindings": BINDINGS}))
    with Instances(host, app, folder) as instances:
        yield instances.start()


def lines_of(instance: Instance, text: str) -> list[str]:
    return [line for line in instance.printed().splitlines() if text in line]


def each_once(instance: Instance, texts: list[str]) -> dict[str, int]:
    """Wait until all texts are in the log; return how often each is."""
    eventually(lambda: all(lines_of(instance, text) for text in texts))
    return {text: len(lines_of(instance, text)) for text in texts}


async def test_no_line_is_lost_or_doubled(talker: Instance, channel: FakeChannel) -> None:
    """Whatever logs when and where, the line can be read once."""
    channel.bot_url = talker.url
    await channel.says("hello")
    texts = [
        *("MicrosoftAppId is not set", "CosmosDbEndpoint is not set", "line at import"),
        *("line in the turn", "line in a child", "line in a thread", "line in a timer"),
        *("line in a callback", "line in a task", "line with a reason"),
    ]

    assert dict.fromkeys(texts, 1) == each_once(talker, texts)


async def test_no_line_of_another_function_is_lost_or_doubled(talker: Instance) -> None:
    """Functions beside the bot's need nothing for that."""
    async with ClientSession() as client, client.get(f"{talker.origin}/api/Foreign") as answer:
        assert 200 == answer.status
    texts = ["another function", "another child", "another task"]

    assert dict.fromkeys(texts, 1) == each_once(talker, texts)


async def test_a_stray_line_names_its_turn_and_level(
    talker: Instance, channel: FakeChannel, host: Host
) -> None:
    """One line on stderr has the whole text, its turn, and its level, which the host guesses."""
    channel.bot_url = talker.url
    await channel.says("hello")
    texts = ["line in a task", "line in a timer"]
    each_once(talker, texts)
    shown = {text: lines_of(talker, text)[-1] for text in texts}

    if host is EMBEDDED_HOST:
        assert not any("level=" in line for line in shown.values())
    else:
        assert re.fullmatch(
            r"line in a task\\n    of two\\nlines turn=[0-9a-f]{16} level=warning",
            shown["line in a task"],
        )
        assert "line in a timer level=error" == shown["line in a timer"]
