"""
Histories by the thousand, from the command line.

    python3 dev.py torture --seeds 100000
    python3 dev.py torture --seed 4711          prints one history
    python3 dev.py torture --seeds 2000 --own   with the bot in shared/bot
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.histories import describe, failing_seeds, play, play_own

_SHARE = 100


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python3 dev.py torture",
        description="Play turns in histories in which instances die, the store fails, lags or "
        "loses answers, and the channel delivers again; a seed always plays the same history.",
    )
    parser.add_argument("--seeds", type=int, default=2000, help="how many histories")
    parser.add_argument("--seed", type=int, help="where to begin; alone: print this history")
    parser.add_argument("--own", action="store_true", help="the bot in shared/bot")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None and "--seeds" not in (arguments or sys.argv):
        return _show(options.seed, options.own)
    return _search(options.seed or 0, options.seeds, options.processes, options.own)


def _show(seed: int, own: bool) -> int:
    world, wrong = (play_own if own else play)(seed)
    print(describe(world))
    print("\n".join(wrong) or "Nothing is wrong with this history.")
    return 1 if wrong else 0


def _search(first: int, seeds: int, processes: int, own: bool) -> int:
    began_s = time.monotonic()
    failing = []
    for done, seed in _failing(first, seeds, processes, own):
        failing += seed
        took_s = time.monotonic() - began_s
        print(f"\r{done} histories, {len(failing)} wrong, {took_s:.0f} s", end="", flush=True)
    print()
    if failing:
        print(f"Wrong: {failing}")
        _show(failing[0], own)
        print(f"Again: --seed {failing[0]}{' --own' * own}")
    return 1 if failing else 0


def _failing(first: int, seeds: int, processes: int, own: bool) -> Iterator[tuple[int, list[int]]]:
    end = first + seeds
    shares = [range(begin, min(begin + _SHARE, end)) for begin in range(first, end, _SHARE)]
    done = 0
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for share, failing in zip(
            shares, pool.map(partial(failing_seeds, own=own), shares), strict=True
        ):
            done += len(share)
            yield done, failing


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
