"""`functionTimeout`, kept by the embedded host."""

import asyncio

import pytest

from local.functions_host.time_limit import TimeLimit

LIMIT_S = 0.05


async def test_what_takes_too_long_is_ended_and_nothing_else() -> None:
    """Each run has the whole time, whatever ran before it."""
    clock = asyncio.get_running_loop().time
    ended: list[tuple[str, float]] = []
    is_ended = asyncio.Event()

    def end(name: str, limit_s: float) -> None:
        ended.append((name, clock()))
        is_ended.set()

    limit = TimeLimit(LIMIT_S, end)
    await limit.keep("First", asyncio.sleep(0))
    await asyncio.sleep(LIMIT_S / 2)
    began_s = clock()
    await limit.keep("Second", is_ended.wait())

    ((name, ended_s),) = ended
    assert "Second" == name
    assert ended_s - began_s >= LIMIT_S


async def test_a_limit_holds_again_after_a_rest() -> None:
    """Nobody watches while nothing runs, and then somebody does again."""
    is_ended = asyncio.Event()
    limit = TimeLimit(LIMIT_S, lambda *_: is_ended.set())
    await limit.keep("First", asyncio.sleep(0))
    await asyncio.sleep(2 * LIMIT_S)

    assert await limit.keep("Second", is_ended.wait())


async def test_without_a_limit_a_run_may_take_its_time() -> None:
    """And its result is passed on."""
    assert "done" == await TimeLimit(None).keep("Slow", asyncio.sleep(LIMIT_S, "done"))


async def test_an_error_is_passed_on() -> None:
    """As if nobody watched."""

    async def fail() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await TimeLimit(LIMIT_S).keep("Fails", fail())
