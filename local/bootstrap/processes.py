"""Programs that others wrote, each in a process group of its own."""

import contextlib
import os
import signal
import subprocess
import sys

STOP_TIMEOUT_S = 5.0


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """
    End a program that was started with `start_new_session=True`, and all that it started.

    It is asked to end (SIGTERM), and killed if it does not.
    """
    if sys.platform == "win32":
        process.kill()
    else:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
        _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


if sys.platform != "win32":

    def _signal_group(process: "subprocess.Popen[bytes]", number: int) -> None:
        # The whole group may have ended already.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
