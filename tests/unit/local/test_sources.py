"""Which files a reload looks at."""

import os
from pathlib import Path

import pytest

from local.functions_host.sources import Sources


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A function app with a file for each case."""
    for name in (
        "host.json",
        "local.settings.json",
        "dev.py",
        "Function/__init__.py",
        "Function/function.json",
        "shared/deep/er.py",
        "shared/notes.txt",
        "shared/tests/imported.py",
        "tests/test.py",
        "local/functions_host/host.py",
        ".venv/lib/module.py",
        "shared/__pycache__/er.py",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / ".funcignore").write_text(
        "# Not deployed\n/dev.py\n/local\n/local.settings.json\n/tests\n"
    )
    return tmp_path


def touch(file: Path) -> None:
    """Change the file's time, as an editor does when it saves."""
    later = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later, later))


def test_nothing_has_changed_at_first(root: Path) -> None:
    """The files as they are found are the state to compare with."""
    assert [] == Sources(root).changed()


@pytest.mark.parametrize(
    "name",
    [
        "host.json",
        "local.settings.json",
        "Function/function.json",
        "shared/deep/er.py",
        "shared/tests/imported.py",
    ],
)
def test_a_change_is_told_once(root: Path, name: str) -> None:
    """A saved file is told by its name, and not again until it is saved again."""
    sources = Sources(root)
    touch(root / name)

    assert [str(Path(name))] == sources.changed()
    assert [] == sources.changed()


def test_new_and_missing_files_are_changes(root: Path) -> None:
    """A function may come or go while the bot runs."""
    sources = Sources(root)
    (root / "Function" / "__init__.py").unlink()
    (root / "New").mkdir()
    (root / "New" / "__init__.py").touch()

    assert [str(Path("Function/__init__.py")), str(Path("New/__init__.py"))] == sources.changed()


@pytest.mark.parametrize(
    "name",
    [
        "dev.py",
        "shared/notes.txt",
        "tests/test.py",
        "local/functions_host/host.py",
        ".venv/lib/module.py",
        "shared/__pycache__/er.py",
    ],
)
def test_what_the_bot_does_not_import_is_not_watched(root: Path, name: str) -> None:
    """What .funcignore keeps back, and what is installed, may change as it likes."""
    sources = Sources(root)
    touch(root / name)

    assert [] == sources.changed()
