"""
The virtual environment `.venv` of this project: made and filled when first needed.

Standard library only: this runs before anything is installed.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.bootstrap.console import Console, Progress
from local.bootstrap.errors import LocalError
from local.bootstrap.file_lock import try_to_lock

# What the deployed function needs does for `start` and `chat` as well; the tests' includes it.
APP_REQUIREMENTS = "requirements.txt"
TEST_REQUIREMENTS = "tests/requirements.txt"
_LEVELS = (APP_REQUIREMENTS, TEST_REQUIREMENTS)

_OLDEST_PYTHON = (3, 11)
_LOCK_INTERVAL_S = 0.2

# What pip and uv print, by cause.
_DISK_FULL = ("No space left on device", "Errno 28", "os error 28", "os error 112")
_NO_NETWORK = (
    "name resolution",
    "NameResolutionError",
    "NewConnectionError",
    "ConnectTimeoutError",
    "ProxyError",
    "dns error",
    "client error (Connect)",
    "Could not fetch URL",
)


class Environment:
    """`.venv` in the project's folder. It holds what the requirements files say, no more."""

    def __init__(self, root: Path, console: Console) -> None:
        self._root = root
        self._console = console
        self.folder = root / ".venv"
        windows = sys.platform == "win32"
        self.python = self.folder / ("Scripts/python.exe" if windows else "bin/python")
        self._site_packages = "Lib/site-packages" if windows else "lib/python{}/site-packages"
        # In the folder: whoever deletes that deletes the claim with it.
        self._stamp = self.folder / ".installed-requirements.json"
        # Not needed, but it installs in a fraction of the time.
        self._uv = shutil.which("uv")

    def prepare(self, requirements: str) -> None:
        """
        Install what the requirements file names, unless exactly that is installed.

        Raises:
            LocalError: it cannot. A later call goes on from there.
        """
        self.check()
        if self.holds(requirements):
            return
        self._require_venv_module()
        try:
            self.folder.mkdir(exist_ok=True)
            with self._lock(), self._console.progress() as progress:
                if not self.holds(requirements):
                    self._create(progress)
                    self._install(requirements, progress)
        except OSError as error:
            raise LocalError(f"{self.folder} cannot be written: {error.strerror}.") from error

    def holds(self, requirements: str) -> bool:
        """Tell whether exactly that file has been installed, to its end."""
        return self._installed().get(requirements) == self._hash(requirements)

    def check(self) -> None:
        """Raise LocalError for a `.venv` that does not work any more; a missing one is fine."""
        if not self.python.exists() and not self.python.is_symlink():
            return
        try:
            version = subprocess.check_output(
                [self.python, "-IS", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                stderr=subprocess.DEVNULL,
                text=True,
            ).strip()
        except (OSError, subprocess.CalledProcessError):
            raise self._unusable("was made by a Python that is gone") from None
        if tuple(map(int, version.split("."))) < _OLDEST_PYTHON:
            raise self._unusable(f"was made by Python {version}, which is too old")
        if not (self.folder / self._site_packages.format(version)).is_dir():
            raise self._unusable(f"was made by another Python than {version}, which it runs now")

    def _unusable(self, why: str) -> LocalError:
        return LocalError(f"{self.folder} {why}; delete that folder and run the command again.")

    def _require_venv_module(self) -> None:
        # Debian and Ubuntu ship `venv` without `ensurepip`, which it needs.
        if self._uv or all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
            return
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise LocalError(
            "This Python cannot make virtual environments; install what is missing "
            f"(on Debian and Ubuntu: sudo apt install {package}) and run the command again."
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # One installation at a time: the first two commands may be typed in two terminals.
        # (`.lock` would be uv's own.)
        with (self.folder / ".install-lock").open("w") as file:
            if not try_to_lock(file):
                self._console.say("Another dev.py is installing; waiting for it ...")
                while not try_to_lock(file):
                    time.sleep(_LOCK_INTERVAL_S)
            yield

    def _create(self, progress: Progress) -> None:
        if not self.python.exists():
            tool = [sys.executable, "-m", "venv"]
            if self._uv:
                tool = [self._uv, "venv", "--allow-existing", "--python", sys.executable]
            self._run([*tool, str(self.folder)], "Making .venv", progress)
        elif not self._uv and not self._has_pip():
            # It was made by uv, or not to its end.
            self._run([str(self.python), "-m", "ensurepip"], "Adding pip to .venv", progress)

    def _has_pip(self) -> bool:
        command = [str(self.python), "-c", "import pip"]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def _install(self, requirements: str, progress: Progress) -> None:
        self._stamp.unlink(missing_ok=True)
        tool = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install"]
        tool += ["--retries=2", "--no-input", "--progress-bar=off"]
        if self._uv:
            tool = [self._uv, "pip", "install", "--python", str(self.python)]
        count = sum("==" in line for line in self._path(requirements).read_text().splitlines())
        self._run(
            [*tool, "--require-hashes", "-r", requirements],
            f"Installing {count} packages into .venv (once)",
            progress,
        )
        included = _LEVELS[: _LEVELS.index(requirements) + 1]
        self._stamp.write_text(json.dumps({each: self._hash(each) for each in included}))

    def _run(self, command: list[str], task: str, progress: Progress) -> None:
        progress.show(task)
        lines: list[str] = []
        # A user's configuration may ask for --user, which a virtual environment refuses.
        environ = {**os.environ, "PIP_USER": "0"}
        process = subprocess.Popen(
            command,
            cwd=self._root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                if not line.startswith("WARNING"):
                    progress.show(task, line.strip())
            exit_code = process.wait()
        finally:
            process.kill()
            process.wait()
        if exit_code:
            raise _failure(task, lines)

    def _installed(self) -> dict[str, str]:
        try:
            installed = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return {}
        return installed if isinstance(installed, dict) else {}

    def _hash(self, requirements: str) -> str:
        try:
            return hashlib.sha256(self._path(requirements).read_bytes()).hexdigest()
        except FileNotFoundError as error:
            raise LocalError(
                f"{error.filename} is missing; run this in a complete checkout."
            ) from None

    def _path(self, requirements: str) -> Path:
        return self._root / requirements


def _failure(task: str, lines: list[str]) -> LocalError:
    output = "\n".join(lines)
    if any(sign in output for sign in _DISK_FULL):
        return LocalError("The disk is full; make room (1 GB) and run the command again.")
    if any(sign in output for sign in _NO_NETWORK):
        return LocalError(
            "The packages could not be downloaded; check the network (behind a proxy, set "
            "HTTPS_PROXY) and run the command again."
        )
    tail = "\n".join(lines[-15:])
    return LocalError(f"{tail}\n{task} failed; the lines above say why.")
