"""
How many processes run the tests: one for each core, if it is the whole fast lane.

Each has to import everything first, so a few tests that are named are faster in one. Nor is there
more than one where their output is to be seen as it comes (`-s`), or a debugger waits (`--pdb`).
"""

import os
import sys

import pytest


def pytest_configure() -> None:
    """Compile the tests and the programs that they start once, and not hundreds of times."""
    # Images for containers tend to set it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Answer `-n auto`: 0 is this process alone, and None leaves it to pytest-xdist."""
    some_are_named = config.args_source is pytest.Config.ArgsSource.ARGS
    to_be_seen = config.getoption("capture") == "no"
    return None if config.getoption("--fast") and not (some_are_named or to_be_seen) else 0


def only_starts_others(config: pytest.Config) -> bool:
    """Whether this process runs no test itself, but starts those that do."""
    return bool(config.getoption("numprocesses", None))
