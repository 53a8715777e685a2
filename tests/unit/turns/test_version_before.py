"""In a rolling deployment: nothing is lost or run twice beside the version before."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from botbuilder.core import Storage, TurnContext

from shared.errors import (
    StateConflict,
)
from shared.turns.identity import TurnIdentity
from shared.turns.limits import (
    LEASE_S,
)
from shared.turns.state.journal import Journal, TurnRecord
from tests.unit.turns.conftest import HOME, Room, in_virtual_time, now_s, until_quiet
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


async def commit_as_before(room: Room, name: str, by: str, *, settled: bool) -> None:
    """Commit a turn as the version before does: it keeps fields that it does not know."""
    home = await room.home()
    journal = dict(home.get("$turns", {}))
    stamp = journal.get("stamp", 0) + 1
    journal |= {
        "version": journal.get("version", 0) + 1,
        "stamp": stamp,
        "done": [*journal.get("done", []), f"{by} {name} 1"],
    }
    journal.pop("last", None)
    if not settled:
        journal["last"] = {"id": name, "by": by, "stamp": stamp, "replies": [REPLY]}
    home |= {"count": home.get("count", 0) + 1, "$turns": journal}
    await room.storage._inner.write({HOME: home})


REPLY = (
    '{"verb":"send","id":"","subject":{"type":"message","text":"old","channelId":"test",'
    '"serviceUrl":"https://channel.example","conversation":{"id":"room"},"from":{"id":"bot"},'
    '"recipient":{"id":"ada"}}}'
)


def test_a_commit_of_the_version_before_makes_a_run_begin_again(room_with: RoomWith) -> None:
    """It changed the state that the bot has read; nothing is lost, and nothing counted twice."""
    room = room_with(take)

    async def history() -> None:
        begin(room, "10 new")
        await asyncio.sleep(3)
        await commit_as_before(room, "old", "old", settled=True)
        await until_quiet(room)

    in_virtual_time(history())
    assert (["new 2"], 2) == (said(room), room.runs)


def test_a_redelivery_that_the_version_before_has_run_is_not_run_again(
    room_with: RoomWith,
) -> None:
    """It sees no inbox; what it has done is in the list of turns."""
    room = room_with(take)

    async def history() -> None:
        begin(room, "10 new")
        await asyncio.sleep(3)
        name = (await room.home())["$turns"]["inbox"][0]["id"]
        await commit_as_before(room, name, "old", settled=True)
        await until_quiet(room)
        assert 1 == (await room.home())["count"]

    in_virtual_time(history())
    assert [] == said(room)


@pytest.mark.parametrize("left", [{}, {"by": "", "fruitless": 1}], ids=["died", "given back"])
def test_a_bell_that_the_version_before_has_kept_is_in_charge_of_nothing(
    room_with: RoomWith, left: dict[str, Any]
) -> None:
    """A redelivery of what that version has left unsaid rings, and so it is said."""
    room = room_with(take)
    name = TurnIdentity.of(room.activity(id="a")).turn_id or ""
    put_off = Journal(last=TurnRecord(id="z", fruitless=1), watch="gone").to_json()

    async def history() -> None:
        await room.storage._inner.write({HOME: {"$turns": put_off}})
        await commit_as_before(room, name, "old", settled=False)
        home = await room.home()
        home["$turns"]["last"] |= left
        await room.storage._inner.write({HOME: home})
        await room.hears(id="a")
        await asyncio.sleep(60)

    in_virtual_time(history())
    assert ["old"] == said(room)


def test_a_delivery_of_the_version_before_is_waited_for(room_with: RoomWith) -> None:
    """While its name changes it is alive; when it has been silent for a lease, it is not."""
    room = room_with(take)
    began_s = []

    async def history() -> None:
        await commit_as_before(room, "old", "old1", settled=False)
        assert await answered(room, "0 new") < 3
        for name in ("old2", "old3"):
            await asyncio.sleep(LEASE_S - 2)
            home = await room.home()
            home["$turns"]["last"]["by"] = name
            await room.storage._inner.write({HOME: home})
        assert [] == said(room)
        began_s.append(now_s())
        await until_quiet(room)
        began_s.append(now_s())

    in_virtual_time(history())
    assert ["old", "new 2"] == said(room)
    assert LEASE_S < began_s[1] - began_s[0] < LEASE_S + 4


def test_a_delivery_that_the_version_before_takes_up_again_stays_its_own(
    room_with: RoomWith,
) -> None:
    """What was silent when it was read, and is not when it is written, is waited for again."""
    room = room_with(take)
    write = room.storage._inner.write
    taken_up: list[float] = []
    waited_s: list[float] = []

    async def take_up_again(changes: dict[str, Any]) -> None:
        last = changes.get(HOME, {}).get("$turns", {}).get("last") or {}
        if last.get("id") == "old" and "." in last["by"] and not taken_up:
            taken_up.append(now_s())
            home = await room.home()
            home["$turns"]["last"]["by"] = "old2"
            await write({HOME: home})
        await write(changes)

    async def history() -> None:
        await commit_as_before(room, "old", "old1", settled=False)
        room.storage._inner.write = take_up_again
        await answered(room, "0 new")
        while not said(room):
            await asyncio.sleep(0.1)
            waited_s.append(now_s() - taken_up[0] if taken_up else 0.0)

    in_virtual_time(history())
    assert LEASE_S <= waited_s[-1]


def test_the_version_before_sees_that_our_delivery_is_alive(room_with: RoomWith) -> None:
    """The name that it watches changes more often than it takes over."""
    room = room_with(say_slowly)
    room.channel.delay_s = 3
    seen: list[tuple[float, str]] = []

    async def history() -> None:
        begin(room, "hello")
        while len(room.texts()) < 8:
            await asyncio.sleep(0.1)
            last = (await room.home()).get("$turns", {}).get("last")
            if last and (not seen or seen[-1][1] != last["by"]):
                seen.append((now_s(), last["by"]))

    in_virtual_time(history())
    pauses = [b - a for (a, _), (b, _) in pairwise(seen)]
    assert len(pauses) >= 4
    assert max(pauses) < LEASE_S - 1


async def say_slowly(context: TurnContext, _storage: Storage) -> None:
    for number in range(8):
        await context.send_activity(str(number))


def test_a_conflict_that_is_an_echo_is_no_race(room_with: RoomWith) -> None:
    """A connection that repeats a write is answered that somebody else was faster."""
    room = room_with(take)
    write = room.storage._inner.write

    async def echo(changes: dict[str, Any]) -> None:
        await write(changes)
        if len(room.storage.writes) % 2:
            raise StateConflict("repeated")

    room.storage._inner.write = echo
    in_virtual_time(_hear(room))
    assert (["hello 1"], 1) == (said(room), room.runs)


async def _hear(room: Room) -> None:
    await room.hears("7 hello")
    await until_quiet(room)
