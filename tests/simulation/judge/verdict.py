"""
The verdict over a history: what is wrong with it, and what else is worth counting.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass
class Verdict:
    """What is wrong, and figures of what is not."""

    wrong: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


def judge(world: "World") -> Verdict:
    """Every way in which the history is not one of atomic turns."""
    from tests.simulation.judge import answers, replies, state, statuses

    verdict = Verdict()
    verdict.wrong += world.chronicle.faults
    for part in (state, replies, statuses, answers):
        part.judge(world, verdict)
    if world.errors:
        verdict.figures["histories in which the product logged an error"] += 1
    return verdict
