"""
Histories by the thousand, from the command line.

    python3 dev.py torture --seeds 100000
    python3 dev.py torture --seed 4711                    shows one history
    python3 dev.py torture --fault "process killed"       only histories with that
    python3 dev.py torture --seeds 2000 --own             with the bot in shared/bot
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.faults import Fault
from tests.simulation.histories import Tally, describe, play, play_own, tally

_SHARE = 100

_PROGRESS_S = 15.0
"""Between two lines about the progress, where one line cannot replace the other."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; return the exit status."""
    options = _parser().parse_args(arguments)
    always = tuple(Fault(name) for name in options.fault)
    if options.seed is not None and options.seeds is None:
        return _tell(options.seed, options.own, always)
    seeds = range(options.seed or 0, (options.seed or 0) + (options.seeds or 2000))
    return _search(seeds, options.processes, options.own, always)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 dev.py torture",
        description="Play turns in simulated histories, with every failure that atomic turns "
        "are meant to survive, and judge the outcomes. The same seed always plays the same "
        "history.",
        epilog="The tables show in how many histories each fault really happened, and how often "
        "something happened that the product does not promise to prevent. Exit status: 1 if a "
        "history is wrong, else 0.",
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="how many histories to play (2000)")
    parser.add_argument(
        "--seed",
        type=int,
        metavar="S",
        help="the first seed (0); without --seeds: show this history only",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        choices=[fault.value for fault in Fault],
        help="only histories in which this fault was drawn; may be repeated. One of: "
        + ", ".join(fault.value for fault in Fault),
    )
    parser.add_argument(
        "--own",
        action="store_true",
        help="play the bot in shared/bot, and compare it with a run without faults",
    )
    parser.add_argument(
        "--processes",
        type=int,
        metavar="P",
        default=os.cpu_count() or 1,
        help="how many processes at once (one for each core)",
    )
    return parser


def _tell(seed: int, own: bool, always: tuple[Fault, ...]) -> int:
    world, verdict = play_own(seed, always) if own else play(seed, always=always)
    print(describe(world))
    print("\n".join(verdict.wrong) or "Nothing is wrong with this history.")
    return 1 if verdict.wrong else 0


def _search(seeds: range, processes: int, own: bool, always: tuple[Fault, ...]) -> int:
    began_s = told_s = time.monotonic()
    total = Tally()
    is_watched = sys.stdout.isatty()
    for part in _tallies(seeds, processes, own, always):
        total.add(part)
        now_s = time.monotonic()
        progress = _progress(total, len(seeds), now_s - began_s)
        if is_watched:
            print(f"\r{progress}", end="", flush=True)
        elif now_s - told_s >= _PROGRESS_S and total.histories < len(seeds):
            print(progress, flush=True)
            told_s = now_s
    print(f"\r{progress}" if is_watched else progress)
    _print_table("Histories in which it happened", total.happened, total.histories)
    _print_table("In addition", total.figures)
    if total.longest_s:
        print("\nThe longest, in seconds:\n")
        for what, took_s in sorted(total.longest_s.items()):
            print(f"  {took_s:8.1f}  {what}")
    if total.wrong:
        print("\nWrong:\n")
        for seed, reasons in sorted(total.wrong.items()):
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            print(f"  {seed:>8}  {reasons[0]}{more}")
        faults = "".join(f' --fault "{fault}"' for fault in always)
        print(f"\nTo see one: --seed {min(total.wrong)}{faults}{' --own' * own}")
    return 1 if total.wrong else 0


def _progress(total: Tally, of: int, took_s: float) -> str:
    each_ms = 1000 * total.cpu_s / total.histories
    return (
        f"{total.histories:,} of {of:,} histories, {len(total.wrong)} wrong, {took_s:,.0f} s, "
        f"{each_ms:.0f} ms of CPU each"
    )


def _tallies(seeds: range, processes: int, own: bool, always: tuple[Fault, ...]) -> Iterator[Tally]:
    shares = [seeds[begin : begin + _SHARE] for begin in range(0, len(seeds), _SHARE)]
    # Spawned: a fork would copy whatever threads its parent has.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_play, own=own, always=always), shares)


def _play(seeds: range, own: bool, always: tuple[Fault, ...]) -> Tally:
    """Play some histories, and collect the garbage of all at the end: a fifth of their CPU less."""
    gc.disable()
    try:
        return tally(seeds, own, always)
    finally:
        gc.enable()
        gc.collect()


def _print_table(title: str, counts: Counter[str], of: int = 0) -> None:
    """With `of` also the share that each count is of it."""
    if counts:
        print(f"\n{title}:\n")
        for name, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
            share = f"{100 * count / of:6.1f} %" if of else ""
            print(f"  {count:8,}{share}  {name}")


if __name__ == "__main__":
    sys.exit(main())
