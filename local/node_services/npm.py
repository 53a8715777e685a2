"""
Programs from npm: installed once, each run in a process group of its own.

Standard library only: `dev.py` and the tests use this before anything else is there.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Self

from local.bootstrap.errors import LocalError
from local.bootstrap.file_lock import lock
from local.bootstrap.ports import is_free
from local.bootstrap.processes import end_group

FOLDER = Path(__file__).resolve().parent
NODE_MODULES = FOLDER / "node_modules"
# Inside the folder, so that deleting the folder deletes this claim too.
_STAMP = NODE_MODULES / ".installed-lock-sha256"
# Next to it: `npm ci` deletes all that is inside.
_LOCK = FOLDER / ".install-lock"
_PRELOADED = (FOLDER / "exit-with-parent.cjs", FOLDER / "loopback-only.cjs")

START_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.02


class LocalServiceError(LocalError):
    """A local service cannot run."""


def npm_packages_are_installed() -> bool:
    """Tell whether exactly what `package-lock.json` names has been installed."""
    return _STAMP.exists() and _STAMP.read_text() == _lock_hash()


def install_npm_packages(progress: Callable[[str], None]) -> None:
    """
    Install what `package-lock.json` names, unless exactly that is installed already.

    `progress` is called with one line whenever there is something to tell.
    """
    if npm_packages_are_installed():
        return
    # One installation at a time: `npm ci` begins by deleting what another has installed.
    with lock(_LOCK, lambda: progress("Another process is installing from npm; waiting for it")):
        if not npm_packages_are_installed():
            _install(progress)


def _install(progress: Callable[[str], None]) -> None:
    npm = _program("npm")
    progress("Installing the local services from npm (once, about 250 MB)")
    outcome = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        told = [line.removeprefix("npm error ") for line in outcome.stderr.splitlines() if line]
        raise LocalServiceError(
            f"npm could not install the local services ({told[0] if told else 'no reason given'})"
            "; check the network, or run `npm ci` in local/node_services to see more."
        )
    _STAMP.write_text(_lock_hash())


class NodeService:
    """A Node program in a process group of its own, from `start` to `stop`."""

    name: str
    script: Path
    environ: ClassVar[dict[str, str]] = {}
    """What is added to the environment of the program that starts it."""

    def __init__(self, arguments: list[str], ports: list[int]) -> None:
        """`ports` must be free at `start`; 0 stands for any."""
        self._arguments = arguments
        self._ports = ports
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start the program and return once it listens.

        Raises:
            LocalServiceError: Node or the npm packages are missing, a port is taken, or the
                program ended or stayed silent.
        """
        node = _program("node")
        if not self.script.exists() or not NODE_MODULES.exists():
            raise LocalServiceError(
                f"{self.name} is not installed; run `npm ci` in local/node_services."
            )
        for port in self._ports:
            _require_free(port, self.name)
        self._folder = TemporaryDirectory(prefix="local-service-", ignore_cleanup_errors=True)
        # A file and not a pipe: nobody has to read it for the program to go on.
        output = Path(self._folder.name) / "output"
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                [
                    node,
                    *(f"--require={script}" for script in _PRELOADED),
                    self.script,
                    *self._arguments,
                ],
                cwd=self._folder.name,
                env={**os.environ, **self.environ},
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches only the starter, which then stops it.
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process, output)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the program and all it started. Does nothing if it is not running."""
        if self._process is not None:
            end_group(self._process)
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def listens(self, output: str) -> bool:
        """Tell whether a program that has printed this is ready, and note the ports it took."""
        raise NotImplementedError

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.listens(output.read_text(errors="replace")):
            if process.poll() is not None:
                told = output.read_text(errors="replace").strip().splitlines()
                raise LocalServiceError(
                    f"{self.name} did not start: {told[-1] if told else 'it gave no reason'}"
                )
            if time.monotonic() > deadline_s:
                raise LocalServiceError(
                    f"{self.name} did not start within {START_TIMEOUT_S:.0f} seconds; "
                    "is the machine overloaded?"
                )
            time.sleep(POLL_INTERVAL_S)


def _lock_hash() -> str:
    return hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise LocalServiceError(
            f"'{name}' is not on the PATH; install Node 20 or newer, which brings it."
        )
    return path


def _require_free(port: int, name: str) -> None:
    if not is_free(port):
        raise LocalServiceError(
            f"{name} cannot use port {port}, which another program has taken; stop that program, "
            "or choose another port."
        )
