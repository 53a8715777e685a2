"""Owners that leave what they have not begun to others."""

import asyncio
from collections.abc import Callable

from shared.turns.limits import AFTERWARDS_S, CLAIM_S, HAND_OVER_S
from tests.unit.turns.conftest import Queue, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_slow_turns import begin, said, take

RoomWith = Callable[..., Room]


def test_a_long_inbox_is_handed_over(room_with: RoomWith, queue: Queue) -> None:
    """No owner runs for much longer than a minute and a turn; the next one begins at once."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "25 m0")
        await asyncio.sleep(2)
        for number in range(1, 5):
            await room.hears(f"25 m{number}")
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert [f"m{n} {n + 1}" for n in range(5)] == said(room)
    assert AFTERWARDS_S in [delay for delay, _ in queue.rung]
    assert 25 * 2 < HAND_OVER_S < 25 * 3


def test_a_process_that_is_about_to_stop_hands_over(room_with: RoomWith) -> None:
    """What runs there runs elsewhere at once, not after a lease, and loses no try by it."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        begin(one, "30 first")
        await asyncio.sleep(5)
        one.bot.leave()
        await asyncio.sleep(CLAIM_S + 0.5)
        assert not one.bot.is_busy
        one.dies()
        await asyncio.sleep(AFTERWARDS_S + 0.5)
        assert 1 == two.runs
        assert 1 == (await two.home())["$turns"]["inbox"][0]["tries"]
        await until_quiet(two)

    in_virtual_time(history())
    assert (["first 1"], []) == (said(two), said(one))


def test_a_process_that_is_about_to_stop_sends_its_replies_to_the_end(room_with: RoomWith) -> None:
    """Nothing is said twice for it."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s = 3

    async def history() -> None:
        first = begin(one, "0 first")
        await asyncio.sleep(1)
        one.bot.leave()
        await first
        assert not one.bot.is_busy
        one.dies()
        await until_quiet(two)

    in_virtual_time(history())
    assert (["first 1"], []) == (said(one), said(two))
