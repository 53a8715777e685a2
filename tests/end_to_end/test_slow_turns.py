"""
Turns that take longer than any request, on processes with a store and a queue of their own.

Nobody sends another message to help, and no channel delivers anything again unless it says so.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.bots import slow
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.deployment import deploy
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import IMPATIENT_HOST, Host, Instance, Instances, settings_for
from tests.end_to_end.treatment import UNHEARD, WELL, refused
from tests.programs.programs import eventually


@pytest.fixture(scope="module")
def slow_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed, with a bot that takes its time."""
    return deploy(tmp_path_factory.mktemp("slow-app"), bot=Path(slow.__file__))


class Street:
    """Instances on one store and one queue."""

    def __init__(self, instances: Instances, settings: dict[str, str], runs: Path) -> None:
        self._instances = instances
        self._settings = {**settings, slow.RUNS: str(runs)}
        self._runs = runs
        self.survivor = self.start()
        """It is the first one, and so the one that sweeps: its death would hold up the others."""

    def start(self, settings: Mapping[str, str] = MappingProxyType({})) -> Instance:
        """Start one more, with these settings beside those of all."""
        return self._instances.start({**self._settings, **settings})

    def runs(self, conversation: str) -> list[str]:
        """What the bot began to answer in the conversation, in order."""
        runs = self._runs.read_text(encoding="utf-8").splitlines()
        begins = f"{conversation}: "
        return [run.removeprefix(begins) for run in runs if run.startswith(begins)]


@pytest.fixture
def street_settings(
    cosmos_settings: dict[str, str], bell_settings: dict[str, str]
) -> dict[str, str]:
    """What the instances of one street share."""
    return {**cosmos_settings, **bell_settings}


@pytest.fixture
def street(slow_app: Path, street_settings: dict[str, str], tmp_path: Path) -> Iterator[Street]:
    """On the embedded host, where what is tested is not the host's."""
    with Instances(IMPATIENT_HOST, slow_app, tmp_path) as instances:
        yield Street(instances, street_settings, tmp_path / "runs")


@pytest.fixture
def street_of_host(
    host: Host, slow_app: Path, street_settings: dict[str, str], tmp_path: Path
) -> Iterator[Street]:
    """On the host of the test's choice."""
    with Instances(host, slow_app, tmp_path) as instances:
        yield Street(instances, street_settings, tmp_path / "runs")


FOUR = ("wait 20 first", "second", "third", "fourth")
FOUR_ANSWERS = [f"{count}: {text}" for count, text in enumerate(FOUR, 1)]


def is_claimed(channel: FakeChannel, conversation: str) -> bool:
    """Whether its turn cannot be overtaken any more: the second typing indicator tells that."""
    types = [one.activity["type"] for one in channel.requests if one.conversation == conversation]
    return types.count("typing") > 1


async def say_four(
    channel: FakeChannel, one: Instance, other: Instance, conversation: str
) -> list[int | None]:
    """Say something that takes long, and three more things meanwhile, to both."""

    async def says(text: str, to: Instance) -> int | None:
        activity_id = f"{conversation}: {text}"
        return await channel.says(
            text, conversation=conversation, activity_id=activity_id, to=to.url
        )

    first = asyncio.create_task(says(FOUR[0], one))
    await asyncio.to_thread(eventually, lambda: is_claimed(channel, conversation))
    later = [await says(text, to) for text, to in zip(FOUR[1:], (other, one, other), strict=True)]
    return [await first, *later, await says(FOUR[0], other)]


async def test_messages_to_both_meanwhile_are_answered_in_order(
    channel: FakeChannel, street: Street, faulty_store: FaultyStore
) -> None:
    """All are accepted at once, and a redelivery too, whatever the store's writes meet."""
    one, other = street.start(settings_for(faulty_store.settings)), street.survivor
    faults = refused(429, retry_after_s=0.05), WELL, refused(503), WELL, WELL
    faulty_store.treats_writes("conversations/faulty", *faults * 8)

    statuses = await asyncio.gather(
        *(say_four(channel, one, other, place) for place in ("well", "faulty"))
    )

    assert [[200] * 5] * 2 == statuses
    for place in ("well", "faulty"):
        assert FOUR_ANSWERS == await channel.hears(FOUR_ANSWERS[-1], place)
        assert list(FOUR) == street.runs(place)
    assert 2 < len(faulty_store.treated)


FATES = {
    "killed": Instance.kill,
    "paused": Instance.pause,
    "asked to end": Instance.terminate,
}


async def test_what_was_accepted_survives_its_process(channel: FakeChannel, street: Street) -> None:
    """Another one does all of it; and an owner that stood still says nothing more."""
    doomed = {fate: street.start() for fate in FATES}

    async def meets(fate: str) -> list[int | None]:
        statuses = await say_four(channel, doomed[fate], street.survivor, fate)
        FATES[fate](doomed[fate])
        await channel.hears(FOUR_ANSWERS[-1], fate)
        return statuses

    statuses = await asyncio.gather(*map(meets, FATES))
    doomed["paused"].resume()
    await asyncio.to_thread(eventually, lambda: "turn.outlived" in doomed["paused"].printed())

    assert [[200] * 5] * len(FATES) == statuses
    for fate in FATES:
        assert FOUR_ANSWERS == channel.replies(fate)
        assert [FOUR[0], *FOUR] == street.runs(fate)


async def test_a_crowd_in_one_conversation_finds_room(channel: FakeChannel, street: Street) -> None:
    """Of 150 messages at once none is refused; all are answered, in some order, once each."""
    pair = street.survivor, street.start()
    texts = [f"message {number}" for number in range(150)]

    statuses = await asyncio.gather(
        *(channel.says(text, to=pair[number % 2].url) for number, text in enumerate(texts))
    )
    replies = await channel.hears("150: ")

    assert [200] * 150 == statuses
    assert sorted(texts) == sorted(reply.partition(": ")[2] for reply in replies)
    assert [str(count) for count in range(1, 151)] == [
        reply.partition(": ")[0] for reply in replies
    ]


@pytest.mark.parametrize("host", ["Microsoft's runtime"], indirect=True)
async def test_turns_outlive_request_and_process_in_azure_too(
    channel: FakeChannel, street_of_host: Street
) -> None:
    """
    Queue and timer start their functions there, and what comes after the answer is logged.

    A bell does the turn that is cut off. For the reply that is cut off nothing has rung, and the
    sweep finds it.
    """
    survivor, doomed = street_of_host.survivor, street_of_host.start()
    living = asyncio.create_task(channel.says(FOUR[0], conversation="lives", to=survivor.url))
    statuses = [await channel.says(FOUR[0], conversation="cut off", to=doomed.url)]
    channel.treats_next(UNHEARD, conversation="unsent")
    unsent = asyncio.create_task(channel.says("hello", conversation="unsent", to=doomed.url))
    await asyncio.to_thread(
        eventually, lambda: any(one.conversation == "unsent" for one in channel.requests)
    )
    doomed.kill()
    statuses += [await living, await unsent]

    assert [200, 200, None] == statuses
    expected = {"lives": [FOUR[0]], "cut off": [FOUR[0]] * 2, "unsent": ["hello"]}
    for place, runs in expected.items():
        assert [f"1: {runs[0]}"] == await channel.hears(runs[0], place)
        assert runs == street_of_host.runs(place)
    done = [f"Executed 'Functions.{name}' (Succeeded" for name in ("BellFunction", "SweepFunction")]
    await asyncio.to_thread(
        eventually, lambda: all(one in survivor.printed() for one in (*done, "turn.outlived"))
    )
    outlived = [line for line in survivor.printed().splitlines() if "turn.outlived" in line]
    # So it ends on stderr. What the host takes begins with the level instead.
    assert 1 == len(outlived)
    assert outlived[0].startswith("turn.outlived turn=")
    assert outlived[0].endswith(" level=info")
