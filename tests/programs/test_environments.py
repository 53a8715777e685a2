"""Environments apart from `.venv`: for the benchmark's stacks, and for what tests run on."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.bootstrap.console import Console
from local.bootstrap.environment import Environment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that requires nothing, in two files."""
    for name in ("app.txt", "more.txt"):
        (tmp_path / name).write_text(f"# {name}", encoding="utf-8")
    return tmp_path


def apart(root: Path, *requirements: str) -> Environment:
    """One that pip would fill."""
    return Environment.apart(root, Console(sys.stdout), *requirements, uv=None)


def test_it_is_made_once_and_works(root: Path) -> None:
    """It is another Python than the one that made it, and holds all files that it was made for."""
    environment = apart(root, "app.txt", "more.txt")
    before = environment.holds("app.txt", "more.txt")

    environment.prepare("app.txt", "more.txt")

    assert (False, True) == (
        before,
        apart(root, "app.txt", "more.txt").holds("app.txt", "more.txt"),
    )
    command = [str(environment.python), "-c", "import sys; print(sys.prefix != sys.base_prefix)"]
    assert "True\n" == subprocess.check_output(command, text=True)


def test_other_requirements_are_another_environment(root: Path) -> None:
    """So is a changed file: nothing is left of what it named before."""
    both, one = apart(root, "app.txt", "more.txt"), apart(root, "app.txt")
    (root / "app.txt").write_text("# changed", encoding="utf-8")

    assert 4 == len({root / ".venv", both.folder, one.folder, apart(root, "app.txt").folder})
