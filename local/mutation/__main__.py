"""
Which faults in the product no unit test notices.

    python3 dev.py mutate shared/turns/state/journal.py
    python3 dev.py mutate shared/turns --minutes 30 --tests tests/unit/turns
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from local.bootstrap.commands import ROOT
from local.mutation.children import TestsDoNotRun
from local.mutation.coverage import Coverage, measure
from local.mutation.mutants import Mutant, mutants_of
from local.mutation.trials import Trial, Verdict, try_out

_SLOW = 10
"""With a fault, the tests may take this many times as long as without, plus `_GRACE_S`."""

_GRACE_S = 20.0


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; return the exit status."""
    options = _parser().parse_args(arguments)
    if not hasattr(os, "fork"):
        print("This needs fork(): use Linux, macOS or the Windows Subsystem for Linux.")
        return 2
    files = [file for path in options.paths for file in _files(path)]
    if not files:
        print(f"There is no Python file in {' '.join(options.paths)}.")
        return 2
    tests = options.tests or sorted({tests for file in files for tests in _tests_of(file)})
    # What Hypothesis finds in mutants is of no use to the tests of the product.
    with tempfile.TemporaryDirectory() as examples:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = examples
        try:
            return _measure_and_search(files, tests, options)
        except TestsDoNotRun as error:
            print(error)
            return 2


def _measure_and_search(files: list[str], tests: list[str], options: argparse.Namespace) -> int:
    coverage = measure(ROOT, files, tests)
    for test in sorted(coverage.failed):
        print(f"Left out, since it fails even without a fault: {test}")
    mutants = [one for file in files for one in mutants_of(file, (ROOT / file).read_text())]
    if options.sample is not None or options.minutes is not None:
        random.Random(options.seed).shuffle(mutants)  # noqa: S311 (a sample is no secret)
    # What no test runs costs nothing to try.
    mutants.sort(key=lambda mutant: bool(coverage.tests_of(mutant)))
    _require_sound_trials(mutants, coverage)
    return _search(mutants[: options.sample], coverage, options.minutes)


def _require_sound_trials(mutants: list[Mutant], coverage: Coverage) -> None:
    """Make sure that tests pass on a file as it is, or every fault would count as noticed."""
    for mutant in mutants:
        if tests := coverage.tests_of(mutant)[:5]:
            as_it_is = replace(mutant, source=mutant.original)
            if try_out(ROOT, as_it_is, tests, _GRACE_S).verdict is Verdict.NOTICED:
                raise TestsDoNotRun(f"These pass only together with others: {', '.join(tests)}")
            return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 dev.py mutate",
        description="Put small faults into the product, one at a time (a statement left out, a "
        "condition that always or never holds, a bound off by one, ...), and run the unit tests "
        "that run the faulty line. Each fault that no test notices is shown as a diff: write the "
        "test, remove the code, or know why it makes no difference. No file is changed.",
        epilog="Exit status: 0 if every fault was noticed, 1 if one was not, 2 if the tests do not "
        "run or there is nothing to do. Needs fork(), which Windows does not have.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        default=["shared/turns"],
        metavar="PATH",
        help="files or folders of the product (shared/turns)",
    )
    parser.add_argument(
        "--tests",
        nargs="+",
        metavar="TESTS",
        help="which tests to run (those of the same name in tests/unit: folder or file)",
    )
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="draw faults at random, and stop after N minutes"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="try N faults, drawn at random")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the draw (0)")
    return parser


def _files(path: str) -> list[str]:
    found = [Path(path)] if Path(path).is_file() else sorted(Path(path).rglob("*.py"))
    return [str(file.resolve().relative_to(ROOT)) for file in found]


def _tests_of(file: str) -> list[str]:
    """Return the tests of a file of the product: `shared/turns/...` has `tests/unit/turns`."""
    _, *folders, name = Path(file).parts
    beside = [Path("tests/unit", folder) for folder in folders[:1]]
    found = [path for path in (*beside, Path("tests/unit", f"test_{name}")) if path.exists()]
    return [str(path) for path in found]


def _search(mutants: list[Mutant], coverage: Coverage, minutes: float | None) -> int:
    counts: Counter[Verdict] = Counter()
    until_s = None if minutes is None else time.monotonic() + 60 * minutes
    for mutant in mutants:
        if until_s is not None and time.monotonic() > until_s:
            break
        tests = coverage.tests_of(mutant)
        limit_s = _SLOW * coverage.seconds(tests) + _GRACE_S
        trial = try_out(ROOT, mutant, tests, limit_s) if tests else Trial(Verdict.NOT_NOTICED)
        verdict = trial.verdict
        counts[verdict] += 1
        if trial.noticed_by:
            coverage.note(trial.noticed_by)
        if verdict is Verdict.NOT_NOTICED:
            why = f"{len(tests)} tests run it" if tests else "no test runs it"
            print(f"{mutant.diff}\n({why})\n", flush=True)
    tried = counts.total()
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    print(f"{tried} of {len(mutants)} faults tried: {told}.")
    return 1 if counts[Verdict.NOT_NOTICED] else 0


if __name__ == "__main__":
    sys.exit(main())
