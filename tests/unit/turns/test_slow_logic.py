"""Proactive turns that take long: their logic cannot be stored, and ends with its process."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import ConversationState, TurnContext

from shared.bells.base import Bell
from shared.errors import (
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
    TurnDeadlineExceeded,
)
from shared.storage import storage_of
from shared.turns.limits import ANSWER_S, WAITING_S
from tests.unit.turns.conftest import HOME, USER, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_proactive import Whim, after, continues, count
from tests.unit.turns.test_slow_turns import answered, said, take

RoomWith = Callable[..., Room]
NEWS = "News [1, 1]."


def begin(room: Room, logic: Callable[[TurnContext], Any]) -> "asyncio.Task[None]":
    """Run some logic, as a part of a room's process."""
    return room.begin(continues(room, logic))


async def fail(_context: TurnContext) -> None:
    raise Whim


def test_messages_are_accepted_behind_slow_logic(room_with: RoomWith) -> None:
    """Their requests are answered in time, and they run after it, in order."""
    one, two = room_with(take), room_with(take)
    took_s = []

    async def history() -> None:
        news = begin(one, after(30, count))
        await asyncio.sleep(3)
        for number, room in enumerate([one, two, one]):
            took_s.append(await answered(room, f"0 m{number}"))
        before = said(one, two)
        await news
        await until_quiet(one)
        assert [] == before

    in_virtual_time(history())
    assert [NEWS, "m0 1", "m1 2", "m2 3"] == said(one)
    assert max(took_s) <= ANSWER_S


@pytest.mark.parametrize("seconds", [0, 10])
def test_logic_that_fails_holds_nobody_up(room_with: RoomWith, seconds: float) -> None:
    """The error is its caller's; what was accepted behind it runs at once, without a bell."""
    room = room_with(take)

    async def history() -> None:
        room.queue.is_silent = True
        news = begin(room, after(seconds, fail))
        await asyncio.sleep(seconds / 2)
        await room.hears("0 hello")
        with pytest.raises(Whim):
            await news
        await asyncio.sleep(1)
        before = said(room)
        await continues(room, count)
        assert ["hello 1"] == before

    in_virtual_time(history())
    assert ["hello 1", NEWS] == said(room)


def test_logic_that_fails_when_it_was_overtaken_is_not_run_again(room_with: RoomWith) -> None:
    """The conversation is somebody else's by then, and the error is its caller's all the same."""
    one, two = room_with(take), room_with(take)
    runs = []

    async def be_overtaken_and_fail(_context: TurnContext) -> None:
        runs.append(1)
        await asyncio.sleep(2)
        await two.hears("10 hello")
        owner = (await one.home())["$turns"]["running"]
        bell = Bell(HOME, "bell", (owner["by"], owner.get("beat", 1)))
        two.begin(two.bot.on_bell(bell))
        await asyncio.sleep(0.5)
        raise Whim

    async def history() -> None:
        with pytest.raises(Whim):
            await begin(one, be_overtaken_and_fail)
        await until_quiet(two)

    in_virtual_time(history())
    assert ([1], [], ["hello 1"]) == (runs, said(one), said(two))


def test_logic_that_ends_too_late_has_no_effect(room_with: RoomWith) -> None:
    """Its caller has been told that nothing has changed."""
    room = room_with(take)

    async def history() -> None:
        first = room.begin(room.hears("0.5 first"))
        await asyncio.sleep(0.1)
        with pytest.raises(TurnDeadlineExceeded):
            await continues(room, after(WAITING_S - 0.2, count))
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["first 1"] == said(room)


def test_logic_dies_with_its_process(room_with: RoomWith) -> None:
    """A bell takes it out, runs what was accepted behind it, and it may be asked for again."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        begin(one, after(30, count))
        await asyncio.sleep(5)
        await two.hears("0 hello")
        one.dies()
        await until_quiet(two)
        await continues(two, count)

    in_virtual_time(history())
    assert ["hello 1", NEWS] == said(one, two)


def test_what_logic_has_committed_outlives_its_process(room_with: RoomWith) -> None:
    """A bell delivers it, before what was accepted behind it; another call does nothing more."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s = 100

    async def history() -> None:
        begin(one, after(5, count))
        await asyncio.sleep(3)
        await two.hears("0 hello")
        await asyncio.sleep(3)
        one.dies()
        await until_quiet(two)
        await continues(two, count)

    in_virtual_time(history())
    assert ([], [NEWS, "hello 1"]) == (said(one), said(two))


def test_a_delivery_may_take_longer_than_its_caller_waits(room_with: RoomWith) -> None:
    """What is committed by then will arrive, so the call ends with success."""
    room = room_with(take)

    async def history() -> None:
        room.channel.delay_s = 15
        await continues(room, after(WAITING_S - 5, count))
        assert [] == said(room)
        await until_quiet(room)

    in_virtual_time(history())
    assert [NEWS] == said(room)


@pytest.mark.parametrize("after_s", [0.5, 5])
def test_logic_ends_with_whoever_waits_for_it(room_with: RoomWith, after_s: float) -> None:
    """A caller that is cancelled takes it along, and the conversation goes on."""
    room = room_with(take)

    async def history() -> None:
        news = begin(room, after(30, count))
        await asyncio.sleep(after_s)
        news.cancel()
        await asyncio.sleep(2)
        await room.hears("0 hello")
        assert ["hello 1"] == said(room)
        await until_quiet(room)

    in_virtual_time(history())
    assert ["hello 1"] == said(room)


def test_logic_ends_with_a_process_that_leaves(room_with: RoomWith) -> None:
    """Its caller is told so at once, and another instance goes on with the rest."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        news = begin(one, after(30, count))
        await asyncio.sleep(5)
        await two.hears("0 hello")
        one.bot.leave()
        with pytest.raises(TurnDeadlineExceeded):
            await asyncio.wait_for(news, 2)
        one.dies()
        await until_quiet(two)
        await continues(two, count)

    in_virtual_time(history())
    assert ["hello 1", NEWS] == said(two)


def test_logic_waits_for_a_store_that_is_away(room_with: RoomWith) -> None:
    """It runs again while its caller waits, and happens once."""
    room = room_with(take)

    async def history() -> None:
        room.storage.faults[f"read {USER}"] = [StateUnavailable("away")] * 1000
        news = begin(room, count)
        await asyncio.sleep(20)
        room.storage.faults.clear()
        await news

    in_virtual_time(history())
    assert [NEWS] == said(room)


@pytest.mark.parametrize("seconds", [0, 3])
def test_a_document_that_logic_cannot_read_is_its_callers_to_know(
    room_with: RoomWith, seconds: float
) -> None:
    """The user hears nothing, and nothing has changed."""
    room = room_with(take)

    async def history() -> None:
        room.storage.faults[f"read {USER}"] = [StateUnreadable("damaged")] * 2
        with pytest.raises(StateUnreadable):
            await continues(room, after(seconds, count))
        await continues(room, count, "again")

    in_virtual_time(history())
    assert [NEWS] == said(room)


@pytest.mark.parametrize("seconds", [0, 3])
def test_logic_that_says_more_than_can_be_stored_is_its_callers_to_know(
    room_with: RoomWith, seconds: float
) -> None:
    """The user hears nothing, and nothing has changed."""

    async def say_much(context: TurnContext) -> None:
        state = ConversationState(storage_of(context))
        await state.create_property("told").set(context, 1)
        await state.save_changes(context)
        for _ in range(30):
            await context.send_activity("x" * 100_000)

    room = room_with(take)

    async def history() -> None:
        with pytest.raises(StateTooLarge):
            await continues(room, after(seconds, say_much))
        await until_quiet(room)
        await continues(room, count)

    in_virtual_time(history())
    assert [NEWS] == said(room)
