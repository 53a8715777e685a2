"""
Runs: a bot is at work on an activity once at a time, for somebody, and no longer than it may be.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from tests.simulation.bot import FAILING
from tests.simulation.faults import Fault
from tests.simulation.judge.in_time import UNHINDERED, WAITING_KINDS
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.instances import Run

CANCELLED_S = 0.1
"""So soon a run has ended that is not to be."""

CLAIMED_S = 1.5
"""So long two processes may run one activity: until one of them has claimed it."""

LOOKS_AGAIN_S = 1.0
"""So much longer where reads lag: one that does leaves open who has claimed it."""

BROKEN_OFF_S = 2.5
"""So long a process that is told to leave goes on with a run: it may claim it first."""

READ_S = 5.0
"""So long documents may be read before a run, while its request ends."""


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    verdict.wrong += _one_at_a_time(world)
    verdict.wrong += _awaited(world)
    verdict.wrong += _broken_off(world)


def _one_at_a_time(world: World) -> Iterator[str]:
    """
    A run that has lost its race is cancelled, and after the claim nobody else begins one.

    An owner that cannot reach the store goes on until it knows that it is none any more.
    """
    if world.plan.drawn - UNHINDERED:
        return
    claimed_s = CLAIMED_S + LOOKS_AGAIN_S * (Fault.STORE_LAGGING in world.plan.drawn)
    runs: dict[str, list[Run]] = defaultdict(list)
    for one in world.runs:
        home_key = one.said.identity.home_key
        is_forgotten = world.chronicle.was_reset(home_key, 0)
        if one.said.verb not in FAILING and not is_forgotten:
            runs[one.said.label].append(one)
    for label, several in runs.items():
        for earlier, later in combinations(several, 2):
            most_s = CANCELLED_S if earlier.instance is later.instance else claimed_s
            both_s = min(earlier.lasted_until_s, later.lasted_until_s) - later.began_s
            if both_s > most_s:
                names = f"{earlier.instance.name} and {later.instance.name}"
                yield f"{label} was run by {names} at once, for {both_s:.1f} s"


def _awaited(world: World) -> Iterator[str]:
    """What is the answer to a request is not run when nobody waits for it there."""
    for run in world.runs:
        if run.said.kind not in WAITING_KINDS or run.instance.is_older:
            continue
        if not any(
            one.said is run.said
            and one.began_at_s <= run.began_s
            and (one.ended_at_s is None or run.began_s <= one.ended_at_s + READ_S)
            for one in run.instance.handlings
        ):
            yield f"{run.said.label} was run by {run.instance.name}, where nobody waited for it"


def _broken_off(world: World) -> Iterator[str]:
    """A process that is told to leave hands over what it runs, and begins nothing long."""
    if world.plan.drawn - UNHINDERED:
        return
    for run in world.runs:
        since_s = max(run.began_s, run.instance.left_at_s)
        if run.lasted_until_s - since_s > BROKEN_OFF_S:
            yield f"{run.said.label} was still run by {run.instance.name}, which was told to leave"
