"""
Whoever follows the README, and puts a bot of their own into the template, finds all of it green.

Three bots move in, one into a copy each, after `shared/bot` and `tests/bot` were deleted. The whole
fast lane runs with the first; with the others only the tests that look into shared/bot, since no
other test can tell the copies apart.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.bootstrap.commands import COMMANDS
from tests.bots import quiz, tally, to_do_list
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import copy_project, deploy

BOTS = {
    "tally": tally.SOURCE,
    "to_do_list": Path(to_do_list.__file__).read_text(encoding="utf-8"),
    "quiz": Path(quiz.__file__).read_text(encoding="utf-8"),
}

PACKAGE = """
import os
from .conversation import STATE_TYPES, create_bot

MODEL = os.environ.get("MODEL")
"""
"""In a style that is not the template's."""

LOOK_INTO_THE_BOT = ("tests/bot", "tests/unit/test_architecture.py")

ITS_TESTS = """
import pytest

async def test_says_something(chat):
    assert await chat.says("list")

@pytest.mark.parametrize("seed", range(5))
def test_is_the_same_whatever_fails(history, seed):
    assert [] == history(seed)
"""
"""Written with the kit, as the README says."""

[TEST] = COMMANDS["test"].steps
STYLE = [step for step in COMMANDS["check"].steps if "ruff" in step]
"""What may differ between the three. That mypy looks at no bot is shown in test_check."""


@dataclass(frozen=True)
class Copy:
    """A copy of the template with another bot."""

    folder: Path
    bot: str

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Python in it with these arguments."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module", params=BOTS)
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the template after what the README says: two folders deleted and written anew."""
    folder = copy_project(tmp_path_factory.mktemp("copy"))
    bot, tests = folder / "shared" / "bot", folder / "tests" / "bot"
    for own in (bot, tests):
        shutil.rmtree(own)
        own.mkdir()
    (bot / "conversation.py").write_text(BOTS[request.param], encoding="utf-8")
    (bot / "__init__.py").write_text(PACKAGE)
    (tests / "test_conversation.py").write_text(ITS_TESTS)
    return Copy(folder, request.param)


@pytest.fixture(scope="module")
def app(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is deployed of the copy; the fixtures of a running bot start from this."""
    return deploy(tmp_path_factory.mktemp("app"), source=copy.folder)


def test_the_fast_lane_is_green(copy: Copy) -> None:
    """No test of the machinery needs the bot that was deleted."""
    tests = LOOK_INTO_THE_BOT if copy.bot != next(iter(BOTS)) else ()

    lane = copy.run(*TEST, "--fast", "-q", "-p", "no:cacheprovider", *tests)

    assert 0 == lane.returncode, lane.stdout


def test_the_style_of_the_bot_passes(copy: Copy) -> None:
    """`dev.py check` finds nothing in the copy."""
    checks = [copy.run(*step, "--no-cache") for step in STYLE]

    assert [0] * len(STYLE) == [check.returncode for check in checks], checks


@pytest.mark.parametrize("host", ["Microsoft's runtime"], indirect=True)
@pytest.mark.usefixtures("bot")
async def test_a_conversation_with_the_bot(copy: Copy, channel: FakeChannel) -> None:
    """What its author wrote is what its users meet, in Microsoft's Functions runtime."""
    await {
        "tally": _talk_to_the_tally,
        "to_do_list": _talk_to_the_to_do_list,
        "quiz": _answer_the_quiz,
    }[copy.bot](channel)


async def _talk_to_the_tally(channel: FakeChannel) -> None:
    await channel.says("hello")
    await channel.says("hello again", conversation="c2")

    assert ["That was message 1 of yours."] == channel.replies()
    assert ["That was message 2 of yours."] == channel.replies("c2")


async def _talk_to_the_to_do_list(channel: FakeChannel) -> None:
    await channel.joins("ada")
    for text in ("add milk", "add bread", "done milk", "list", "card"):
        await channel.says(text)

    *replies, card = channel.replies()
    sent = [request.activity for request in channel.requests]
    assert ["What is to be done?", "milk is number 1.", "bread is number 2."] == replies[:3]
    assert ["1 done.", "bread", ""] == [*replies[3:], card]
    assert "1 to do" == sent[-1]["attachments"][0]["content"]["title"]
    assert 5 == [activity["type"] for activity in sent].count("typing")


async def _answer_the_quiz(channel: FakeChannel) -> None:
    await channel.says("hello")
    _, question, _ = channel.requests
    asked = question.activity["text"].removeprefix("How much is ").removesuffix("?")
    buttons = question.activity["suggestedActions"]["actions"]
    assert quiz.QUESTIONS[asked] in [button["value"] for button in buttons]

    await channel.says(quiz.QUESTIONS[asked])

    right, _, new_card = channel.requests[3:]
    assert "Right." == right.activity["text"]
    assert "PUT" == new_card.method
    assert "Score: 1" == new_card.activity["attachments"][0]["content"]["title"]
