"""
Which faults a history has, and when.
"""

import random
from dataclasses import dataclass, field

from tests.simulation.adapter import ChannelFaults
from tests.simulation.faults import (
    DOCUMENT_ERRORS,
    IN_ONE_VERSION,
    OF_BELLS,
    SHARES,
    USUAL,
    Fault,
)
from tests.simulation.queue import QueueFaults, QueueOutage
from tests.simulation.script import Places, Said
from tests.simulation.store_client import DocumentFault, StoreFaults

HEALED_AT_S = 60.0
"""From here on nothing fails any more, so that every history comes to an end."""

_USUAL_FIELDS = {
    Fault.STORE_UNAVAILABLE: "unavailable",
    Fault.STORE_THROTTLED: "throttled",
    Fault.STORE_ANSWER_LOST: "answer_lost",
    Fault.STORE_REPEATED: "repeated",
    Fault.STORE_LATE: "late",
    Fault.CHANNEL_THROTTLED: "throttled",
    Fault.CHANNEL_NOT_CONNECTED: "not_connected",
    Fault.CHANNEL_FAILED: "failed",
    Fault.CHANNEL_ANSWER_LOST: "answer_lost",
}


@dataclass(frozen=True)
class Event:
    """Something that happens to an instance, or to a document, at some time."""

    fault: Fault
    at_s: float
    instance: int
    length_s: float
    key: str = ""


@dataclass
class Plan:
    """What goes wrong in a history."""

    drawn: frozenset[Fault]
    store: StoreFaults = field(default_factory=StoreFaults)
    channel: ChannelFaults = field(default_factory=ChannelFaults)
    queue: QueueFaults = field(default_factory=QueueFaults)
    events: list[Event] = field(default_factory=list)
    ttl_s: float | None = None
    deaths: int = 0
    deaths_with_bells: int = 0
    """Of those, the ones in which a process has a bell to look after."""
    replaced_at_s: float = 0.0
    """Until then the version before runs beside."""
    lasts_until_s: float = 0.0
    """So long things go wrong even if everything is answered."""


def draw(chance: random.Random, always: frozenset[Fault], never: frozenset[Fault]) -> Plan:
    """
    Draw the kinds of faults of a history; mostly few at once, so that each history tests something.

    `always` are drawn for certain, `never` not.
    """
    rate = chance.choice((0.0, 0.02, 0.05, 0.15))
    usual = {fault for fault in USUAL if chance.random() < 0.4 and rate} | (always & set(USUAL))
    others = {fault for fault, share in SHARES.items() if chance.random() < share}
    drawn = frozenset((usual | others | always) - never)
    if drawn & OF_BELLS:
        drawn |= {Fault.BOT_SLOW} - never
    if Fault.VERSION_BEFORE in drawn:
        drawn -= IN_ONE_VERSION
    plan = Plan(drawn)
    for fault in USUAL:
        if fault in drawn:
            faults = plan.store if fault.value.startswith("store") else plan.channel
            setattr(faults, _USUAL_FIELDS[fault], rate or 0.05)
    if Fault.STORE_SLOW in drawn:
        plan.store.slow = chance.choice((0.02, 0.1))
    if Fault.STORE_LAGGING in drawn:
        plan.store.lagging = chance.choice((0.3, 0.8))
    if Fault.CHANNEL_SLOW in drawn:
        plan.channel.slow = chance.choice((0.02, 0.1, 0.5))
    if Fault.CHANNEL_BUSY in drawn:
        plan.channel.busy = chance.choice((0.1, 0.4))
    if Fault.CHANNEL_REFUSED in drawn:
        plan.channel.refused = chance.choice((0.05, 0.2))
    if Fault.CHANNEL_ODD_ANSWER in drawn:
        plan.channel.odd = chance.choice((0.1, 0.5))
    if Fault.KILL in drawn:
        plan.deaths = chance.choice((1, 1, 2, 3))
    if Fault.VERSION_BEFORE in drawn:
        plan.replaced_at_s = chance.choice((2.0, 10.0, 35.0, 35.0))
    _draw_for_queue(plan, chance)
    return plan


def _draw_for_queue(plan: Plan, chance: random.Random) -> None:
    queue, drawn = plan.queue, plan.drawn
    if Fault.BELL_LATE in drawn:
        queue.late = 0.3
    if Fault.BELL_DOUBLED in drawn:
        queue.doubled = 0.3
    if Fault.BELL_AT_ONCE in drawn:
        queue.at_once = 0.5
    if Fault.BELL_HIDDEN in drawn:
        queue.receive_lost = chance.choice((0.1, 0.5))
    if Fault.NOT_RUNG in drawn:
        queue.not_rung = chance.choice((0.1, 0.5))
    if Fault.PAUSE in drawn:
        queue.stands = chance.choice((0.0, 0.1))
    if Fault.HOST_DIES in drawn:
        plan.deaths_with_bells = chance.choice((1, 1, 2))
    if drawn & OF_BELLS:
        plan.lasts_until_s = HEALED_AT_S


def schedule(plan: Plan, chance: random.Random, said: list[Said], places: Places) -> None:
    """Draw when the faults happen, and to what: while there is something to disturb."""
    last_s = max(one.at_s for one in said) + 1.0

    def at_s() -> float:
        # Something said is being handled then, mostly.
        return chance.choice((chance.uniform(0, last_s), chance.choice(said).at_s + 0.05))

    if Fault.STORE_OUTAGE in plan.drawn:
        plan.store.outages.append(_window(at_s(), chance.choice((2.0, 8.0, 20.0))))
    if Fault.CHANNEL_OUTAGE in plan.drawn:
        plan.channel.outages.append(_window(at_s(), chance.choice((2.0, 8.0, 20.0))))
    if Fault.QUEUE_OUTAGE in plan.drawn:
        for _ in range(chance.choice((1, 1, 2))):
            whose = chance.choice((None, None, 0, 1))
            window = _window(at_s(), chance.choice((2.0, 8.0, 20.0)))
            plan.queue.outages.append(QueueOutage(*window, whose))
    for fault in (Fault.WORKER_STOPS, Fault.WORKERS_STOP):
        if fault in plan.drawn:
            whose = None if fault is Fault.WORKERS_STOP else chance.randrange(2)
            window = _window(at_s(), chance.choice((27.0, 40.0, 60.0)))
            plan.queue.outages.append(QueueOutage(*window, whose))
    if Fault.CHANNEL_LONG_OUTAGE in plan.drawn:
        plan.channel.throttled_place = chance.choice(sorted(places))
        plan.channel.throttled_until_s = 900.0
    if Fault.CHANNEL_NEVER_ANSWERS in plan.drawn:
        plan.channel.fails_for = f"{chance.choice(said).label}/0/"
    for fault in _LENGTHS:
        if fault in plan.drawn:
            for _ in range(chance.choice((1, 1, 2))):
                length_s = chance.choice(_LENGTHS[fault])
                begins_s = at_s()
                if fault is Fault.PAUSE and chance.random() < 0.3:
                    # A slow turn is claimed then.
                    begins_s = chance.choice(said).at_s + chance.uniform(1.0, 1.1)
                if fault is Fault.LEAVES and chance.random() < 0.5:
                    # A slow turn is run then.
                    begins_s = chance.choice(said).at_s + chance.uniform(0.0, 8.0)
                plan.events.append(Event(fault, begins_s, chance.randrange(3), length_s))
    homes = sorted({one.identity.home_key for one in said})
    others = [*sorted({one.identity.user_key or "" for one in said}), "board"]
    for fault in DOCUMENT_ERRORS:
        if fault in plan.drawn:
            plan.store.documents.append(_document_fault(chance, fault, at_s(), homes, others))
    for fault in (Fault.DOCUMENT_DELETED, Fault.DOCUMENT_RESTORED, Fault.JOURNAL_POISONED):
        if fault in plan.drawn:
            for _ in range(chance.choice((1, 1, 3))):
                key = chance.choice(homes + others)
                age = float(chance.choice((1, 2, 4)))
                plan.events.append(Event(fault, at_s() + 0.3, 0, age, key))
    if Fault.DOCUMENT_EXPIRED in plan.drawn:
        plan.ttl_s = chance.choice((0.5, 2.0, 10.0))


_LENGTHS = {
    Fault.PARTITION: (1.0, 4.0, 8.0, 20.0),
    Fault.PAUSE: (3.0, 7.0, 9.0, 15.0, 40.0, 70.0),
    Fault.CLOCK_FORWARD: (90.0, 600.0, 3600.0),
    Fault.CLOCK_BACK: (-90.0, -600.0, -3600.0),
    Fault.TIMER_DIES: (0.0,),
    Fault.LEAVES: (3.0, 10.0, 30.0),
}
"""In seconds."""


def _window(begins_s: float, length_s: float) -> tuple[float, float]:
    return begins_s, min(begins_s + length_s, HEALED_AT_S)


def _document_fault(
    chance: random.Random, fault: Fault, at_s: float, homes: list[str], others: list[str]
) -> DocumentFault:
    """Documents of conversations fail for a while, others also for good."""
    key = chance.choice(homes if chance.random() < 0.3 else others)
    verbs = DocumentFault.verbs_of(fault)
    if len(verbs) > 1:
        verbs = chance.choice((verbs, verbs[:1], verbs[1:]))
    is_for_good = key in others and chance.random() < 0.5
    ends_s = float("inf") if is_for_good else min(at_s + chance.choice((1, 5, 20)), HEALED_AT_S)
    return DocumentFault(fault, key, verbs, max(0.0, at_s - 0.05), ends_s, chance.randrange(5))
