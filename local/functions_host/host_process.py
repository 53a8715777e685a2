"""
The embedded host in a process of its own, replaced when the sources change.

The port stays open meanwhile: requests wait for the new process instead of failing.
"""

import contextlib
import math
import multiprocessing
import multiprocessing.resource_tracker
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self
from uuid import uuid4

from local.bootstrap.ports import listen
from local.functions_host.functions import FunctionApp
from local.functions_host.guard import Guard, lines
from local.functions_host.host import SHUTDOWN_TIMEOUT_S
from local.functions_host.host_names import HostNames
from local.functions_host.settings import LocalSettings
from local.functions_host.time_limit import RESTART_EXIT_CODE
from local.functions_host.triggers.options import STOPPED_EXIT_CODE, TriggerOptions
from local.functions_host.triggers.under_way import Left, UnderWay, Witness
from local.functions_host.worker import Assignment, Command, work

# The host itself waits that long for requests under way, and a moment to end.
STOP_TIMEOUT_S = SHUTDOWN_TIMEOUT_S + 2.0

# At the third death of a worker the Functions host gives up.
MAX_DEATHS = 3

# After so long without a death it has forgotten the earlier ones.
FORGOTTEN_AFTER_S = 30 * 60.0

# Neither forks the caller's threads nor inherits what it has imported; the same on Windows.
_spawn = multiprocessing.get_context("spawn")


class HostProcess:
    """Serves the function app in `root` on 127.0.0.1, from `start` to `close`."""

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        quiet: bool = False,
        names: HostNames = HostNames(),  # noqa: B008 (frozen)
        triggers: TriggerOptions = TriggerOptions(),  # noqa: B008 (frozen)
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Take the port; 0 stands for any free one. Connections wait until `start`.

        `quiet` logs errors only. Requests for other names than `names` are refused.

        Raises:
            LocalError: another program has the port.
        """
        self._root = root
        self._quiet = quiet
        self._names = names
        self._triggers = triggers
        self._instance = str(uuid4())
        self._environ: Mapping[str, str] = {}
        self._listener = listen(port)
        self._clock = clock
        self._deaths = 0
        self._died_at_s = -math.inf
        self._serving: _Worker | None = None
        self._leaving: _Worker | None = None
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def exit_code(self) -> int | None:
        """How the process ended by itself. None: it has not."""
        return None if self._serving is None else self._serving.process.exitcode

    def start(self, environ: Mapping[str, str]) -> None:
        """
        Start the process. `environ` wins over local.settings.json.

        Raises:
            LocalError: the settings, host.json or a function.json are unusable.
        """
        self._environ = environ
        self.restart()

    def restart(self) -> None:
        """
        Replace the process by a new one, which reads all files again.

        Raises:
            LocalError: as for `start`; the old process goes on.
        """
        self._deaths = 0
        self._replace()

    def revive(self) -> int | None:
        """
        Start a new process if the last one has ended by itself; return how that one ended.

        After the third death since `restart`, or where the Functions host itself would have
        stopped, none is started, and `gave_up` is true. After half an hour without a death the
        count begins again.

        Raises:
            LocalError: as for `start`.
        """
        ended = self.exit_code
        if ended is None:
            return None
        if ended == STOPPED_EXIT_CODE:
            self._deaths = MAX_DEATHS
        elif ended != RESTART_EXIT_CODE:
            is_forgotten = self._clock() - self._died_at_s > FORGOTTEN_AFTER_S
            self._deaths = 1 if is_forgotten else self._deaths + 1
            self._died_at_s = self._clock()
        left = self._serving.left() if self._serving else ()
        self.kill()
        if not self.gave_up:
            self._replace(left)
        return ended

    @property
    def gave_up(self) -> bool:
        """Whether processes have died so often that only a change can help."""
        return self._deaths >= MAX_DEATHS

    def _replace(self, left: tuple[Left, ...] | None = None) -> None:
        app = FunctionApp.read(self._root)
        environ = LocalSettings.read(self._root).over(self._environ)
        assignment = Assignment(
            app,
            environ,
            self._quiet,
            self._names,
            self._triggers,
            self._instance,
            guard=None,
            under_way=UnderWay(None),
            left=left,
        )
        if self._leaving is not None:
            self._leaving.stop()
        self._leaving = self._serving
        if self._leaving is not None:
            self._leaving.leave()
        self._serving = _Worker(assignment, self._listener)

    def stop(self) -> None:
        """End the process once requests under way are answered; new ones wait."""
        for worker in (self._serving, self._leaving):
            if worker is not None:
                worker.stop()
        self._serving = self._leaving = None

    def kill(self) -> None:
        """End the process at once, as SIGKILL does."""
        for worker in (self._serving, self._leaving):
            if worker is not None:
                worker.kill()
        self._serving = self._leaving = None

    def close(self) -> None:
        """Give the port back, and end the process once requests under way are answered."""
        self._listener.close()
        self.stop()


class _Worker:
    """One process, and the line to it."""

    def __init__(self, assignment: Assignment, listener: socket.socket) -> None:
        self._line, other_end = _spawn.Pipe()
        ours, theirs = lines() or (None, None)
        told, telling = _spawn.Pipe(duplex=False)
        assignment = replace(assignment, guard=theirs, under_way=UnderWay(telling))
        self.process = _spawn.Process(
            target=work, args=(assignment, listener, other_end), name="functions-host"
        )
        with _no_ctrl_c():
            self.process.start()
        # Held by nobody but the process, they are closed when that ends.
        other_end.close()
        telling.close()
        self._witness = Witness(told)
        if ours is not None and theirs is not None:
            theirs.close()
            Guard(ours)

    def left(self) -> tuple[Left, ...]:
        """Return what was under way in the process. It has ended."""
        self.process.join()
        return self._witness.left()

    def leave(self) -> None:
        """Return once the process accepts no more connections; it ends by itself."""
        with contextlib.suppress(OSError):  # it has ended already
            self._line.send(Command.LEAVE)
            if self._line.poll(STOP_TIMEOUT_S):
                return
        self.kill()

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(STOP_TIMEOUT_S)
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self._line.close()


@contextlib.contextmanager
def _no_ctrl_c() -> Iterator[None]:
    """
    Hold SIGINT back. A process that is started meanwhile does not get it either.

    Ctrl-C reaches all processes of a terminal, and this one has to be safe from it before it
    has run its first line.
    """
    if sys.platform == "win32":
        yield
        return
    # Started with the first process otherwise, it would let SIGINT through again.
    multiprocessing.resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
