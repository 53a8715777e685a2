"""
Runs of the tests in processes of their own, with a fault in the product or without.

A process is forked from this one, which has imported the libraries already: a run of few tests
then takes a fraction of a second.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from local.mutation.mutants import Mutant

_IMPORT = "(import)"


class Verdict(StrEnum):
    """What the tests said of a mutant."""

    NOTICED = "noticed"
    NOT_NOTICED = "not noticed"
    TIMED_OUT = "timed out"
    """As good as noticed: the tests did not end."""


class TestsDoNotRun(Exception):
    """Pytest ended without having run the tests."""


class Coverage:
    """Which tests run which lines of the files, and how long each test takes."""

    def __init__(
        self,
        lines: dict[str, dict[str, list[int]]],
        seconds: dict[str, float],
        failed: Sequence[str],
    ) -> None:
        self._seconds = seconds
        self.failed = frozenset(failed)
        """Tests that fail without a fault: they cannot notice any, and are left out."""
        self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)
        for test, files in lines.items():
            for file, numbers in files.items():
                for number in numbers:
                    self._tests[file, number].add(test)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the changed lines, the quickest first."""
        found = set().union(*(self._tests[mutant.file, line] for line in mutant.lines))
        if _IMPORT in found:
            # What runs during the import may show in any test.
            found = {
                test
                for (file, _), tests in self._tests.items()
                for test in tests
                if file == mutant.file
            }
        return sorted(
            found - {_IMPORT} - self.failed, key=lambda test: self._seconds.get(test, 0.0)
        )

    def seconds(self, tests: Sequence[str]) -> float:
        """Return how long the tests took without a fault, together."""
        return sum(self._seconds.get(test, 0.0) for test in tests)


def measure(root: Path, files: Sequence[str], tests: Sequence[str]) -> Coverage:
    """
    Run the tests once without a fault.

    Raises:
        TestsDoNotRun: with what pytest says.
    """
    with tempfile.TemporaryDirectory() as folder:
        result, output = Path(folder, "result.json"), Path(folder, "output")
        _in_child(lambda: _measure(root, files, tests, result), output=str(output))
        if not result.exists():
            raise TestsDoNotRun(f"The tests do not run as they are:\n{output.read_text()}")
        measured = json.loads(result.read_text())
    for module in measured["modules"]:
        # Some are made by what imports them, and cannot be imported alone.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    return Coverage(measured["lines"], measured["seconds"], measured["failed"])


def try_out(root: Path, mutant: Mutant, tests: Sequence[str], limit_s: float) -> Verdict:
    """
    Run the tests on a mutant, up to the first that fails.

    Raises:
        TestsDoNotRun: pytest itself failed.
    """

    def run() -> int:
        sys.meta_path.insert(0, _Finder(root, mutant))
        return int(pytest.main(["-x", *_OPTIONS, *tests]))

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        status = _in_child(run, limit_s, str(output))
        if status == _BROKEN:
            raise TestsDoNotRun(output.read_text())
    if status is None:
        return Verdict.TIMED_OUT
    return Verdict.NOT_NOTICED if status == 0 else Verdict.NOTICED


_OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "--no-header", "--tb=no"),
    # The plugins are imported before pytest comes to it.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

_BROKEN = 70
"""Exit status of a child in which not even pytest ran."""


def _measure(root: Path, files: Sequence[str], tests: Sequence[str], result: Path) -> int:
    before = set(sys.modules)
    recorder = _Recorder(root, files)
    sys.settrace(recorder.trace)
    status = pytest.main([*_OPTIONS, *tests], plugins=[recorder])
    sys.settrace(None)
    ours = ("shared", "tests", "local", "MessagesFunction")
    modules = [
        name for name in sys.modules if name not in before and name.partition(".")[0] not in ours
    ]
    lines = {
        test: {file: sorted(numbers) for file, numbers in files.items()}
        for test, files in recorder.lines.items()
    }
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        measured = {"lines": lines, "seconds": recorder.seconds, "failed": recorder.failed}
        result.write_text(json.dumps({**measured, "modules": modules}))
    return int(status)


class _Recorder:
    """A pytest plugin that notes the lines each test runs; what imports run counts apart."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        self._files = {str(root / file): file for file in files}
        self._test = _IMPORT
        self.lines: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: list[str] = []

    def trace(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        file = self._files.get(frame.f_code.co_filename)
        if file is None:
            return None
        test = _IMPORT if _is_of_an_import(frame) else self._test

        def trace_line(frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
            if event == "line":
                self.lines[test][file].add(frame.f_lineno)
            return trace_line

        self.lines[test][file].add(frame.f_lineno)
        return trace_line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._test = item.nodeid
        # Some tests replace the trace function, or end it.
        sys.settrace(self.trace)
        started_s = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] += time.perf_counter() - started_s
        self._test = _IMPORT
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def _is_of_an_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "<module>" and "importlib" in _caller(frame):
            return True
        frame = frame.f_back
    return False


def _caller(frame: FrameType) -> str:
    return frame.f_back.f_code.co_filename if frame.f_back else ""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the mutant where the tests import its file."""

    def __init__(self, root: Path, mutant: Mutant) -> None:
        self._path = root / mutant.file
        self._source = mutant.source
        parts = Path(mutant.file).with_suffix("").parts
        self._is_package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._is_package else parts)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def is_package(self, _fullname: str) -> bool:
        return self._is_package

    def get_filename(self, _fullname: str) -> str:
        return str(self._path)

    def get_source(self, _fullname: str) -> str:
        return self._source


def _in_child(
    run: Callable[[], int], limit_s: float | None = None, output: str = os.devnull
) -> int | None:
    """Return the exit status of `run` in a forked process. None: it took too long."""
    child = os.fork()
    if child == 0:
        status = _BROKEN
        try:
            os.setsid()
            said = os.open(output, os.O_WRONLY | os.O_CREAT)
            os.dup2(said, 1)
            os.dup2(said, 2)
            status = run()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    until_s = None if limit_s is None else time.monotonic() + limit_s
    try:
        while True:
            ended, how = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(how)
            if until_s is not None and time.monotonic() > until_s:
                return None
            time.sleep(0.01)
    finally:
        # Along with whatever a test has started and not ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
