"""
In time: requests are answered, and what was accepted is taken up again, by nobody's help.
"""

from collections import Counter
from collections.abc import Iterator

from shared.turns.mailbox.bell import SWEEP
from tests.simulation.bot import FAILING, SILENT
from tests.simulation.faults import Fault
from tests.simulation.instances import Handling
from tests.simulation.judge.verdict import Verdict
from tests.simulation.triggers import SWEEP_S, TIMER_SILENT_S
from tests.simulation.world import World

ANSWER_S = 12.0
ANSWER_BEFORE_S = 15.0
"""The same in the version before, which does not answer early, but says 503 by then."""

WAITING_S = 100.0
SCHEDULING_S = 0.5
RING_AGAIN_S = 5.0

LAST_PAUSE_S = 1.0
"""So long before its time is up what waits may have looked for the last time."""

TAKEN_UP_S = 60.0
"""So soon after the last fault somebody looks after a conversation that has a bell."""

READ_S = 1.0
"""So long ago whoever rings may have read the document, where nothing is slow."""

HANDED_OVER_S = 8.0
"""So soon the next owner goes on with what was left to it, where nothing is in the way."""

SWEPT_S = SWEEP_S + 100.0
"""The same without one, or where it is hidden."""

WAITING_KINDS = ("invoke", "expectReplies")

_NO_TROUBLE = frozenset(
    {
        Fault.CLOCK_SKEW,
        Fault.REDELIVERED,
        Fault.REDELIVERED_AT_ONCE,
        Fault.BOT_RAISES,
        Fault.BOT_SLOW,
        Fault.BOT_SENDS_LATE,
        Fault.BOT_WRITES_LATE,
        Fault.SHARED_PROPERTY,
        Fault.ODD_IDS,
    }
)
"""With these, nobody dies and everything answers, in its time."""

UNHINDERED = _NO_TROUBLE | {
    Fault.KILL,
    Fault.LEAVES,
    Fault.STORE_LAGGING,
    Fault.CHANNEL_SLOW,
    Fault.CLOCK_FORWARD,
    Fault.CLOCK_BACK,
    Fault.JOURNAL_NEWER,
    Fault.REQUEST_CANCELLED,
    Fault.REDELIVERED_LATE,
    Fault.SAME_ID,
    Fault.BOT_CANCELLED,
    Fault.BOT_EXITS,
    Fault.BOT_KILLS,
}
"""With these, store and queue answer in time, and those that live do what they have to."""


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    verdict.wrong += world.chronicle.mailboxes.faults
    verdict.wrong += _answered(world, verdict)
    verdict.wrong += _refused(world)
    verdict.wrong += _rung(world)
    verdict.wrong += _taken_up(world, verdict)
    verdict.wrong += _handed_over(world, verdict)
    verdict.wrong += _economy(world)
    verdict.wrong += _in_charge(world)
    verdict.wrong += [f"a bell failed with {one}" for one in world.triggers.failed]
    verdict.wrong += [f"{one.bell.token} became poison" for one in world.triggers.poisoned]


def _answered(world: World, verdict: Verdict) -> Iterator[str]:
    """A process that lives and does not stand still answers in time."""
    for one in world.handlings:
        if not one.instance.is_alive or one.was_cancelled or one.ended_at_s is None:
            continue
        if _was_paused(one):
            continue
        limit_s = WAITING_S if one.said.kind in WAITING_KINDS else ANSWER_S
        if one.instance.is_older:
            limit_s = ANSWER_BEFORE_S
        took_s = one.ended_at_s - one.began_at_s
        verdict.longest(f"answer to {one.said.kind}", took_s)
        if took_s > limit_s + SCHEDULING_S:
            yield f"{one.name} was answered after {took_s:.1f} s"


def _refused(world: World) -> Iterator[str]:
    """503 is for when store or queue are away, and for what waits for its own answer."""
    for one in world.handlings:
        if one.status in (None, 200, 500) or one.was_cancelled or _was_paused(one):
            continue
        if one.instance.is_older:
            continue
        took_s = (one.ended_at_s or 0.0) - one.began_at_s
        is_waiting = one.said.kind in WAITING_KINDS
        if is_waiting and (one.instance.has_left or took_s >= WAITING_S - LAST_PAUSE_S):
            continue
        if world.chronicle.was_reset(one.said.identity.home_key, 0):
            # It takes some time to believe that a document is gone.
            continue
        if world.is_small and one.failure in ("InboxFull", "TurnDeadlineExceeded"):
            continue
        if not _had_store_trouble(one) and not _had_queue_trouble(world, one):
            yield f"{one.name} was answered {one.status} {one.failure}, and the store was there"


def _rung(world: World) -> Iterator[str]:
    """What is answered before it is done has a bell, unless the store or a pause was in the way."""
    for one in world.handlings:
        home_key = one.said.identity.home_key
        if not one.lacks_bell or _was_paused(one) or _had_store_trouble(one):
            continue
        if not world.chronicle.was_reset(home_key, 0) and not world.document_troubles[home_key]:
            yield f"{one.name} was answered 200, is not done, and has no bell"


def _had_store_trouble(handling: Handling) -> bool:
    """Whether it had to wait for the store, or for others in its process that had to."""
    ended_at_s = handling.ended_at_s or float("inf")
    return any(
        handling.began_at_s <= at_s <= ended_at_s
        for other in handling.instance.handlings
        for at_s, _ in other.store_troubles
    )


def _had_queue_trouble(world: World, handling: Handling) -> bool:
    """Rings that fail take seconds, one after the other for all that wait in line."""
    ended_at_s = handling.ended_at_s or float("inf")
    return any(handling.began_at_s <= at_s <= ended_at_s for at_s, _ in world.queue.failed_s)


def _was_paused(handling: Handling) -> bool:
    ended_at_s = handling.ended_at_s or float("inf")
    return any(
        begins_s <= ended_at_s and ends_s >= handling.began_at_s
        for begins_s, ends_s in handling.instance.pauses_s
    )


def _taken_up(world: World, verdict: Verdict) -> Iterator[str]:
    """Somebody shows a sign of life in each conversation that is not free."""
    from_s = world.last_fault_s
    swept_s = SWEPT_S + TIMER_SILENT_S * bool(world.triggers.timer_died_s)
    for key, signs in world.chronicle.mailboxes.signs.items():
        if world.chronicle.was_reset(key, 0):
            continue
        has_bell = world.had_bell.get(key, False)
        limit_s = TAKEN_UP_S if has_bell else swept_s
        gap_s = 0.0
        since_s, last = from_s, None
        for sign in signs:
            if last is not None and last.is_open and sign.at_s > from_s:
                is_sign = sign.pulse != last.pulse or not sign.is_open
                if not is_sign:
                    # An append says nothing of whoever looks after the conversation.
                    continue
                gap_s = max(gap_s, sign.at_s - since_s)
            since_s, last = max(from_s, sign.at_s), sign
        verdict.longest(f"time to take up, {'with' if has_bell else 'without'} a bell", gap_s)
        if gap_s > limit_s:
            yield f"{key} was taken up after {gap_s:.0f} s, {'with' * has_bell or 'without'} a bell"


def _handed_over(world: World, verdict: Verdict) -> Iterator[str]:
    """What an owner leaves to the next one waits for no lease."""
    if world.plan.drawn - UNHINDERED:
        return
    for key, signs in world.chronicle.mailboxes.signs.items():
        left_s: float | None = None
        for sign in signs:
            if sign.pulse is not None or not sign.is_open:
                gap_s = 0.0 if left_s is None else sign.at_s - left_s
                verdict.longest("time to hand over", gap_s)
                if gap_s > HANDED_OVER_S and not _has_anybody_died(world, sign.at_s - gap_s):
                    yield f"{key} was handed over at {left_s:.1f} s, and lay for {gap_s:.1f} s"
                left_s = None
            elif left_s is None:
                left_s = sign.at_s


def _has_anybody_died(world: World, since_s: float) -> bool:
    return any(since_s <= one.died_at_s < float("inf") for one in world.instances)


def _in_charge(world: World) -> Iterator[str]:
    """A bell that is said to be in charge of a conversation is in the queue."""
    for at_s, key, token in world.triggers.promises:
        if world.chronicle.was_reset(key, 0) or world.document_troubles[key]:
            continue
        # Whoever took long to write it rings it once more.
        again = (rung_s - at_s for rung_s, bell in world.queue.rung if bell.token == token)
        if not any(0 <= later_s <= RING_AGAIN_S for later_s in again):
            yield f"{at_s:.1f}: {key} relies on {token}, which is gone"


def _needless(world: World) -> Iterator[str]:
    """A conversation with a bell in charge gets no other, and one that is not looks twice."""
    rings: Counter[str] = Counter()
    for at_s, bell in world.queue.rung:
        rings[bell.token] += 1
        signs = world.chronicle.mailboxes.signs[bell.conversation]
        # What was read a moment ago may have been changed since.
        before = [one for one in signs if one.at_s <= at_s - READ_S][-1:]
        since = [one for one in signs if at_s - READ_S < one.at_s <= at_s]
        others = {one.watch if one.pulse else "" for one in (*before, *since)}
        if not before or others & {"", bell.token}:
            # It has none, or nobody owns it and the next owner is to come soon.
            continue
        if rings[bell.token] in (1, 3):
            yield f"{bell.token} was rung at {at_s:.1f} s, and {before[0].watch} was in charge"


def _economy(world: World) -> Iterator[str]:
    """Without trouble, bells are few, and the bot runs again only for a lost race."""
    if world.plan.drawn - _NO_TROUBLE:
        return
    time_s = max((sign[-1].at_s for sign in world.chronicle.mailboxes.signs.values()), default=0)
    most = 3 * len(world.handlings) + len(world.places) * time_s / 15 + 3
    if any(bell.token == SWEEP for _, bell in world.queue.rung):
        yield "the sweep rang for what had a bell, and an owner that beats"
    if len(world.queue.rung) > most:
        yield f"{len(world.queue.rung)} bells for {len(world.handlings)} requests in {time_s:.0f} s"
    yield from _needless(world)
    for label, runs in world.runs_of.items():
        mine = [one for one in world.handlings if one.said.label == label]
        is_idle = bool(mine) and mine[0].said.verb in (SILENT, *FAILING)
        if not mine or mine[0].said.kind in WAITING_KINDS or is_idle:
            continue
        races = world.conflicts[mine[0].said.identity.home_key] if len(world.instances) > 1 else 0
        if runs > 1 + races:
            yield f"{label} ran {runs} times, with {races} lost races"
