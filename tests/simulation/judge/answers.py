"""
Answers: a response says what was committed, the same each time while it can be repeated.
"""

from collections.abc import Iterator

from tests.simulation.bot import SILENT
from tests.simulation.chronicle import Committed
from tests.simulation.instances import Handling
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

REPEATED = 3
"""While so few turns came after it, the answer of a turn is repeated."""


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    verdict.wrong += _answers(world, verdict)


def _answers(world: World, verdict: Verdict) -> Iterator[str]:
    for handling in world.handlings:
        if handling.status != 200 or handling.said.verb == SILENT:
            continue
        turns = [
            one
            for one in world.chronicle.of_said(handling.said)
            if one.at_s <= (handling.ended_at_s or 0.0)
        ]
        if not turns or handling.answer == turns[-1].answer:
            continue
        if _is_of_an_earlier_turn(world, handling, turns):
            continue
        if _differs_in_what_was_lost(world, handling, turns[-1]):
            continue
        if world.document_troubles[turns[-1].home_key]:
            # The apology for a conversation that cannot be read.
            continue
        is_part = handling.answer == turns[-1].answer[: len(handling.answer)]
        if is_part and _may_be_forgotten(world, handling, turns[-1]):
            verdict.figures["answers that could not be repeated"] += 1
            continue
        yield f"{handling.name} was answered {handling.answer}, not {turns[-1].answer}"


def _is_of_an_earlier_turn(world: World, handling: Handling, turns: list[Committed]) -> bool:
    """Whether it answers as of a turn of its own, which its conversation has forgotten since."""
    return any(
        handling.answer == turn.answer and world.chronicle.was_reset(turn.home_key, turn.at_s)
        for turn in turns
    )


def _differs_in_what_was_lost(world: World, handling: Handling, turn: Committed) -> bool:
    """Whether only one of both names a change that was lost before a document was restored."""
    is_reset = world.chronicle.was_reset(turn.home_key, turn.at_s)
    both = min(len(handling.answer), len(turn.answer))
    return is_reset and both > 0 and handling.answer[:both] == turn.answer[:both]


def _may_be_forgotten(world: World, handling: Handling, turn: Committed) -> bool:
    if world.chronicle.was_reset(turn.home_key, turn.at_s):
        return True
    later = [
        one
        for one in world.chronicle.of_place(turn.place)
        if one.order > turn.order and one.at_s <= (handling.ended_at_s or 0.0)
    ]
    return len(later) >= REPEATED or world.is_small
