"""Processes that are killed in the middle of turns, which another one then completes."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bots.counting import replies_to, replies_to_all
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import IMPATIENT_HOST, Instance, Instances, settings_for
from tests.end_to_end.treatment import UNANSWERED, UNHEARD, WELL, Treatment


@pytest.fixture
def instances(counting_app: Path, tmp_path: Path) -> Iterator[Instances]:
    """Instances of the bot that counts. A host has no part in what is left of a turn."""
    with Instances(IMPATIENT_HOST, counting_app, tmp_path) as instances:
        yield instances


@dataclass(frozen=True)
class Death:
    """The request that a turn's process is killed at."""

    arrived: int
    """How many replies have reached the user by then."""
    home: tuple[Treatment, ...] = ()
    """How the writes of the conversation's document are treated."""
    user: tuple[Treatment, ...] = ()
    """How the write of the user's document is treated."""
    sends: tuple[Treatment, ...] = ()
    """How the replies are treated."""
    is_settled: bool = False


DEATHS = {
    "before the commit": Death(0, home=(UNHEARD,)),
    "after the commit": Death(0, home=(UNANSWERED,)),
    "before the first reply": Death(0, sends=(UNHEARD,)),
    "after the first reply": Death(1, sends=(UNANSWERED,)),
    "before the second reply": Death(1, sends=(WELL, UNHEARD)),
    "after the second reply": Death(2, sends=(WELL, UNANSWERED)),
    "before the last reply": Death(2, sends=(WELL, WELL, UNHEARD)),
    "after the last reply": Death(3, sends=(WELL, WELL, UNANSWERED)),
    "before the user's write": Death(3, user=(UNHEARD,)),
    "after the user's write": Death(3, user=(UNANSWERED,)),
    "before the settling": Death(3, home=(WELL, UNHEARD)),
    "after the settling": Death(3, home=(WELL, UNANSWERED), is_settled=True),
}


async def test_a_process_may_die_at_every_request_of_a_turn(
    channel: FakeChannel,
    instances: Instances,
    faulty_store: FaultyStore,
    bell_settings: dict[str, str],
) -> None:
    """Another one completes the turn, and repeats only replies that nobody noted as sent."""
    settings = {**settings_for(faulty_store.settings), **bell_settings}
    survivor = instances.start(settings)
    doomed = instances.start(settings)
    for name, death in DEATHS.items():
        faulty_store.treats_writes(f"conversations/{name}", *death.home)
        faulty_store.treats_writes(f"users/{name}", *death.user)
        channel.treats_next(*death.sends, conversation=name)

    turns = [asyncio.create_task(says(channel, "hello", name, doomed)) for name in DEATHS]
    arrived = {name: replies_to("hello", 1)[: death.arrived] for name, death in DEATHS.items()}
    for _ in range(1_000):
        if hanging(channel, faulty_store) == len(DEATHS) and arrived == seen(channel):
            break
        await asyncio.sleep(0.01)
    assert arrived == seen(channel)
    doomed.kill()
    assert [None] * len(DEATHS) == await asyncio.gather(*turns)

    for text in ("hello", "bye"):
        statuses = await asyncio.gather(*(says(channel, text, name, survivor) for name in DEATHS))
        assert [200] * len(DEATHS) == statuses
    once = replies_to_all(["hello", "bye"])
    await asyncio.gather(*(channel.hears(once[-1], name) for name in DEATHS))

    assert {
        name: arrived[name][: 0 if death.is_settled else None] + once
        for name, death in DEATHS.items()
    } == seen(channel)


ROUNDS = 12
TURNS = 3
"""Under way in each process when it is killed."""
REPLY_S = 0.02
TURN_S = 0.1
"""About what a turn takes with three replies of `REPLY_S`."""


async def test_a_process_may_die_at_any_time(
    channel: FakeChannel,
    instances: Instances,
    cosmos_settings: dict[str, str],
    bell_settings: dict[str, str],
) -> None:
    """Each turn counts once, and its replies come once, or from the first again if unsettled."""
    chance = random.Random(12)
    channel.usual_treatment = Treatment(delay_s=REPLY_S)
    settings = {**cosmos_settings, **bell_settings}
    survivor = instances.start(settings)

    async def say_until_it_is_taken(name: str, doomed: Instance) -> int | None:
        await asyncio.sleep(chance.uniform(0, TURN_S))
        status = await says(channel, "hello", name, doomed)
        if status != 200:
            assert 200 == await says(channel, "hello", name, survivor)
        return status

    turns: dict[str, asyncio.Task[int | None]] = {}
    for number in range(ROUNDS):
        doomed = await asyncio.to_thread(instances.start, settings)
        names = [f"round {number}, turn {turn}" for turn in range(TURNS)]
        # So that it dies in a turn, and not while it gets ready for its first.
        await asyncio.gather(*(says(channel, "good morning", name, doomed) for name in names))
        for name in names:
            turns[name] = asyncio.create_task(say_until_it_is_taken(name, doomed))
        await asyncio.sleep(TURN_S)
        doomed.kill()
    statuses = dict(zip(turns, await asyncio.gather(*turns.values()), strict=True))
    await asyncio.gather(*(says(channel, "bye", name, survivor) for name in turns))
    once = replies_to_all(["good morning", "hello", "bye"])
    await asyncio.gather(*(channel.hears(once[-1], name) for name in turns))

    for name, status in statuses.items():
        replies = channel.replies(name)
        again = len(replies) - len(once)
        assert once[:3] + once[3 : 3 + again] + once[3:] == replies
        assert again == 0 or status is None


async def says(channel: FakeChannel, text: str, name: str, to: Instance) -> int | None:
    """Deliver a text in a conversation of this name, and its user's; each time the same one."""
    return await channel.says(
        text, user=name, conversation=name, activity_id=f"{name}: {text}", to=to.url
    )


def hanging(channel: FakeChannel, store: FaultyStore) -> int:
    """Return how many requests will never be answered."""
    treatments = [
        *(request.treatment for request in channel.requests),
        *(treatment for _, treatment in store.treated),
    ]
    return sum(treatment in (UNHEARD, UNANSWERED) for treatment in treatments)


def seen(channel: FakeChannel) -> dict[str, list[str]]:
    """Return what has arrived in each of the conversations."""
    return {name: channel.replies(name) for name in DEATHS}
