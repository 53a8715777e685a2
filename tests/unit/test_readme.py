"""The README tells the truth: its bot runs, its commands exist, its links lead somewhere."""

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from local.bootstrap.commands import COMMANDS
from shared.bells.event_loop import EventLoopBells
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns import TransactionalBot

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


async def test_the_bot_in_the_readme_runs_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies the example gets a bot that counts, in turns that are atomic."""
    [source] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    example = ModuleType("readme_example")
    monkeypatch.setitem(sys.modules, example.__name__, example)
    exec(compile(source, "README.md", "exec"), vars(example))
    storage = MemoryStorage(DocumentCodec(example.STATE_TYPES))
    bot = TransactionalBot(
        example.create_bot, storage, bells=EventLoopBells(), contexts=SimpleNamespace()
    )
    adapter = TestAdapter(bot.on_turn)

    said = []
    for text in ("one", "two", "three"):
        await adapter.receive_activity(Activity(type="message", text=text))
        said.append(adapter.activity_buffer.pop(0).text)

    assert [f"That was message {number} of yours." for number in (1, 2, 3)] == said


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/azure.md",
        "docs/moving-in.md",
        "docs/performance.md",
        "docs/recipes.md",
        "docs/region-loss.md",
        "docs/security.md",
    ],
)
def test_links_lead_somewhere(document: str) -> None:
    """What a page links to within the project is there."""
    page = ROOT / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [] == [link for link in links if not (page.parent / link).exists()]


def test_commands_exist() -> None:
    """Every `dev.py` command that the README names is one."""
    named = set(re.findall(r"dev\.py (\w+)", README))

    assert named <= COMMANDS.keys()
    assert {"start", "test", "chat", "doctor", "torture"} <= named


def test_every_setting_is_explained() -> None:
    """The README explains each setting that the example file has."""
    example = (ROOT / "local.settings.json.example").read_text(encoding="utf-8")
    ours = set(re.findall(r'"((?:Microsoft|Cosmos|To|Channel|Allowed)\w+)"', example))

    assert {name for name in ours if f"`{name}`" not in README} == set()
    assert len(ours) == 16
