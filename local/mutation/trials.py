"""Runs of the tests with a fault in the product."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

from local.mutation.children import BROKEN, PYTEST_OPTIONS, TestsDoNotRun, in_child
from local.mutation.mutants import Mutant


class Verdict(StrEnum):
    """What the tests said of a mutant."""

    NOTICED = "noticed"
    NOT_NOTICED = "not noticed"
    TIMED_OUT = "timed out"
    """As good as noticed: the tests did not end."""


@dataclass(frozen=True)
class Trial:
    """What came of running the tests on a mutant."""

    verdict: Verdict
    noticed_by: str | None = None
    """The test that failed; None where none did."""


def try_out(root: Path, mutant: Mutant, tests: Sequence[str], limit_s: float) -> Trial:
    """
    Run the tests on a mutant, up to the first that fails.

    Raises:
        TestsDoNotRun: pytest itself failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, failed = Path(folder, "output"), Path(folder, "failed")

        def run() -> int:
            sys.meta_path.insert(0, _Finder(root, mutant))
            return int(
                pytest.main(["-x", *PYTEST_OPTIONS, *tests], plugins=[_FirstFailure(failed)])
            )

        status = in_child(run, limit_s, str(output))
        if status == BROKEN:
            raise TestsDoNotRun(output.read_text())
        if status is None:
            return Trial(Verdict.TIMED_OUT)
        if status == 0:
            return Trial(Verdict.NOT_NOTICED)
        return Trial(Verdict.NOTICED, failed.read_text() if failed.exists() else None)


class _FirstFailure:
    """A pytest plugin that writes down which test failed first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._path.exists():
            self._path.write_text(report.nodeid)


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
