"""
Statuses: 200 means that all will be done, everything is answered, and after the faults with 200.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.bot import FAILING, SILENT
from tests.simulation.faults import Fault
from tests.simulation.instances import Handling
from tests.simulation.judge.finished import Finished, by_place
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

LEASE_S = 6.0

HARMLESS = frozenset(
    {
        Fault.STORE_ANSWER_LOST,
        Fault.STORE_REPEATED,
        Fault.STORE_LATE,
        Fault.STORE_LAGGING,
        Fault.CLOCK_SKEW,
        Fault.CLOCK_FORWARD,
        Fault.CLOCK_BACK,
        Fault.REDELIVERED,
        Fault.REDELIVERED_AT_ONCE,
        Fault.REDELIVERED_LATE,
        Fault.BOT_RAISES,
        Fault.BOT_CANCELLED,
        Fault.BOT_EXITS,
        Fault.BOT_SENDS_LATE,
        Fault.BOT_WRITES_LATE,
        Fault.SHARED_PROPERTY,
        Fault.SAME_ID,
        Fault.JOURNAL_NEWER,
        Fault.ODD_IDS,
    }
)
"""These keep nobody waiting, and are no reason to answer anything but 200."""


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    finished = Finished(world)
    verdict.wrong += _two_hundreds(world, finished, verdict)
    verdict.wrong += _one_after_the_other(world, finished)
    verdict.wrong += _endings(world)
    verdict.wrong += _without_faults(world)
    _unfinished(world, finished, verdict)


def _two_hundreds(world: World, finished: Finished, verdict: Verdict) -> Iterator[str]:
    """What is answered 200 is applied and said in the end, or there was nothing to do."""
    for handling in world.handlings:
        if handling.status != 200 or handling.ended_at_s is None:
            continue
        said = handling.said
        turns = world.chronicle.of_said(said)
        if turns:
            missing = finished.missing(turns[-1], float("inf"))
            if missing and world.document_troubles[turns[-1].home_key]:
                verdict.figures["200 where the conversation could not be read"] += 1
            elif missing:
                yield f"{handling.name} was answered 200, and {missing[0]}"
        elif said.verb != SILENT and not (said.kind == "event" and said.verb in FAILING):
            home_key = said.identity.home_key
            if world.document_troubles[home_key] or world.chronicle.was_reset(home_key, 0):
                verdict.figures["200 where no turn could be committed"] += 1
            elif said.kind != "event" or not _had_trouble(world, handling):
                yield f"{handling.name} was answered 200, and never committed"


def _had_trouble(world: World, handling: Handling) -> bool:
    """A handler of what is no message may fail without a word."""
    return bool(world.document_troubles[handling.said.identity.user_key or ""])


def _one_after_the_other(world: World, finished: Finished) -> Iterator[str]:
    """A turn is finished before the next one of its conversation is committed."""
    for turns in by_place(world).values():
        for turn, following in pairwise(turns):
            missing = finished.missing(turn, following.at_s)
            if missing:
                yield f"{following.said.label} was committed, and {missing[0]}"


def _endings(world: World) -> Iterator[str]:
    """Every request has an end."""
    for handling in world.handlings:
        if not handling.instance.is_alive or handling.was_cancelled:
            continue
        if handling.ended_at_s is None:
            yield f"{handling.name} never ended"
        elif handling.status is None:
            yield f"{handling.name} ended with {handling.failure}, and without an answer"
        elif handling.failure in ("StateTooLarge", "StateNotStorable"):
            yield f"{handling.name} ended with {handling.failure}, and without a word"
        elif handling.status == 500 and Fault.DOCUMENT_UNKNOWN_ERROR not in world.plan.drawn:
            yield f"{handling.name} ended with {handling.failure}"


def _without_faults(world: World) -> Iterator[str]:
    """Nobody waits for a lease, or is sent away, where nobody died and nothing was slow."""
    if world.plan.drawn - HARMLESS:
        return
    for handling in world.handlings:
        took_s = (handling.ended_at_s or 0.0) - handling.began_at_s
        if handling.status != 200:
            yield f"{handling.name} was answered {handling.status} {handling.failure}"
        elif took_s > LEASE_S:
            yield f"{handling.name} took {took_s:.1f} s"


def _unfinished(world: World, finished: Finished, verdict: Verdict) -> None:
    """In the end nothing that was committed is missing, whether anybody was told so or not."""
    for turns in by_place(world).values():
        for turn in turns:
            missing = finished.missing(turn, float("inf"))
            if missing and not world.document_troubles[turn.home_key]:
                verdict.wrong.append(f"in the end {missing[0]}")
