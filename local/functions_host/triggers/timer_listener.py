"""Runs a function whenever its timer fires, by the Functions host's rules."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from azure.functions.timer import TimerRequest

from local.functions_host.triggers.blobs import HostBlobs
from local.functions_host.triggers.runner import Runner
from local.functions_host.triggers.schedules import NEVER, Schedule
from local.functions_host.triggers.timer_status import TimerStatus
from local.functions_host.triggers.under_way import UnderWay
from local.functions_host.triggers.waiting import within

log = logging.getLogger("local.functions_host.triggers")

_OCCURRENCES = 5


class TimerListener:
    """
    One function and its timer.

    Of all hosts of the app one runs it: the one that holds a lease, which it renews when half of
    `lease_s` is over; the others try to get it every `lease_s` seconds.
    """

    def __init__(
        self,
        schedule: Schedule,
        runner: Runner,
        blobs: HostBlobs,
        lease_id: str,
        lease_s: int,
        under_way: UnderWay,
        *,
        died_in: datetime | None,
        follows_death: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        `lease_id` is this host's: processes that replace one another share it.

        `died_in` is the time of the run that has died with the last worker, if one has.
        """
        self._schedule = schedule
        self._runner = runner
        self._blobs = blobs
        self._lease_id = lease_id
        self._lease_s = lease_s
        self._under_way = under_way
        self._died_in = died_in
        self._follows_death = follows_death
        self._now = clock
        name = runner.function.name
        self._lock_blob = f"locks/{blobs.host_id}/Host.Functions.{name}.Listener"
        self._status_blob = f"timers/{blobs.host_id}/Host.Functions.{name}/status"
        self._is_monitored = (
            runner.function.binding.get("useMonitor", True) and schedule.is_monitored
        )

    async def listen(self, stop: asyncio.Event) -> None:
        """
        Run the function at its times until `stop`; return when no run is under way.

        Raises:
            AzureError: what would stop the Functions host: the lease is lost, or storage refuses.
        """
        if not await self._becomes_ours(stop):
            return
        times = asyncio.create_task(self._fire(stop))
        lease = asyncio.create_task(self._keep_lease())
        try:
            await asyncio.wait({times, lease}, return_when=asyncio.FIRST_COMPLETED)
            if lease.done():
                await lease
            await times
        finally:
            lease.cancel()
            times.cancel()

    async def close(self, *, is_replaced: bool) -> None:
        """Give the connections back, and the lease unless another process of this host has it."""
        if not is_replaced:
            await self._blobs.release(self._lock_blob, self._lease_id)
        await self._blobs.close()

    async def _becomes_ours(self, stop: asyncio.Event) -> bool:
        """Wait for the lease; return False if the stop came first."""
        waits = False
        while not stop.is_set():
            if await self._blobs.acquire(self._lock_blob, self._lease_id, self._lease_s):
                return True
            if not waits:
                log.info(
                    "The timer of '%s' waits: another host of this app runs it. This one tries "
                    "every %d seconds to take its place.",
                    self._runner.function.name,
                    self._lease_s,
                )
                waits = True
            await within(self._lease_s, stop)
        return False

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 2)
            await self._blobs.renew(self._lock_blob, self._lease_id)

    async def _fire(self, stop: asyncio.Event) -> None:
        name = self._runner.function.name
        now = self._now()
        status = await self._first_status(now)
        self._tell_occurrences(now)
        if status.next < now and self._is_monitored:
            log.info("Function '%s' is past due on startup. Executing now.", name)
            status = await self._run(status, now, is_past_due=True)
        elif self._runner.function.binding.get("runOnStartup", False) and not self._follows_death:
            log.info("Function '%s' is configured to run on startup. Executing now.", name)
            status = await self._run(status, now, is_startup=True)
        while not await within((status.next - self._now()).total_seconds(), stop):
            status = await self._run(status, self._now())

    async def _first_status(self, now: datetime) -> TimerStatus:
        if self._died_in is not None:
            log.error(
                "Executed 'Functions.%s' (Failed): its worker died.", self._runner.function.name
            )
            return await self._after_run(self._died_in)
        if not self._is_monitored:
            return TimerStatus.at_first(self._schedule, now)
        content = await self._blobs.read(self._status_blob)
        found = TimerStatus.from_json(content) if content else None
        status = (
            found.after_downtime(self._schedule, now)
            if found
            else TimerStatus.at_first(self._schedule, now)
        )
        if status != found:
            await self._blobs.write(self._status_blob, status.to_json())
        return status

    async def _run(
        self,
        status: TimerStatus,
        now: datetime,
        *,
        is_past_due: bool = False,
        is_startup: bool = False,
    ) -> TimerStatus:
        """Run the function, whatever comes of it; return how the timer stands then."""
        details = ""
        if is_past_due:
            due = status.next.isoformat()
            details = f"UnscheduledInvocationReason: IsPastDue, OriginalSchedule: {due}"
        elif is_startup:
            details = "UnscheduledInvocationReason: RunOnStartup"
        request = TimerRequest(
            past_due=is_past_due,
            schedule_status=status.as_dict() if self._is_monitored else None,
            schedule={"AdjustForDST": self._schedule.adjusts_for_dst},
        )
        # A timer may fire a little early. Counted from then, its next time would be the same.
        is_regular = not (is_past_due or is_startup)
        ran_at = max(now, status.next) if is_regular else now
        with self._under_way.run(self._runner.function.name, "", ran_at):
            await self._runner.run(request, f"Timer fired at {now.isoformat()}", details)
            return await self._after_run(ran_at)

    async def _after_run(self, ran_at: datetime) -> TimerStatus:
        status = TimerStatus.after_run(self._schedule, ran_at)
        if self._is_monitored:
            await self._blobs.write(self._status_blob, status.to_json())
        return status

    def _tell_occurrences(self, now: datetime) -> None:
        times = [now]
        while len(times) <= _OCCURRENCES and times[-1] < NEVER:
            times.append(self._schedule.next_after(times[-1]))
        log.info(
            "The next %d occurrences of the '%s' schedule (%s) will be:%s",
            _OCCURRENCES,
            self._runner.function.name,
            self._schedule,
            "".join(f" {time:%Y-%m-%d %H:%M:%S}Z" for time in times[1:]),
        )
