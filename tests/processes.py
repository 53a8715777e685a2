"""
How many processes run the tests: one for each core, if no tests are named.

Each has to import everything first, so a few tests that are named are faster in one. Nor is there
more than one where their output is to be seen as it comes (`-s`), where a debugger waits (`--pdb`),
or in a run that a test has started, beside which others run already.

In the whole suite a file goes to one process (`--dist=loadfile`), since its tests share what they
have started.
"""

import os
import sys

import pytest

MOST_PROCESSES = 4
"""With more, the imports and the emulators of each cost what sharing the tests out saves."""


def pytest_configure() -> None:
    """Compile the tests and the programs that they start once, and not hundreds of times."""
    # Images for containers tend to set it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share out the tests of the fast lane one by one: they have nothing in common."""
    if config.getoption("--fast"):
        config.option.dist = "worksteal"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Answer `--numprocesses=auto`: 0 is this process alone."""
    some_are_named = config.args_source is pytest.Config.ArgsSource.ARGS
    is_watched = config.getoption("capture") == "no"
    is_started_by_a_test = "PYTEST_XDIST_WORKER" in os.environ
    if some_are_named or is_watched or is_started_by_a_test:
        return 0
    return min(_cores(), MOST_PROCESSES)


def only_starts_others(config: pytest.Config) -> bool:
    """Whether this process runs no test itself, but starts those that do."""
    return bool(config.getoption("numprocesses", None))


def _cores() -> int:
    # In a container, not all of the machine's may be used.
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
