"""
Virtual environments: `.venv` for this project, and others apart from it. Made when first needed.

Standard library only: this runs before anything is installed.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from local.bootstrap.console import Console, Progress
from local.bootstrap.errors import LocalError
from local.bootstrap.file_lock import lock

# `start` and `chat` need no more than the deployed function; the tests' file includes that.
APP_REQUIREMENTS = "requirements.txt"
TEST_REQUIREMENTS = "tests/requirements.txt"
_INCLUDED = {TEST_REQUIREMENTS: (APP_REQUIREMENTS,)}

_OLDEST_PYTHON = (3, 11)

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
    """A virtual environment, by default `.venv`, with what requirements files name."""

    def __init__(
        self,
        root: Path,
        console: Console,
        *,
        folder: Path | None = None,
        base: Path | None = None,
        uv: str | None = "uv",
    ) -> None:
        """
        `base` is the Python that it is made of, by default the one that runs. `uv` is a name on
        the PATH, or a path; where there is none, pip installs, which takes longer.
        """
        self._root = root
        self._console = console
        self.folder = folder or root / ".venv"
        self._base = base or Path(sys.executable)
        windows = sys.platform == "win32"
        self.python = self.folder / ("Scripts/python.exe" if windows else "bin/python")
        self._site_packages = "Lib/site-packages" if windows else "lib/python{}/site-packages"
        # Inside the folder, so that deleting the folder deletes this claim too.
        self._stamp = self.folder / ".installed-requirements.json"
        self._uv = shutil.which(uv) if uv else None

    @classmethod
    def apart(
        cls,
        root: Path,
        console: Console,
        *requirements: str,
        base: Path | None = None,
        uv: str | None = "uv",
    ) -> Self:
        """
        Return an environment for these requirements files and nothing else.

        Its folder is named for what it is made of, so that changed requirements never meet
        packages that were installed before.
        """
        recipe = hashlib.sha256(str((base or Path(sys.executable)).resolve()).encode())
        for each in requirements:
            recipe.update((root / each).read_bytes())
        folder = root / ".local" / f"environment-{recipe.hexdigest()[:16]}"
        return cls(root, console, folder=folder, base=base, uv=uv)

    def prepare(self, *requirements: str) -> None:
        """
        Install what the requirements files name, unless exactly that is installed.

        Raises:
            LocalError: it cannot. A later call continues from there.
        """
        self.check()
        if self.holds(*requirements):
            return
        self._require_venv_module()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock(), self._console.progress() as progress:
                if not self.holds(*requirements):
                    self._create(progress)
                    self._install(requirements, progress)
        except OSError as error:
            raise LocalError(f"{self.folder} cannot be written: {error.strerror}.") from error

    def holds(self, *requirements: str) -> bool:
        """Tell whether exactly these files have been installed completely."""
        installed = self._installed()
        return all(installed.get(each) == self._hash(each) for each in requirements)

    def check(self) -> None:
        """Raise LocalError if it does not work any more; a missing one is fine."""
        if not self.python.exists() and not self.python.is_symlink():
            return
        try:
            version = subprocess.check_output(
                [self.python, "-IS", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                stderr=subprocess.DEVNULL,
                text=True,
            ).strip()
        except (OSError, subprocess.CalledProcessError):
            raise self._unusable("was made by a Python that is no longer there") from None
        if tuple(map(int, version.split("."))) < _OLDEST_PYTHON:
            raise self._unusable(f"was made by Python {version}, which is too old")
        if not (self.folder / self._site_packages.format(version)).is_dir():
            raise self._unusable(f"was made by a Python other than {version}, which it runs now")

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

    def _lock(self) -> AbstractContextManager[None]:
        # One installation at a time: the first two commands may be typed in two terminals.
        # (`.lock` would be uv's own.)
        return lock(
            self.folder / ".install-lock",
            lambda: self._console.say("Another dev.py is installing; waiting for it ..."),
        )

    def _create(self, progress: Progress) -> None:
        if not self.python.exists():
            tool = [str(self._base), "-m", "venv"]
            if self._uv:
                tool = [self._uv, "venv", "--allow-existing", "--python", str(self._base)]
            self._run([*tool, str(self.folder)], f"Making {self._name}", progress)
        elif not self._uv and not self._has_pip():
            # uv made it, or making it was interrupted.
            adding = [str(self.python), "-m", "ensurepip"]
            self._run(adding, f"Adding pip to {self._name}", progress)

    def _has_pip(self) -> bool:
        command = [str(self.python), "-c", "import pip"]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def _install(self, requirements: tuple[str, ...], progress: Progress) -> None:
        self._stamp.unlink(missing_ok=True)
        tool = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install"]
        tool += ["--retries=2", "--no-input", "--progress-bar=off"]
        if self._uv:
            tool = [self._uv, "pip", "install", "--python", str(self.python)]
        texts = (self._path(each).read_text() for each in requirements)
        count = sum("==" in line for text in texts for line in text.splitlines())
        self._run(
            [*tool, "--require-hashes", *(f"-r{each}" for each in requirements)],
            f"Installing {count} packages into {self._name} (once)",
            progress,
        )
        included = [name for each in requirements for name in (each, *_INCLUDED.get(each, ()))]
        self._stamp.write_text(json.dumps({each: self._hash(each) for each in included}))

    def _run(self, command: list[str], task: str, progress: Progress) -> None:
        progress.show(task)
        lines: list[str] = []
        # A user's configuration may ask for --user, which a virtual environment refuses.
        environ = {**os.environ, "PIP_USER": "0"}
        with subprocess.Popen(
            command,
            cwd=self._root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    lines.append(line.rstrip())
                    if not line.startswith("WARNING"):
                        progress.show(task, line.strip())
                exit_code = process.wait()
            finally:
                process.kill()
        if exit_code:
            raise _failure(task, lines)

    @property
    def _name(self) -> str:
        return self.folder.relative_to(self._root).as_posix()

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
