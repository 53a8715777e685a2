"""One fetch at a time, for all who want what it brings."""

import asyncio
import gc
import logging
import weakref

import pytest

from shared.channel.single_flight import SingleFlight


class Source:
    """Counts its fetches, each of which lasts until it is let through or fails."""

    def __init__(self) -> None:
        self.fetches = 0
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def fetch(self) -> None:
        self.fetches += 1
        await self.open.wait()
        if self.error:
            raise self.error


async def test_who_asks_while_a_fetch_is_under_way_joins_it() -> None:
    """And who asks after it has ended begins another one."""
    source = Source()
    flight = SingleFlight(source.fetch, "Nothing came")
    waiting = [asyncio.create_task(flight.join()) for _ in range(3)]
    await asyncio.sleep(0)
    under_way = [flight.is_under_way]
    source.open.set()
    await asyncio.gather(*waiting)
    await asyncio.sleep(0)
    under_way.append(flight.is_under_way)
    joined = source.fetches
    await flight.join()
    assert ([True, False], 1, 2) == (under_way, joined, source.fetches)


async def test_one_who_gives_up_does_not_end_it() -> None:
    """The others still get what they wait for."""
    source = Source()
    flight = SingleFlight(source.fetch, "Nothing came")
    impatient, patient = (asyncio.create_task(flight.join()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    source.open.set()
    await patient
    assert (True, 1) == (impatient.cancelled(), source.fetches)


async def test_a_fetch_in_the_background_fails_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody awaits it: the log tells its purpose, and asyncio has nothing to complain of."""
    source = Source()
    source.open.set()
    source.error = RuntimeError("down")
    flight = SingleFlight(source.fetch, "Nothing came")
    with caplog.at_level(logging.WARNING):
        await asyncio.wait([flight.start()])
        await asyncio.sleep(0)
    assert ["Nothing came: down"] == caplog.messages


def test_each_event_loop_has_a_fetch_of_its_own() -> None:
    """One loop cannot wait for the tasks of another, and a fetch that has ended is forgotten."""
    fetches = []

    async def fetch() -> None:
        fetches.append(asyncio.get_running_loop())
        await asyncio.sleep(0)

    flight = SingleFlight(fetch, "Nothing came")
    for _ in range(3):
        asyncio.run(flight.join())
    assert (3, False, True) == (len(set(map(id, fetches))), flight.is_under_way, not flight._tasks)


def test_a_fetch_of_another_event_loop_is_left_alone() -> None:
    """Whoever asks in that loop later still joins it."""
    fetches = []

    async def fetch() -> None:
        fetches.append(asyncio.get_running_loop())
        await asyncio.sleep(3600)

    flight = SingleFlight(fetch, "Nothing came")

    async def start() -> "asyncio.Task[None]":
        task = flight.start()
        await asyncio.sleep(0)
        return task

    with asyncio.Runner() as one, asyncio.Runner() as other:
        begun = one.run(start())
        other.run(start())
        joined = one.run(start())
    assert (True, 2) == (begun is joined, len(fetches))


def test_an_event_loop_that_was_closed_in_mid_fetch_is_let_go() -> None:
    """Its fetch never ends: it is not under way, and the next one elsewhere forgets the loop."""
    source = Source()
    flight = SingleFlight(source.fetch, "Nothing came")
    loop = asyncio.new_event_loop()
    # What asyncio says of the abandoned task is no news here.
    loop.set_exception_handler(lambda *_: None)

    async def start() -> None:
        flight.start()
        await asyncio.sleep(0)

    loop.run_until_complete(start())
    under_way = [flight.is_under_way]
    loop.close()
    under_way.append(flight.is_under_way)
    source.open = asyncio.Event()
    source.open.set()
    asyncio.run(flight.join())
    closed = weakref.ref(loop)
    del loop
    gc.collect()
    assert ([True, False], 2, None) == (under_way, source.fetches, closed())
