"""Turns that take long, get stuck or are left behind; in virtual time."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from botbuilder.core import Storage, TurnContext, UserState

from shared.errors import StateUnavailable
from shared.turns.identity import TurnIdentity
from shared.turns.limits import (
    ANSWER_S,
    FRUITLESS_UNCERTAIN_S,
    LEASE_S,
    SEND_LIMIT_S,
)
from shared.turns.locks import Locks
from shared.turns.state.journal import digest
from tests.unit.turns.conftest import HOME, USER, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]


async def say_ten(context: TurnContext, _storage: Storage) -> None:
    for number in range(10):
        await context.send_activity(str(number))


def test_a_long_delivery_renews_its_lease(room_with: RoomWith) -> None:
    """Ten replies of 1.5 s take longer than a lease, and leave once each, from one owner."""
    room, redelivery = room_with(say_ten), room_with(say_ten)
    room.channel.delay_s = 1.5

    async def history() -> None:
        delivery = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(7)
        await redelivery.hears(id="a")
        await delivery
        await until_quiet(room)

    in_virtual_time(history())
    assert [str(number) for number in range(10)] == room.texts()
    assert ([], 0) == (redelivery.texts(), redelivery.runs)


def test_a_send_that_hangs_is_left_to_others(room_with: RoomWith) -> None:
    """The request is answered in time, and the turn is free after the longest send."""
    room = room_with(say_ten)
    room.channel.delay_s = 100

    async def history() -> None:
        await room.hears(id="a")
        assert ANSWER_S == asyncio.get_running_loop().time()
        await asyncio.sleep(SEND_LIMIT_S - ANSWER_S + LEASE_S)
        assert "running" not in (await room.home())["$turns"]
        room.channel.delay_s = 0
        await until_quiet(room)

    in_virtual_time(history())
    assert 10 == len(room.texts())


def test_the_log_tells_what_is_unsettled_and_what_is_not_any_more(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator's alert pairs the two lines by a name that tells nobody's id."""
    clock_s = [1_000_000.0]
    room = room_with(say_ten, now_s=lambda: clock_s[0])

    async def history() -> None:
        await room.hears(id="settled")
        room.channel.faults = [refusal(500)]
        await room.hears(id="marked-id")
        clock_s[0] += 90
        await until_quiet(room)

    with caplog.at_level(logging.WARNING):
        in_virtual_time(history())
    told = [line for line in caplog.messages if line.startswith(("turn.uns", "turn.rec"))]
    identity = TurnIdentity.of(room.activity(id="marked-id"))
    name = digest(identity.turn_id or "")
    assert [f"turn.unsettled turn={name}", f"turn.recovered turn={name} age_s=90.0"] == told


def test_a_reply_that_nobody_takes_is_given_up(room_with: RoomWith) -> None:
    """After some deliveries in two minutes the others go on without it."""
    room = room_with(say_ten)

    async def history() -> None:
        room.channel.faults = [refusal(500)] * 100
        await room.hears(id="a")
        await asyncio.sleep(FRUITLESS_UNCERTAIN_S)
        assert 0 == (await room.home())["$turns"]["last"].get("sent", 0)
        await asyncio.sleep(40)
        assert 1 == (await room.home())["$turns"]["last"]["sent"]
        room.channel.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    assert [str(number) for number in range(1, 10)] == room.texts()


def test_a_change_is_not_applied_again_after_a_long_sleep(room_with: RoomWith) -> None:
    """A conversation that could not note what it applied finds that out from the document."""

    async def remember_text(context: TurnContext, storage: Storage) -> None:
        if context.activity.text != "look":
            state = UserState(storage)
            await state.create_property("last").set(context, context.activity.text)
            await state.save_changes(context)

    room, other = room_with(remember_text), room_with(remember_text)
    user = []

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, *[StateUnavailable("away")] * 100]
        await room.hears("old")
        room.dies()
        room.storage.faults.clear()
        for number in range(20):
            await other.hears(f"new {number}", conversation={"id": "hall"})
        await other.hears("look")
        await until_quiet(other)
        user.append(await room.document(USER))

    in_virtual_time(history())
    assert "new 19" == user[0]["last"]


async def test_locks_are_forgotten_when_idle() -> None:
    """A worker that has served a million conversations holds none of their locks."""
    locks = Locks()
    until_s = asyncio.get_running_loop().time() + 1
    async with locks.hold("room", until_s) as waited:
        assert not waited
        assert 1 == len(locks._locks)
    assert [] == list(locks._locks)
