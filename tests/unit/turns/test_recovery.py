"""Turns that take long, get stuck or are left behind; in virtual time."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState

from shared.errors import (
    DeliveryUncertain,
    StateConflict,
    StateUnavailable,
    TurnDeadlineExceeded,
)
from shared.turns.identity import TurnIdentity
from shared.turns.limits import LEASE_S, SEND_LIMIT_S
from shared.turns.locks import Locks
from shared.turns.state.journal import digest
from tests.simulation.loop import SimulatedLoop
from tests.unit.turns.conftest import HOME, USER, Room
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]


def in_virtual_time(history: Coroutine[Any, Any, None]) -> None:
    SimulatedLoop(random.Random(1)).run(history)


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

    in_virtual_time(history())
    assert [str(number) for number in range(10)] == room.texts()
    assert ([], 0) == (redelivery.texts(), redelivery.runs)


def test_a_send_that_hangs_is_left_to_others(room_with: RoomWith) -> None:
    """The request fails in time, and whoever comes next finds the turn free."""
    room = room_with(say_ten)
    room.channel.delay_s = 100

    async def history() -> None:
        with pytest.raises(DeliveryUncertain):
            await room.hears(id="a")
        assert SEND_LIMIT_S <= asyncio.get_running_loop().time() < SEND_LIMIT_S + LEASE_S
        room.channel.delay_s = 0
        await room.hears(id="a")

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
        with pytest.raises(DeliveryUncertain):
            await room.hears(id="marked-id")
        clock_s[0] += 90
        await room.hears(id="marked-id")

    with caplog.at_level(logging.WARNING):
        in_virtual_time(history())
    told = [line for line in caplog.messages if line.startswith("turn.")]
    identity = TurnIdentity.of(room.activity(id="marked-id"))
    name = digest(identity.turn_id or "")
    assert [f"turn.unsettled turn={name}", f"turn.recovered turn={name} age_s=90.0"] == told


def test_a_reply_that_nobody_takes_is_given_up(room_with: RoomWith) -> None:
    """After three deliveries and half a minute the others go on without it."""
    room = room_with(say_ten)

    async def history() -> None:
        for _ in range(3):
            room.channel.faults = [refusal(500)]
            with pytest.raises(DeliveryUncertain):
                await room.hears(id="a")
            await asyncio.sleep(16)
        await room.hears(id="a")

    in_virtual_time(history())
    assert [str(number) for number in range(1, 10)] == room.texts()


def test_a_change_is_not_applied_again_after_a_long_sleep(room_with: RoomWith) -> None:
    """A conversation that could not note what it applied finds that out from the document."""

    async def remember_text(context: TurnContext, storage: Storage) -> None:
        if context.activity.text != "look":
            state = UserState(storage)
            await state.create_property("last").set(context, context.activity.text)
            await state.save_changes(context)

    room = room_with(remember_text)
    user = []

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, *[StateUnavailable("away")] * 100]
        await room.hears("old")
        room.storage.faults.clear()
        for number in range(20):
            await room.hears(f"new {number}", conversation={"id": "hall"})
        await room.hears("look")
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


def test_a_home_document_that_stays_behind_ends_the_turn_in_time(room_with: RoomWith) -> None:
    """A replica that lags is asked again, with pauses, and nothing is based on what it says."""

    async def count(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        number = state.create_property("count")
        await number.set(context, (await number.get(context) or 0) + 1)
        await state.save_changes(context)

    room = room_with(count)
    read = room.storage._inner.read

    async def history() -> None:
        await room.hears()
        behind = [await room.home()]
        await room.hears()
        ahead = [await room.home()]

        async def lag(keys: list[str]) -> dict[str, Any]:
            if keys == [HOME]:
                return {HOME: dict(ahead.pop() if ahead else behind[0])}
            return await read(keys)  # type: ignore[no-any-return]

        room.storage._inner.read = lag
        room.storage.faults[f"write {HOME}"] = [StateConflict("simulated")]
        with pytest.raises(TurnDeadlineExceeded):
            await room.hears()
        room.storage._inner.read = read
        assert 2 == (await room.home())["count"]

    in_virtual_time(history())
