"""
Runs of the tests in processes of their own.

A process is forked from this one, which has imported the libraries already: a run of few tests
then takes a fraction of a second.
"""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

PYTEST_OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "--no-header", "--tb=no"),
    # The plugins are imported before pytest comes to it.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

BROKEN = 70
"""Exit status of a child in which not even pytest ran."""


class TestsDoNotRun(Exception):
    """Pytest ended with something else than failed tests."""


def in_child(
    run: Callable[[], int], limit_s: float | None = None, output: str = os.devnull
) -> int | None:
    """Return the exit status of `run` in a forked process. None: it took too long."""
    child = os.fork()
    if child == 0:
        status = BROKEN
        try:
            os.setsid()
            said = os.open(output, os.O_WRONLY | os.O_CREAT)
            os.dup2(said, 1)
            os.dup2(said, 2)
            status = run()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    until_s = None if limit_s is None else time.monotonic() + limit_s
    try:
        while True:
            ended, how = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(how)
            if until_s is not None and time.monotonic() > until_s:
                return None
            time.sleep(0.01)
    finally:
        # With what a test has started and not ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
