"""Atomic turns under everything that can go wrong, in thousands of seeded histories."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.simulation.copies import SMALL_BOUNDS, original
from tests.simulation.faults import Fault
from tests.simulation.histories import Tally, describe, play, tally

HISTORIES = 1_000
PROCESSES = 2
SHARE = 50

LEAST = 0.002
"""
Each fault happens in so many of the histories, at least.

It is to be 500 of 100,000; the difference is what chance may do in a thousand.
"""


@pytest.fixture(scope="module")
def played() -> Tally:
    """Histories that were played and judged."""
    shares = [range(first, first + SHARE) for first in range(0, HISTORIES, SHARE)]
    total = Tally()
    # Spawned: a fork would copy whatever threads and loops other tests have left.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for part in pool.map(tally, shares):
            total.add(part)
    return total


@pytest.mark.timeout(300)
def test_every_history_is_one_of_atomic_turns(played: Tally) -> None:
    """State once, replies once and in order, 200 only for what is done: whatever fails or dies."""
    assert {} == played.wrong, _explain(min(played.wrong))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_fault_is_part_of_histories(played: Tally, fault: Fault) -> None:
    """It really happens, and not only in a history or two."""
    assert LEAST * HISTORIES <= played.happened[fault.value]


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same events at the same times, so that a failure can be studied."""
    histories = {describe(play(seed=7)[0]) for _ in range(3)}
    assert 1 == len(histories)


def test_bounds_are_small_in_the_copy_only() -> None:
    """A short history reaches bounds that the product itself has far away."""
    small = original().small()
    product = original()
    assert (
        product.bound("DONE_TURNS") > small.bound("DONE_TURNS") == int(SMALL_BOUNDS["DONE_TURNS"])
    )


def _explain(seed: int) -> str:
    world, verdict = play(seed)
    return "\n".join((f"seed {seed}:", *verdict.wrong, describe(world)))
