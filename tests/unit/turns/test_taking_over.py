"""Bells: who takes a conversation over, and who rings again."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from botbuilder.core import Storage, TurnContext

from shared.bells.base import Bell
from shared.errors import (
    BotApplicationError,
    StateThrottled,
    StateTooLarge,
    StateUnavailable,
)
from shared.turns.limits import (
    LOOK_S,
    TRIES,
)
from tests.unit.turns.conftest import HOME, ROOM, Queue, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_slow_turns import begin, said, take

RoomWith = Callable[..., Room]


def test_a_message_that_kills_its_process_is_dropped(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """After three runs, with an apology and an error in the log; what is behind it runs."""
    rooms = [room_with(kill_or_take) for _ in range(TRIES + 1)]

    async def history() -> None:
        begin(rooms[0], "kill")
        await asyncio.sleep(2)
        await rooms[-1].hears("0 after")
        await until_quiet(rooms[-1])

    with caplog.at_level(logging.ERROR):
        in_virtual_time(history())
    assert ["Sorry, something went wrong here. Please try again.", "after 1"] == said(*rooms)
    assert [1, 1, 1, 1] == [room.runs for room in rooms]
    assert "have killed their process" in caplog.text


async def kill_or_take(context: TurnContext, storage: Storage) -> None:
    """Kill the process after three seconds, or take the message."""
    if context.activity.text != "kill":
        await take(context, storage)
        return
    await asyncio.sleep(3)
    room = ROOM.get()
    assert room is not None
    room.dies()
    await asyncio.sleep(1)


def test_a_bell_that_finds_no_store_rings_again(room_with: RoomWith, queue: Queue) -> None:
    """It raises nothing, which would make poison of it; it looks again later."""
    room = room_with(take)

    async def history() -> None:
        room.storage.faults[f"read {HOME}"] = [StateUnavailable("away")] * 10_000
        bell = Bell(HOME, "t", ("x", 5))
        queue.is_silent = True
        await room.bot.on_bell(bell)
        assert [(LOOK_S, bell)] == queue.rung

    in_virtual_time(history())


def test_a_bell_that_finds_neither_store_nor_queue_raises(
    room_with: RoomWith, queue: Queue
) -> None:
    """The last resort: the queue itself rings it again."""
    room = room_with(take)

    async def history() -> None:
        room.storage.faults[f"read {HOME}"] = [StateUnavailable("away")] * 10_000
        queue.is_away = True
        with pytest.raises(BotApplicationError):
            await room.bot.on_bell(Bell(HOME, "t"))

    in_virtual_time(history())


def test_a_bell_for_a_free_conversation_has_nothing_to_do(
    room_with: RoomWith, queue: Queue
) -> None:
    """Late ones, doubled ones, and those whose turn was fast after all."""
    room = room_with(take)

    async def history() -> None:
        await room.hears("0 hello")
        writes = len(room.storage.writes)
        await room.bot.on_bell(Bell(HOME, "t"))
        await room.bot.on_bell(Bell("test/conversations/nowhere", "t", ("x", 1)))
        assert (writes, []) == (len(room.storage.writes), queue.rung)

    in_virtual_time(history())


def test_two_bells_at_once_make_one_owner(room_with: RoomWith) -> None:
    """The queue may deliver one twice: one of them wins the conditional write."""
    one, two, three = (room_with(take) for _ in range(3))

    async def history() -> None:
        begin(one, "5 hello")
        await asyncio.sleep(2)
        pulse = (await one.home())["$turns"]["running"]["by"], 1
        one.dies()
        bell = Bell(HOME, "t", pulse)
        await asyncio.gather(two.begin(two.bot.on_bell(bell)), three.begin(three.bot.on_bell(bell)))
        await until_quiet(two)

    in_virtual_time(history())
    assert (1, ["hello 1"]) == (two.runs + three.runs, said(two, three))


def test_a_new_bell_is_rung_before_anything_slow(room_with: RoomWith, queue: Queue) -> None:
    """Whoever takes over and dies in that has left a bell."""
    one, two, three = (room_with(take) for _ in range(3))

    async def history() -> None:
        begin(one, "60 hello")
        await asyncio.sleep(2)
        one.dies()
        await asyncio.sleep(2 * LOOK_S)
        assert 1 == two.runs
        two.dies()
        await until_quiet(three)

    in_virtual_time(history())
    assert ["hello 1"] == said(three)


def test_a_take_over_without_a_queue_keeps_the_bell(room_with: RoomWith, queue: Queue) -> None:
    """It notes the present one as in charge, which comes again if nobody completes it."""
    one, two = room_with(take), room_with(take)
    watches = []

    async def history() -> None:
        begin(one, "20 hello")
        await asyncio.sleep(2)
        pulse = (await one.home())["$turns"]["running"]["by"], 1
        one.dies()
        queue.is_away = True
        task = two.begin(two.bot.on_bell(Bell(HOME, "kept", pulse)))
        await asyncio.sleep(3)
        watches.append((await two.home())["$turns"]["watch"])
        await task

    in_virtual_time(history())
    assert (["kept"], ["hello 1"]) == (watches, said(two))


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_bell_that_was_kept_does_not_end_before_the_work(
    room_with: RoomWith, queue: Queue, comes_back: bool
) -> None:
    """What its owner hands over has no other: it rings again, or is not completed."""
    one, two = room_with(take), room_with(take)
    outcomes: list[object] = []

    async def history() -> None:
        begin(one, "70 first")
        await asyncio.sleep(2)
        await one.hears("0 second")
        pulse = (await one.home())["$turns"]["running"]["by"], 1
        one.dies()
        queue.is_away = queue.is_silent = True
        task = two.begin(two.bot.on_bell(Bell(HOME, "kept", pulse)))
        await asyncio.sleep(60)
        queue.is_away = not comes_back
        queue.rung.clear()
        outcomes.extend(await asyncio.gather(task, return_exceptions=True))

    in_virtual_time(history())
    assert ["first 1"] == said(two)
    assert comes_back == ("kept" in {bell.token for _, bell in queue.rung})
    assert comes_back != isinstance(outcomes[0], BotApplicationError)


def test_a_take_over_that_the_store_refuses_is_not_tried_for_ever(
    room_with: RoomWith, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """Each process tries it more and more seldom; each sweep costs a bell, which ends at once."""
    one, two, three = room_with(take), room_with(take), room_with(take)
    sweeps = 60

    async def history() -> None:
        begin(one, "60 slow")
        await asyncio.sleep(2)
        one.dies()
        queue.rung.clear()
        two.storage.faults[f"write {HOME}"] = [StateTooLarge("no room")] * 1000
        for number in range(sweeps):
            await asyncio.sleep(60)
            await (two, three)[number % 2].bot.sweep()
            queue.rooms.reverse()
        two.storage.faults.clear()
        # Somebody has made it smaller.
        document = await two.home()
        await two.storage.write({HOME: document})
        await asyncio.sleep(60)
        await two.bot.sweep()
        await until_quiet(two)

    in_virtual_time(history())
    assert len(queue.rung) < 2 * sweeps
    assert caplog.text.count("cannot go on") < 30
    assert ["slow 1"] == said(one, two, three)


def test_a_take_over_that_takes_long_rings_again(room_with: RoomWith, queue: Queue) -> None:
    """Its new bell may have come before the write that it is for, and gone."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        begin(one, "20 hello")
        await asyncio.sleep(2)
        pulse = (await one.home())["$turns"]["running"]["by"], 1
        one.dies()
        queue.rung.clear()
        queue.is_silent = True
        two.storage.faults[f"write {HOME}"] = [StateThrottled("busy", retry_after_s=LOOK_S)]
        task = two.begin(two.bot.on_bell(Bell(HOME, "old", pulse)))
        await asyncio.sleep(LOOK_S + 2)
        watch = (await two.home())["$turns"]["watch"]
        assert 2 == [bell.token for _, bell in queue.rung].count(watch)
        await task

    in_virtual_time(history())
    assert ["hello 1"] == said(two)
