"""`pytest --fast` runs what needs one process, and lets nothing else in."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

SOME_TESTS = """
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

examples = []


@given(st.integers())
def test_property(number):
    examples.append(number)


def test_has_few_examples():
    assert 0 < len(examples) < 10


def test_starts_a_program():
    subprocess.run([sys.executable, "--version"])


def test_asks_another_machine():
    socket.create_connection(("192.0.2.1", 80), timeout=1)


@pytest.mark.starts_programs
def test_is_marked():
    subprocess.run([sys.executable, "--version"])


@pytest.mark.takes_seconds
def test_is_marked_too():
    raise AssertionError
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with tests of which some do not belong into the fast lane."""
    tests = tmp_path / "tests"
    (tests / "unit").mkdir(parents=True)
    (tests / "end_to_end").mkdir()
    (tests / "__init__.py").touch()
    for name in ("fast_lane.py", "processes.py"):
        (tests / name).write_text((TESTS / name).read_text("utf-8"), "utf-8")
    (tests / "conftest.py").write_text('pytest_plugins = ["tests.processes", "tests.fast_lane"]\n')
    (tests / "unit" / "test_some.py").write_text(SOME_TESTS)
    (tests / "end_to_end" / "test_never_read.py").write_text("no Python")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npythonpath = .\ntestpaths = tests\n"
        "markers =\n    starts_programs\n    takes_seconds\n"
    )
    return tmp_path


def test_programs_and_other_machines_fail_the_fast_lane(project: Path) -> None:
    """
    Left out are folders and marked tests; what starts or asks something all the same fails.

    Properties play a few examples only.
    """
    lane = played(project)

    assert "2 failed, 2 passed, 2 deselected" in lane.splitlines()[-1], lane
    assert "test_starts_a_program - RuntimeError" in lane
    assert "test_asks_another_machine - RuntimeError" in lane


def test_they_fail_it_in_several_processes_too(project: Path) -> None:
    """The one that pytest itself runs in starts the others, and none of these may start any."""
    lane = played(project, "--numprocesses=2", "-k", "starts or asks")

    assert "2 failed in" in lane.splitlines()[-1], lane
    assert "test_starts_a_program - RuntimeError" in lane
    assert "test_asks_another_machine - RuntimeError" in lane


def test_all_tests_share_the_cores(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody says otherwise; there is one process at least that only runs tests."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    assert "worker" in played(project, "--numprocesses=auto", "-k", "few")


@pytest.mark.parametrize("options", [("tests/unit",), ("-s",), ("--pdb",)], ids=" ".join)
def test_what_is_named_or_watched_runs_in_one_process(
    project: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It need not wait for others to start, and is seen as it happens."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    lane = played(project, "--numprocesses=auto", "-k", "property or few", *options)

    assert "2 passed" in lane.splitlines()[-1]
    assert "worker" not in lane


def test_a_run_that_a_test_starts_is_one_process(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others run beside it already."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")

    assert "worker" not in played(project, "--numprocesses=auto", "-k", "few")


def test_what_has_been_compiled_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment forbids it too, or each run would compile all tests again."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    played(project, "--collect-only")

    assert [*project.glob("tests/unit/__pycache__/test_some*.pyc")]


def played(project: Path, *options: str) -> str:
    """What pytest says of the project's fast lane."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--fast", "-rA", "-p", "no:cacheprovider", *options],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
