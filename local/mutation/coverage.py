"""Which tests run which lines, found out in one run without a fault."""

import contextlib
import importlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from local.mutation.children import PYTEST_OPTIONS, TestsDoNotRun, in_child
from local.mutation.mutants import Mutant

_IMPORT = "(import)"


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
        self._noticed: Counter[str] = Counter()
        self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)
        for test, files in lines.items():
            for file, numbers in files.items():
                for number in numbers:
                    self._tests[file, number].add(test)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the changed lines, those first that notice most."""
        found = set().union(*(self._tests[mutant.file, line] for line in mutant.lines))
        if _IMPORT in found:
            # What is run at import may show anywhere.
            found = {
                test
                for (file, _), tests in self._tests.items()
                for test in tests
                if file == mutant.file
            }
        return sorted(
            found - {_IMPORT} - self.failed,
            key=lambda test: (-self._noticed[test], self._seconds.get(test, 0.0)),
        )

    def note(self, test: str) -> None:
        """Note that a test has noticed a fault: it may well notice the next one in the file."""
        self._noticed[test] += 1

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
        in_child(lambda: _measure(root, files, tests, result), output=str(output))
        if not result.exists():
            raise TestsDoNotRun(f"The tests do not run as they are:\n{output.read_text()}")
        measured = json.loads(result.read_text())
    for module in measured["modules"]:
        # Some are made by what imports them, and cannot be imported alone.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    return Coverage(measured["lines"], measured["seconds"], measured["failed"])


def _measure(root: Path, files: Sequence[str], tests: Sequence[str], result: Path) -> int:
    before = set(sys.modules)
    recorder = _Recorder(root, files)
    sys.settrace(recorder.trace)
    status = pytest.main([*PYTEST_OPTIONS, *tests], plugins=[recorder])
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
