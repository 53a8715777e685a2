"""Timers run functions as they do under Microsoft's Functions host."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local.functions_host.host_process import HostProcess
from local.node_services.emulators import Azurite
from tests.programs.programs import eventually
from tests.programs.triggers.blobs import HostBlobs
from tests.programs.triggers.conftest import StartHost
from tests.programs.triggers.functions import runs, write_timer_function

EACH_SECOND = "* * * * * *"
NEW_YEAR = "0 0 0 1 1 *"

TELLS = """
record(past_due=timer.past_due, status=timer.schedule_status, schedule=timer.schedule)
"""


@pytest.fixture
def blobs(azurite: Azurite) -> HostBlobs:
    """What is written down by this test's hosts."""
    return HostBlobs(azurite.connection_string, uuid4().hex)


class TestTimes:
    def test_a_timer_runs_its_function(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """At each time of its schedule, with a request that says whether it is late."""
        write_timer_function(root, EACH_SECOND, TELLS)

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) >= 2)

        seen = runs(root, "OnTimer")[0]
        assert (False, {}, {"AdjustForDST": True}) == (
            seen["past_due"],
            seen["status"],
            seen["schedule"],
        )
        host.shows("Executed 'Functions.OnTimer' (Succeeded, Id=")
        assert "Executing 'Functions.OnTimer' (Reason='Timer fired at 20" in host.output
        assert "The next 5 occurrences of the 'OnTimer' schedule (Cron: '* * * * * *')" in (
            host.output
        )

    def test_runs_do_not_overlap(self, root: Path, start_host: StartHost, blobs: HostBlobs) -> None:
        """A run that lasts longer than the period is followed by the next one."""
        code = "record(event='begins')\nawait asyncio.sleep(1.5)\nrecord(event='ends')"
        write_timer_function(root, EACH_SECOND, code)

        start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) >= 6)

        assert ["begins", "ends"] * 3 == [run["event"] for run in runs(root, "OnTimer")][:6]

    def test_a_run_that_raises_changes_nothing(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """It is logged, and the timer goes on; nothing is tried again."""
        write_timer_function(root, EACH_SECOND, "record()\nraise RuntimeError('its own')")

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) >= 2)

        host.shows("Executed 'Functions.OnTimer' (Failed, Id=")
        assert "RuntimeError: its own" in host.output

    def test_a_span_of_time_is_a_schedule(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """And a schedule may be a setting."""
        write_timer_function(root, "%TICK%", TELLS)

        start_host(root, settings={**blobs.settings, "TICK": "00:00:01"})
        eventually(lambda: len(runs(root, "OnTimer")) >= 2)

        assert {"AdjustForDST": False} == runs(root, "OnTimer")[0]["schedule"]

    def test_a_schedule_that_is_none_leaves_out_one_function(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """The log names the function and what is wrong; the others run."""
        write_timer_function(root, EACH_SECOND, TELLS)
        write_timer_function(root, "0 60 * * * *", TELLS, name="Sixty")

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) >= 1)

        host.shows("The 'Sixty' function is in error: its schedule is unusable: '60' is not")


class TestDowntime:
    def test_the_status_is_written_at_the_start(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """A timer that has never run begins with the year 1 for its last run."""
        write_timer_function(root, NEW_YEAR, TELLS)

        start_host(root, settings=blobs.settings)
        eventually(lambda: blobs.status() is not None)

        status = blobs.status() or {}
        assert "0001-01-01T00:00:00+00:00" == status["Last"]
        assert status["Next"].endswith("-01-01T00:00:00+00:00")
        assert [] == runs(root, "OnTimer")

    def test_missed_times_are_one_run(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """A host that was down over several times runs the function once, past due, at once."""
        last, missed = "2020-01-01T00:00:00.0000000+00:00", "2021-01-01T00:00:00+00:00"
        blobs.write_status(last, missed)
        write_timer_function(root, NEW_YEAR, TELLS)

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: (blobs.status() or {}).get("Next", missed) > missed)

        (seen,) = runs(root, "OnTimer")
        assert (True, missed) == (seen["past_due"], seen["status"]["Next"])
        assert "2020-01-01T00:00:00+00:00" == seen["status"]["Last"]
        host.shows("Function 'OnTimer' is past due on startup. Executing now.")
        assert f"UnscheduledInvocationReason: IsPastDue, OriginalSchedule: {missed}" in host.output

    def test_unless_nobody_remembers_them(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """Without useMonitor there is nothing to catch up with."""
        for name in ("OnTimer", "Forgets"):
            blobs.write_status("2020-01-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00", name)
        write_timer_function(root, NEW_YEAR, TELLS)
        write_timer_function(root, NEW_YEAR, TELLS, name="Forgets", useMonitor=False)

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) == 1)
        host.shows("occurrences of the 'Forgets' schedule")

        assert [] == runs(root, "Forgets")

    def test_another_schedule_is_not_past_due(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """A status that another schedule has left behind is replaced."""
        blobs.write_status("2020-01-01T00:00:00+00:00", "2020-01-02T00:00:00+00:00")
        write_timer_function(root, NEW_YEAR, TELLS)

        start_host(root, settings=blobs.settings)
        eventually(lambda: (blobs.status() or {})["Next"].endswith("-01-01T00:00:00+00:00"))

        assert [] == runs(root, "OnTimer")

    def test_a_function_may_run_at_each_start(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """With runOnStartup the first run does not wait for the schedule."""
        write_timer_function(root, NEW_YEAR, TELLS, runOnStartup=True)

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) == 1)

        assert not runs(root, "OnTimer")[0]["past_due"]
        assert "UnscheduledInvocationReason: RunOnStartup" in host.output


class TestDeath:
    def test_a_run_that_dies_with_its_worker_has_failed(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """The next worker counts it, and runs nothing until the next time of the schedule."""
        missed = "2021-01-01T00:00:00+00:00"
        blobs.write_status("2020-01-01T00:00:00+00:00", missed)
        other_has_run = f"os.path.exists({str(root / 'Rests' / 'runs')!r})"
        code = (
            f"record()\nwhile not {other_has_run}:\n    time.sleep(0.05)\nos.kill(os.getpid(), 9)"
        )
        write_timer_function(root, NEW_YEAR, code, runOnStartup=True)
        write_timer_function(root, NEW_YEAR, "record()", name="Rests", runOnStartup=True)

        host = start_host(root, settings=blobs.settings)
        eventually(lambda: (blobs.status() or {}).get("Next", missed) > missed)
        host.shows("Executed 'Functions.OnTimer' (Failed): its worker died.")

        assert (1, 1) == (len(runs(root, "OnTimer")), len(runs(root, "Rests")))


class TestHolder:
    def test_one_of_two_hosts_runs_it(
        self, root: Path, start_host: StartHost, blobs: HostBlobs
    ) -> None:
        """The other waits, and takes its place when it is killed."""
        write_timer_function(root, EACH_SECOND, "record()")
        holder = start_host(root, "--timer-lease-s=15", settings=blobs.settings)
        eventually(lambda: len(runs(root, "OnTimer")) >= 1)
        other = start_host(root, "--timer-lease-s=15", settings=blobs.settings)
        other.shows("The timer of 'OnTimer' waits: another host of this app runs it.")
        before = {run["pid"] for run in runs(root, "OnTimer")}

        os.killpg(holder.process.pid, signal.SIGKILL)
        eventually(lambda: len({run["pid"] for run in runs(root, "OnTimer")}) == 2)

        assert 1 == len(before)

    def test_processes_of_one_host_follow_each_other(
        self, root: Path, azurite: Azurite, host: HostProcess, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """When a source changes, the new process runs the timer in the old one's place."""
        eventually(lambda: len(runs(root, "OnTimer")) >= 1)

        host.restart()
        eventually(lambda: len({run["pid"] for run in runs(root, "OnTimer")}) == 2)
        host.restart()
        eventually(lambda: len({run["pid"] for run in runs(root, "OnTimer")}) == 3)

        shown = capfd.readouterr().out
        assert "waits: another host" not in shown
        assert "Host is shutting down" not in shown


@pytest.fixture
def host(root: Path, azurite: Azurite, blobs: HostBlobs) -> Iterator[HostProcess]:
    """A host whose process can be replaced, with a timer."""
    write_timer_function(root, EACH_SECOND, "record()")
    with HostProcess(root) as host:
        host.start({**blobs.settings, "AzureWebJobsStorage": azurite.connection_string})
        yield host
