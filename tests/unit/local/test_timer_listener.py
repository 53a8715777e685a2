"""When a timer runs its function, and how a host keeps the others from running it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from local.functions_host.triggers.schedules import schedule
from local.functions_host.triggers.timer_listener import TimerListener
from local.functions_host.triggers.timer_status import TimerStatus
from local.functions_host.triggers.under_way import UnderWay
from tests.simulation.loop import SimulatedLoop

START = datetime(2026, 11, 29, 9, 0, 30, tzinfo=UTC)
LEASE_S = 60


class LeaseLost(Exception):
    """Another host has it."""


class FakeBlobs:
    """Blobs in memory that answer at once."""

    host_id = "host"

    def __init__(self) -> None:
        self.lease_free_at_s = 0.0
        self.lease_lost_at_s = float("inf")
        self.tried: list[float] = []
        self.renewed: list[float] = []
        self.written: list[TimerStatus | None] = []
        self.left: TimerStatus | None = None
        """How the timer stands when the host starts."""
        self.is_released = False

    async def acquire(self, name: str, lease_id: str, lease_s: int) -> bool:
        self.tried.append(_now_s())
        return _now_s() >= self.lease_free_at_s

    async def renew(self, name: str, lease_id: str) -> None:
        if _now_s() >= self.lease_lost_at_s:
            raise LeaseLost
        self.renewed.append(_now_s())

    async def read(self, name: str) -> bytes | None:
        return self.left.to_json() if self.left else None

    async def release(self, name: str, lease_id: str) -> None:
        self.is_released = True

    async def close(self) -> None:
        """Do nothing."""

    async def write(self, name: str, content: bytes) -> None:
        self.written.append(TimerStatus.from_json(content))


class FakeRunner:
    """Its first run takes a while, the others no time."""

    def __init__(self, first_run_s: float, binding: dict[str, object]) -> None:
        self.function = SimpleNamespace(name="OnTimer", binding=binding)
        self.began: list[float] = []
        self._first_run_s = first_run_s

    async def run(self, argument: Any, reason: str, details: str = "") -> bool:
        self.began.append(round(_now_s(), 3))
        if len(self.began) == 1:
            await asyncio.sleep(self._first_run_s)
        return True


@pytest.fixture
def blobs() -> FakeBlobs:
    """With a lease that is free."""
    return FakeBlobs()


def play(
    blobs: FakeBlobs,
    cron: str,
    for_s: float,
    *,
    first_run_s: float = 0.0,
    clock: Callable[[], datetime] | None = None,
    is_replaced: bool = False,
    **binding: object,
) -> list[float]:
    """Listen for so long, in no time at all; return when runs have begun, in seconds."""
    kept: Any = blobs
    runner: Any = FakeRunner(first_run_s, binding)
    listener = TimerListener(
        schedule(cron),
        runner,
        kept,
        "lease",
        LEASE_S,
        UnderWay(None),
        died_in=None,
        follows_death=False,
        clock=clock or _exact,
    )

    async def listen() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(for_s, stop.set)
        await listener.listen(stop)
        await listener.close(is_replaced=is_replaced)

    with suppress(LeaseLost):
        SimulatedLoop(Random(0)).run(listen())
    began: list[float] = runner.began
    return began


def test_a_timer_fires_at_the_times_of_its_schedule(blobs: FakeBlobs) -> None:
    """And what is written of it says so."""
    assert [30.0, 90.0] == play(blobs, "0 * * * * *", 100.0)

    lasts = [status.last for status in blobs.written if status]
    assert [START + timedelta(seconds=after_s) for after_s in (30, 90)] == lasts[1:]


def test_a_clock_that_is_slow_fires_no_timer_twice(blobs: FakeBlobs) -> None:
    """A run that begins a little early is that of the time to come."""
    began = play(blobs, "* * * * * *", 5.5, clock=lambda: _exact() - _drift())

    assert [1.0, 2.0, 3.0, 4.0, 5.0] == [round(each, 1) for each in began]


def test_what_a_long_run_has_missed_is_one_run_at_its_end(blobs: FakeBlobs) -> None:
    """Then comes the schedule again."""
    assert [1.0, 4.5, 5.0, 6.0] == play(blobs, "* * * * * *", 6.5, first_run_s=3.5)


def test_what_is_past_due_at_the_start_is_one_run(blobs: FakeBlobs) -> None:
    """With runOnStartup too."""
    blobs.left = TimerStatus(
        START.replace(hour=8, minute=0, second=0), START.replace(hour=8, minute=1, second=0), START
    )

    assert [0.0, 30.0] == play(blobs, "0 * * * * *", 35.0, runOnStartup=True)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_the_lease_is_given_back_at_the_end(blobs: FakeBlobs, is_replaced: bool) -> None:
    """Unless another process of the same host goes on with it."""
    play(blobs, "0 * * * * *", 5.0, is_replaced=is_replaced)

    assert blobs.is_released is not is_replaced


def test_the_lease_is_renewed_when_half_of_it_is_over(blobs: FakeBlobs) -> None:
    """In a long run too."""
    play(blobs, "0 * * * * *", 125.0, first_run_s=80.0)

    assert [0.0] == blobs.tried
    assert [30.0, 60.0, 90.0, 120.0] == blobs.renewed


def test_another_host_tries_to_take_its_place_once_a_lease(blobs: FakeBlobs) -> None:
    """Until then it runs nothing."""
    blobs.lease_free_at_s = 100.0

    began = play(blobs, "0 * * * * *", 160.0)

    assert [0.0, 60.0, 120.0] == blobs.tried
    assert [150.0] == began


def test_what_runs_at_the_start_runs_at_a_take_over_too(blobs: FakeBlobs) -> None:
    """But not on a host that waits for the lease."""
    blobs.lease_free_at_s = 100.0

    assert [120.0, 150.0] == play(blobs, "0 * * * * *", 160.0, runOnStartup=True)


def test_who_loses_the_lease_stops(blobs: FakeBlobs) -> None:
    """The timer is another's then."""
    blobs.lease_lost_at_s = 50.0

    assert [30.0] == play(blobs, "0 * * * * *", 600.0)


def _exact() -> datetime:
    return START + timedelta(seconds=_now_s())


def _drift() -> timedelta:
    return timedelta(seconds=_now_s() / 1000)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
