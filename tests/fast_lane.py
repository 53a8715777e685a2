"""
The fast lane, `pytest --fast`: the tests that need nothing but the process that runs them.

It leaves out folders and marked tests. Whoever starts a program or asks another machine in what is
left fails, so that the lane stays fast.
"""

import gc
import platform
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.processes import only_starts_others

TESTS = Path(__file__).parent

LEFT_OUT = frozenset(
    TESTS / name
    for name in ("bot/end_to_end", "contract", "end_to_end", "hosts", "programs", "simulation")
)
"""They start programs, or play thousands of turns."""

LEFT_OUT_IF_MARKED = ("starts_programs", "takes_seconds")

EXAMPLES = 5
"""Of a property, where its test does not say; the whole suite takes Hypothesis' 100."""

_STARTS_A_PROGRAM = frozenset(
    {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
)
"""Python's audit events, https://docs.python.org/3/library/audit_events.html."""

_THIS_MACHINE = ("127.", "localhost", "::1", "0.0.0.0")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the option."""
    parser.addoption(
        "--fast",
        action="store_true",
        help="only tests that start no programs, and need no Node, browser or network",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Forbid what the lane must not do: a hook for audit events stays until the process ends."""
    if config.getoption("--fast"):
        settings.register_profile("fast", settings.default, max_examples=EXAMPLES)
        settings.load_profile("fast")
        # Azure's clients name it in each request, and Python asks `uname` for it once.
        platform.platform()
        if not only_starts_others(config):
            sys.addaudithook(_refuse)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave folders out before anything in them is imported."""
    return True if config.getoption("--fast") and collection_path in LEFT_OUT else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the marked tests of the other folders."""
    if config.getoption("--fast"):
        left_out = [item for item in items if any(map(item.get_closest_marker, LEFT_OUT_IF_MARKED))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take what is loaded by now for granted: it is not searched for garbage any more."""
    if session.config.getoption("--fast"):
        gc.freeze()


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _STARTS_A_PROGRAM:
        raise RuntimeError(
            f"A test of the fast lane starts a program ({event}): move it to tests/programs, or "
            "mark it with starts_programs"
        )
    if event == "socket.connect" and _is_elsewhere(arguments[1]):
        raise RuntimeError("A test of the fast lane connects to another machine")


def _is_elsewhere(address: object) -> bool:
    # Those of Unix sockets are strings.
    return isinstance(address, tuple) and not str(address[0]).startswith(_THIS_MACHINE)
