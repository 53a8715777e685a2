"""
Instances of the bot: host processes that are started, spoken to over HTTP, and killed.

There are two kinds of host: the one that runs on a developer's machine, and Microsoft's
Python runtime, which runs in Azure. Both serve the same folder of functions.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from shared.settings import CosmosSettings
from tests.end_to_end.deployment import ROOT

START_TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 0.05


@dataclass(frozen=True)
class Host:
    """A command that serves a folder of functions, to which folder and port are to be added."""

    command: tuple[str | Path, ...]
    options: tuple[str, ...] = ()
    """What stands behind folder and port."""


EMBEDDED_HOST = Host((sys.executable, "-m", "tests.end_to_end.embedded_host"))

IMPATIENT_HOST = Host(EMBEDDED_HOST.command, ("--hidden-s", "30", "--timer-lease-s", "15"))
"""
The same, but what a dead process has left is not hidden for as long as in Azure: ten minutes
for a bell that it was about to answer, and one for its timers.
"""


def microsofts_runtime(python: Path) -> Host:
    """Return the host that calls Microsoft's runtime library, which `python` has installed."""
    return Host((python, "-m", "tests.end_to_end.functions_runtime"))


def settings_for(cosmos: CosmosSettings) -> dict[str, str]:
    """Return the settings of instances that keep their state there."""
    return {
        "CosmosDbEndpoint": cosmos.endpoint,
        "CosmosDbDatabaseId": cosmos.database_id,
        "CosmosDbContainerId": cosmos.container_id,
        "CosmosDbKey": cosmos.key,
        "CosmosDbVerifyTls": str(cosmos.verify_tls),
    }


class Instance:
    """One running host process, from `start` to `kill`."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
        self._process = process
        self.pid = process.pid
        self._port = port
        self._output = output
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/api/messages"
        """Where it takes activities."""

    @classmethod
    def start(cls, host: Host, app: Path, output: Path, settings: Mapping[str, str]) -> Self:
        """
        Start a process that serves the folder `app`, and return once it listens.

        Raises:
            RuntimeError: it ended or did not listen within `START_TIMEOUT_S`.
        """
        port = _free_port()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*host.command, app, str(port), *host.options],
                cwd=ROOT,
                env={**_environment(), **settings},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                # A process group of its own: what it starts dies with it.
                start_new_session=True,
            )
        instance = cls(process, port, output)
        try:
            instance._wait_until_it_listens()
        except BaseException:
            instance.kill()
            raise
        return instance

    def kill(self) -> None:
        """End it at once, as a machine that fails does: nothing in it can react."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to end, as a machine does that is about to be taken away."""
        self._process.terminate()

    def listens(self) -> bool:
        """Tell whether it takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except OSError:
            return False
        return True

    def pause(self) -> None:
        """Let nothing in it happen until `resume`, as a machine that is frozen or starved."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on as if no time had passed."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def printed(self) -> str:
        """Return all that it has printed so far: its log."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def _wait_until_it_listens(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if self.listens():
                return
            time.sleep(_POLL_INTERVAL_S)
        raise RuntimeError(
            f"The host does not listen on port {self._port}. It printed:\n{self.printed()}"
        )


class Instances:
    """Starts instances of one app on one host, and kills those left when the block ends."""

    def __init__(self, host: Host, app: Path, folder: Path) -> None:
        """What they print goes to files in `folder`."""
        self._host = host
        self._app = app
        self._folder = folder
        self._started: list[Instance] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for instance in self._started:
            instance.kill()
            # pytest shows it beside a test that failed.
            sys.stdout.write(instance.printed())

    def printed(self) -> str:
        """Return the logs of all of them, one after the other."""
        return "".join(instance.printed() for instance in self._started)

    def start(self, settings: Mapping[str, str] | None = None) -> Instance:
        """Start one more with these settings beside those of a developer's machine."""
        output = self._folder / f"instance-{len(self._started)}.log"
        self._started.append(Instance.start(self._host, self._app, output, settings or {}))
        return self._started[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """Return this process's environment without what could reach the bot by accident."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "PYTHONUNBUFFERED": "1",
    }
