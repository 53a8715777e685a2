"""Atomic turns under everything that can go wrong, in thousands of seeded histories."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.histories import describe, failing_seeds, play, play_own

HISTORIES = 2_000
PROCESSES = 2
SHARE = 100


def test_every_history_is_one_of_atomic_turns() -> None:
    """State once, replies once and in order, nothing unfinished: whatever fails or dies."""
    shares = [range(first, first + SHARE) for first in range(0, HISTORIES, SHARE)]
    # Spawned: a fork would copy whatever threads and loops other tests have left.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        failing = [seed for seeds in pool.map(failing_seeds, shares) for seed in seeds]
    assert [] == failing, _explain(failing[0])


def test_a_seed_is_a_history() -> None:
    """The same seed gives the same events at the same times, so that a failure can be studied."""
    histories = {describe(play(seed=7)[0]) for _ in range(3)}
    assert 1 == len(histories)


def test_histories_are_eventful() -> None:
    """Processes die, stores fail, channels doubt, and turns are taken over."""
    events = "\n".join(describe(play(seed)[0]) for seed in range(60))
    for event in ("kill", "conflict", "answer lost", "(old)", "late write", "503", "429", "slow"):
        assert event in events


def test_the_own_bot_is_as_after_a_serial_run() -> None:
    """State and replies are those of the same turns one after the other, in commit order."""
    failing = {seed: wrong for seed in range(100) if (wrong := play_own(seed)[1])}
    assert {} == failing


def _explain(seed: int) -> str:
    world, wrong = play(seed)
    return "\n".join((f"seed {seed}:", *wrong, describe(world)))
