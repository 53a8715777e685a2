"""A time limit tells an answer that is late from one that could not be read."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from shared.connections.time_limit import LATE_S, SECOND_LOOK_S, TimeLimit

LIMIT_S = 0.01


def block() -> None:
    """Compute for longer than the limit, as a bot may."""
    time.sleep(LIMIT_S + 3 * LATE_S)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    here, there = socket.socketpair()
    yield here, there
    here.close()
    there.close()


async def test_what_arrived_while_the_loop_was_blocked_is_in_time(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """It has been there for long when the timer fires."""
    reader, writer = await asyncio.open_connection(sock=pair[0])
    async with TimeLimit.after(LIMIT_S):
        reading = asyncio.create_task(reader.readline())
        await asyncio.sleep(0)
        pair[1].sendall(b"answer\n")
        block()
        answer = await reading
    writer.close()
    assert b"answer\n" == answer


async def test_what_takes_some_rounds_of_the_loop_is_in_time_too() -> None:
    """An answer goes through a few hands before the one who waits for it has it."""
    async with TimeLimit.after(LIMIT_S):
        block()
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.mark.parametrize("do", [block, lambda: None])
async def test_time_is_up_in_the_end(do: Callable[[], None]) -> None:
    """Whether the loop was blocked or not."""

    async def wait() -> None:
        async with TimeLimit.after(LIMIT_S):
            do()
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await wait()


async def test_the_limit_is_a_time_of_the_loops_clock() -> None:
    """One that has passed ends what waits."""
    with pytest.raises(TimeoutError):
        async with TimeLimit(asyncio.get_running_loop().time() - 1):
            await asyncio.sleep(60)


async def test_somebody_elses_cancellation_stays_one() -> None:
    """Only its own becomes a TimeoutError."""

    async def wait() -> None:
        async with TimeLimit.after(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_fires_after_the_end() -> None:
    """Neither the timer nor the second look cancels what comes after."""
    async with TimeLimit.after(LIMIT_S):
        block()
        await asyncio.sleep(SECOND_LOOK_S / 10)
    await asyncio.sleep(2 * SECOND_LOOK_S)
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]
