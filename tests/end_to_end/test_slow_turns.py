"""
Turns that take longer than any request, on two processes with a store and a queue of their own.

Nobody sends another message to help, and no channel delivers anything again unless it says so.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.node_services.emulators import Azurite
from tests.bots import slow
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy
from tests.end_to_end.instances import EMBEDDED_HOST, Host, Instance, Instances
from tests.end_to_end.treatment import WELL, refused

PATIENCE_S = 180
"""Until the last reply has come, on a machine that is busy with other things."""

HIDDEN_S = "30"
"""For so long a received message stays hidden when its process dies; ten minutes in Azure."""


@pytest.fixture(scope="module")
def slow_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed, with a bot that takes its time."""
    return deploy(tmp_path_factory.mktemp("slow-app"), bot=Path(slow.__file__))


@pytest.fixture
def azurite(npm_packages: None) -> Iterator[Azurite]:
    """A queue of this test's own: bells of another would be heard here."""
    with Azurite() as service:
        yield service


class Pair:
    """Two instances on one store and one queue."""

    def __init__(self, instances: Instances, settings: dict[str, str], runs: Path) -> None:
        self.start: Callable[[], Instance] = lambda: instances.start(settings)
        self.one = self.start()
        self.other = self.start()
        self._runs = runs

    def runs(self) -> list[str]:
        """What the bot began to answer, in order."""
        return self._runs.read_text(encoding="utf-8").splitlines() if self._runs.exists() else []


@pytest.fixture
def pair(
    slow_app: Path, tmp_path: Path, azurite: Azurite, cosmos_settings: dict[str, str]
) -> Iterator[Pair]:
    runs = tmp_path / "runs"
    settings = {
        **cosmos_settings,
        "AzureWebJobsStorage": azurite.connection_string,
        "SweepSchedule": "*/10 * * * * *",
        slow.RUNS: str(runs),
    }
    host = Host(EMBEDDED_HOST.command, ("--hidden-s", HIDDEN_S))
    with Instances(host, slow_app, tmp_path) as instances:
        yield Pair(instances, settings, runs)


async def hears(channel: FakeChannel, *texts: str) -> list[str]:
    """Wait for as many replies as these, and a little longer; return what has come."""
    for _ in range(PATIENCE_S):
        if len(channel.replies()) >= len(texts):
            break
        await asyncio.sleep(1)
    await asyncio.sleep(3)
    return channel.replies()


FOUR = ("wait 20 first", "second", "third", "fourth")
FOUR_ANSWERS = [f"{count}: {text}" for count, text in enumerate(FOUR, 1)]


async def say_four(channel: FakeChannel, pair: Pair) -> list[int | None]:
    """Say something that takes long, and three more things meanwhile, to both."""
    first = asyncio.create_task(channel.says(FOUR[0], activity_id="a-first", to=pair.one.url))
    await asyncio.sleep(3)
    later = [
        await channel.says(text, to=to.url)
        for text, to in zip(FOUR[1:], (pair.other, pair.one, pair.other), strict=True)
    ]
    return [await first, *later]


async def test_messages_to_both_meanwhile_are_answered_in_order(
    channel: FakeChannel, pair: Pair
) -> None:
    """All are accepted at once, and a redelivery too; the bot runs once for each, in order."""
    statuses = await say_four(channel, pair)
    again = await channel.says(FOUR[0], activity_id="a-first", to=pair.other.url)

    assert FOUR_ANSWERS == await hears(channel, *FOUR)
    assert [200] * 4 == statuses
    assert 200 == again
    assert list(FOUR) == pair.runs()


async def test_what_was_accepted_survives_its_process(channel: FakeChannel, pair: Pair) -> None:
    """The owner is killed in the middle of its turn; the other one does all of it."""
    statuses = await say_four(channel, pair)
    pair.one.kill()

    assert FOUR_ANSWERS == await hears(channel, *FOUR)
    assert [200] * 4 == statuses
    assert [FOUR[0], *FOUR] == pair.runs()


async def test_an_owner_that_stood_still_says_nothing_more(
    channel: FakeChannel, pair: Pair
) -> None:
    """It is paused for longer than its lease and resumed; the other has answered by then."""
    statuses = await say_four(channel, pair)
    pair.one.pause()
    try:
        await hears(channel, *FOUR)
    finally:
        pair.one.resume()
    await asyncio.sleep(25)

    assert FOUR_ANSWERS == channel.replies()
    assert [200] * 4 == statuses
    assert [FOUR[0], *FOUR] == pair.runs()


async def test_a_reply_comes_when_its_channel_is_back(channel: FakeChannel, pair: Pair) -> None:
    """The channel fails for some time; the message is accepted, and answered when it is back."""
    channel.usual_treatment = refused(503)
    statuses = [await channel.says("hello", to=pair.one.url)]
    channel.usual_treatment = WELL

    assert ["1: hello"] == await hears(channel, "hello")
    assert [200] == statuses


async def test_a_process_that_is_asked_to_end_hands_over(channel: FakeChannel, pair: Pair) -> None:
    """What ran in it is run by the other at once, and not after a lease."""
    statuses = await say_four(channel, pair)
    pair.one.terminate()

    assert FOUR_ANSWERS == await hears(channel, *FOUR)
    assert [200] * 4 == statuses
    assert [FOUR[0], *FOUR] == pair.runs()


async def test_a_crowd_in_one_conversation_finds_room(channel: FakeChannel, pair: Pair) -> None:
    """Of 150 messages at once none is refused, and all are answered, in some order, once each."""
    texts = [f"message {number}" for number in range(150)]
    statuses = await asyncio.gather(
        *(
            channel.says(text, to=(pair.one, pair.other)[number % 2].url)
            for number, text in enumerate(texts)
        )
    )
    replies = await hears(channel, *texts)

    assert [200] * 150 == statuses
    assert sorted(texts) == sorted(reply.partition(": ")[2] for reply in replies)
    assert [str(count) for count in range(1, 151)] == [
        reply.partition(": ")[0] for reply in replies
    ]
