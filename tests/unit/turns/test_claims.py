"""A slow turn is written down before anybody else can run it, and committed once."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.errors import (
    StateUnavailable,
)
from shared.turns.limits import (
    LOOK_S,
)
from tests.unit.turns.conftest import Queue, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


def test_a_claim_whose_answer_was_lost_is_found(room_with: RoomWith) -> None:
    """The run goes on, once."""
    room = room_with(take)
    write = room.storage._inner.write

    async def lose(changes: dict[str, Any]) -> None:
        room.storage._inner.write = write
        await write(changes)
        raise StateUnavailable("lost")

    async def history() -> None:
        room.storage._inner.write = lose
        await room.hears("5 hello")

    in_virtual_time(history())
    assert (["hello 1"], 1) == (said(room), room.runs)


def test_a_commit_goes_over_what_was_appended_meanwhile(room_with: RoomWith) -> None:
    """An append changes the ETag and not the state: the bot does not run again."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        first = begin(one, "8.0001 first")
        for number in range(40):
            await asyncio.sleep(0.2)
            if number > 8:
                await two.hears(f"0 m{number}")
        await first
        await until_quiet(one)

    in_virtual_time(history())
    assert (1 + 31, 0) == (one.runs, two.runs)


def test_a_claim_that_took_long_rings_again(room_with: RoomWith, queue: Queue) -> None:
    """Its bell may have come before it, and found nothing to do."""
    room = room_with(take)
    write = room.storage._inner.write

    async def be_slow(changes: dict[str, Any]) -> None:
        room.storage._inner.write = write
        await asyncio.sleep(10.5)
        await write(changes)

    async def history() -> None:
        room.storage._inner.write = be_slow
        await room.hears("30 hello")
        await asyncio.sleep(1)
        assert 2 == len(queue.rung)
        await until_quiet(room)

    in_virtual_time(history())
    assert ["hello 1"] == said(room)


def test_a_bell_is_in_charge_from_the_write_after_the_claim_on(
    room_with: RoomWith, queue: Queue
) -> None:
    """The claim itself promises none: the bell may be gone by the time it is stored."""
    room = room_with(take)
    watches = []

    async def history() -> None:
        begin(room, "20 hello")
        for _ in range(2):
            await asyncio.sleep(4)
            watches.append((await room.home())["$turns"].get("watch"))
        await until_quiet(room)

    in_virtual_time(history())
    assert [None, queue.rung[0][1].token] == watches


def test_few_bells_look_after_many_messages(room_with: RoomWith, queue: Queue) -> None:
    """Who is accepted rings only where no bell is in charge."""
    room = room_with(take)

    async def history() -> None:
        begin(room, "100 slow")
        await asyncio.sleep(7)
        for number in range(50):
            await room.hears(f"0 m{number}")
        await until_quiet(room)

    in_virtual_time(history())
    assert len(queue.rung) <= 100 / LOOK_S + 4


def test_a_queue_that_is_away_keeps_nobody_from_anything(room_with: RoomWith, queue: Queue) -> None:
    """Messages are accepted and run; a bell is rung as soon as there is a queue again."""
    room = room_with(take)

    async def history() -> None:
        queue.is_away = True
        first = begin(room, "40 first")
        await asyncio.sleep(3)
        assert await answered(room, "0 second") < 1
        await asyncio.sleep(10)
        queue.is_away = False
        await asyncio.sleep(6)
        assert 1 == len(queue.rung)
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["first 1", "second 2"] == said(room)
