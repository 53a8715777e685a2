"""What reaches Azure: a folder of functions, and an environment with what they require."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from local.bootstrap.console import Console
from local.bootstrap.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


def deploy(to: Path, *, source: Path = ROOT, bot: Path | None = None) -> Path:
    """
    Copy what azd and Core Tools would upload of `source`: every file that .funcignore leaves.

    `bot` is a module that takes the place of the conversation in shared/bot.
    """
    _copy(source, to, ".funcignore")
    if bot is not None:
        shutil.rmtree(to / "shared" / "bot")
        (to / "shared" / "bot").mkdir()
        shutil.copy(bot, to / "shared" / "bot" / "__init__.py")
    return to


def copy_project(to: Path) -> Path:
    """Copy what a clone would have, changes that are not committed included."""
    _copy(ROOT, to, ".gitignore")
    return to


def _copy(source: Path, to: Path, ignore_file: str) -> None:
    for name in _left_by(source / ignore_file):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target)


def _left_by(ignore_file: Path) -> list[str]:
    """Return the files beside the ignore file, in folders too, that it does not name."""
    root = ignore_file.parent
    # An empty repository of its own: the tools upload also what .gitignore names.
    with TemporaryDirectory() as empty:
        subprocess.run(["git", "init", "--quiet", "--bare", empty], check=True)
        listed = subprocess.run(
            [
                *("git", "--git-dir", empty, "--work-tree", root),
                *("ls-files", "--others", "-z", f"--exclude-from={ignore_file}"),
            ],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    # A link to a folder counts as a file for Git, which does not look into it.
    return [name for name in listed.stdout.split("\0") if name and not (root / name).is_dir()]


def environment(base: Path, *requirements: str, as_azure_does: bool = True) -> Path:
    """
    Return the Python of an environment with these requirements files and nothing else.

    Azure's remote build installs with pip; without `as_azure_does`, uv is faster.
    """
    uv = None if as_azure_does else str(Path(sys.executable).with_name("uv"))
    apart = Environment.apart(ROOT, Console(sys.stdout), *requirements, base=base, uv=uv)
    apart.prepare(*requirements)
    return apart.python


def find_python(major: int, minor: int) -> Path | None:
    """Look for a Python of this version on the PATH, and where pyenv and uv keep theirs."""
    wanted = f"{major}.{minor}"
    for candidate in _candidates(wanted):
        if _version(candidate) == wanted:
            return candidate
    return None


def _candidates(wanted: str) -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = shutil.which(f"python{wanted}")
    if on_path:
        yield Path(on_path)
    home = Path.home()
    folders = [home / ".local" / "share" / "uv" / "python"]
    if shutil.which("pyenv"):
        asked = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
        folders.append(Path(asked.stdout.strip() or home / ".pyenv") / "versions")
    for folder in folders:
        yield from sorted(folder.glob(f"*{wanted}.*/bin/python{wanted}"))


def _version(python: Path) -> str:
    """Return "3.13", or nothing if it does not run: pyenv's shims are there for every version."""
    told = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
