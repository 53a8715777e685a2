"""
Measure the bot on several stacks: `python -m benchmarks [--quick]`.

Writes table.md, results.json, figure.svg and figure.png into benchmarks/results/, or with
--quick into .local/bench/quick/.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.environments import prepare
from benchmarks.experiment import FULL, QUICK, REAL, Experiment, Extent, Figures
from benchmarks.machine import machine, versions
from benchmarks.processes import BENCHMARKS, ROOT, BenchmarkError, Load, Store
from benchmarks.summary import TITLES, growth_figures, medians, parts_table, table
from local.bootstrap.errors import LocalError
from local.node_services.emulators import install_npm_packages


class StepLog:
    """Prints each step on a line of its own, with the time since the start."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self.task = ""

    def __call__(self, step: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._start_s), 60)
        print(f"{minutes:2}:{seconds:02}  {self.task}{step}", flush=True)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python3 dev.py bench",
        description="Measure the bot against the stock SDK, its successor and the bare requests. "
        "Each stack runs in its own virtual environment under .local, installed once.",
        epilog="Takes 18 minutes: about 3 for each of the 5 rounds, and 3 for the rest. With "
        "--quick it takes one. The tables and the picture go to benchmarks/results, with --quick "
        "to .local/bench/quick.",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, about a minute")
    parser.add_argument("--rounds", type=int, help="how many rounds; the table shows medians")
    parser.add_argument(
        "--stacks",
        nargs="+",
        choices=TITLES,
        default=["stock", "agents", "ours", "bare"],
        help="which stacks to measure (default: all)",
    )
    arguments = parser.parse_args()
    extent = QUICK if arguments.quick else FULL
    if arguments.rounds:
        extent = replace(extent, rounds=arguments.rounds)
    folder = ROOT / ".local/bench/quick" if arguments.quick else BENCHMARKS / "results"
    try:
        results = measure(arguments.stacks, extent, StepLog())
        write(results, folder)
    except (BenchmarkError, LocalError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def measure(stacks: list[str], extent: Extent, progress: StepLog) -> dict[str, Any]:
    """Measure every stack in every round."""
    install_npm_packages(progress)
    pythons = {stack: prepare(stack) for stack in stacks}
    rounds: dict[str, list[Figures]] = {stack: [] for stack in stacks}
    parts: dict[str, dict[str, float]] = {}
    extra: dict[str, dict[str, Any]] = {stack: {} for stack in stacks}
    with Store() as store, Load() as load:
        experiment = Experiment(store, load, extent, progress)
        for number in range(extent.rounds):
            # In alternating order, so that no stack is always first.
            for stack in stacks if number % 2 == 0 else reversed(stacks):
                progress.task = f"round {number + 1} of {extent.rounds}, {TITLES[stack]}: "
                rounds[stack].append(experiment.measure_round(stack, pythons[stack]))
        for stack in stacks:
            progress.task = f"{TITLES[stack]}: "
            parts[stack] = experiment.measure_parts(stack, pythons[stack])
        for stack in stacks if extent.memory_turns else ():
            progress.task = f"{TITLES[stack]}: "
            extra[stack] = {
                "memory_mb": experiment.measure_memory(stack, pythons[stack]),
                "growth": experiment.measure_growth(stack, pythons[stack]),
            }
    return {
        "machine": machine(),
        "versions": versions(stacks),
        "extent": asdict(extent),
        "medians": {stack: _column(rounds[stack], extra[stack]) for stack in stacks},
        "rounds": rounds,
        "parts": parts,
        **({"memory_and_growth": extra} if extent.memory_turns else {}),
    }


def _column(rounds: list[Figures], extra: Mapping[str, Any]) -> Figures:
    figures = medians(rounds)
    if extra:
        first, second = extra["memory_mb"]
        figures |= {"memory_mb": first, "memory_growth_mb": second - first}
        figures |= growth_figures(extra["growth"])
    return figures


def write(results: dict[str, Any], folder: Path) -> None:
    """Write all files of the results, and show the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(
        [
            table(results["medians"]),
            parts_table(results["parts"], results["medians"]),
            _footnote(results),
        ]
    )
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "table.md").write_text(text)
    print(f"\n{text}")
    # Drawing needs numpy and more, which no measured process should see.
    python = prepare("figure")
    subprocess.run([python, "-m", "benchmarks.figure", folder], cwd=ROOT, check=True)
    print(f"Written to {folder.relative_to(ROOT)}/: table.md, results.json, figure.svg, figure.png")


def _footnote(results: Mapping[str, Any]) -> str:
    described = results["machine"]
    failed = _sum(
        value
        for rounds in results["rounds"].values()
        for figures in rounds
        for name, value in figures.items()
        if name.startswith("failed")
    )
    count = results["extent"]["rounds"]
    return (
        f"Medians of {count} round{'s' if count != 1 else ''}; three replies a turn; "
        f'"real" adds {REAL.store_ms} ms to each request to the store and '
        f"{REAL.channel_ms} ms to each reply. Turns that failed: {failed}.\n"
        f"{described['processor']}; {described['system']}; Python {described['python']}, "
        f"Node {described['node']}.\n"
        "What holds a goal that is missed, and what was tried: docs/performance.md.\n"
    )


def _sum(values: Iterable[float]) -> int:
    return round(sum(values))


if __name__ == "__main__":
    sys.exit(main())
