"""
What must be true after every history, whatever happened in it.
"""

from tests.simulation.judge import answers, in_time, replies, runs, speakers, state, statuses
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

__all__ = ["Verdict", "judge"]


def judge(world: World) -> Verdict:
    """Every way in which the history is not one of atomic turns."""
    verdict = Verdict()
    verdict.wrong += world.chronicle.faults
    for part in (state, replies, speakers, statuses, in_time, runs, answers):
        part.judge(world, verdict)
    if world.errors:
        verdict.figures["histories in which the product logged an error"] += 1
    return verdict
