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
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with tests of which some do not belong into the fast lane."""
    tests = tmp_path / "tests"
    (tests / "unit").mkdir(parents=True)
    (tests / "end_to_end").mkdir()
    (tests / "__init__.py").touch()
    (tests / "fast_lane.py").write_text((TESTS / "fast_lane.py").read_text("utf-8"), "utf-8")
    (tests / "conftest.py").write_text('pytest_plugins = ["tests.fast_lane"]\n')
    (tests / "unit" / "test_some.py").write_text(SOME_TESTS)
    (tests / "end_to_end" / "test_never_read.py").write_text("no Python")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npythonpath = .\ntestpaths = tests\nmarkers = starts_programs\n"
    )
    return tmp_path


def test_programs_and_other_machines_fail_the_fast_lane(project: Path) -> None:
    """
    Left out are folders and marked tests; what starts or asks something all the same fails.

    Properties play a few examples only.
    """
    lane = subprocess.run(
        [sys.executable, "-m", "pytest", "--fast", "-rA", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )

    summary = lane.stdout.splitlines()[-1]
    assert "2 failed, 2 passed, 1 deselected" in summary, lane.stdout
    assert "test_starts_a_program - RuntimeError" in lane.stdout
    assert "test_asks_another_machine - RuntimeError" in lane.stdout
