"""
What happens to instances and documents beside the requests that fail.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.faults import Fault
from tests.simulation.instances import Instance
from tests.simulation.plan import Event
from tests.simulation.script import ODD_NAMES, Said
from tests.simulation.store_client import PROCESS

if TYPE_CHECKING:
    from tests.simulation.world import World

LEASE_S = 6.0


def disturb(world: "World", event: Event) -> None:
    """Let an event of the plan happen."""
    if event.key:
        _change_document(world, event)
        return
    alive = [one for one in world.instances if one.is_alive]
    instance = alive[event.instance % len(alive)]
    world.tell(instance.name, "world", event.fault.value, f"{event.length_s:+.1f} s")
    _TO_INSTANCES[event.fault](world, instance, event.length_s)


def stand(world: "World") -> None:
    """Let the process that asks for something stand still for longer than a bell takes."""
    instance = PROCESS.get()
    if instance is not None and instance.is_alive:
        event = Event(Fault.PAUSE, world.loop.time(), 0, world.chance.choice((15.0, 25.0, 40.0)))
        world.plan.events.append(event)
        world.tell(instance.name, "world", event.fault.value, f"{event.length_s:+.1f} s")
        _pause(world, instance, event.length_s)


def _pause(world: "World", instance: Instance, length_s: float) -> None:
    now_s = world.loop.time()
    instance.stands_until_s = max(instance.stands_until_s, now_s + length_s)
    instance.pauses_s.append((now_s, now_s + length_s))
    stood = instance.stood

    def resume() -> None:
        if length_s > LEASE_S and instance.stood > stood and instance.is_alive:
            world.happened[Fault.PAUSE] += 1

    world.loop.call_later(length_s, resume)


def _cut_off(world: "World", instance: Instance, length_s: float) -> None:
    instance.cut_off_until_s = max(instance.cut_off_until_s, world.loop.time() + length_s)


def _set_clock(world: "World", instance: Instance, seconds: float) -> None:
    instance.clock_ahead_s += seconds
    fault = Fault.CLOCK_FORWARD if seconds > 0 else Fault.CLOCK_BACK
    world.happened[fault] += 1


def _leave(world: "World", instance: Instance, length_s: float) -> None:
    """Tell a process that it will be stopped. Another one takes its place at once."""
    if instance.is_older or instance.has_left:
        return
    if instance.bot.is_busy or any(not one.over.is_set() for one in instance.handlings):
        world.happened[Fault.LEAVES] += 1
    instance.left_at_s = world.loop.time()
    # A load balancer may hear of it later than the process.
    instance.is_leaving = world.chance.random() < 0.5
    instance.bot.leave()
    world.replace(instance)
    world.loop.call_later(length_s, world.retire, instance)


def _kill(world: "World", instance: Instance, _length_s: float) -> None:
    """Whoever sweeps, if that is known yet."""
    holder = world.triggers.holder
    world.wore_out(holder if holder is not None and holder.is_alive else instance)


_TO_INSTANCES: dict[Fault, Callable[["World", Instance, float], None]] = {
    Fault.PAUSE: _pause,
    Fault.PARTITION: _cut_off,
    Fault.CLOCK_FORWARD: _set_clock,
    Fault.CLOCK_BACK: _set_clock,
    Fault.TIMER_DIES: _kill,
    Fault.LEAVES: _leave,
}


def expire(world: "World", key: str, e_tag: str) -> None:
    """Let a document go that nobody has written for its time to live."""
    if world.store.e_tag(key) == e_tag and not world.healed_at_s:
        _reset(world, key, Fault.DOCUMENT_EXPIRED, None)
        world.store.delete(key, world.loop.time())


def _change_document(world: "World", event: Event) -> None:
    document, now_s = world.store.current(event.key), world.loop.time()
    if document is None:
        return
    match event.fault:
        case Fault.DOCUMENT_DELETED:
            world.store.delete(event.key, now_s)
            document = None
        case Fault.DOCUMENT_RESTORED:
            if not world.store.restore(event.key, now_s, int(event.length_s)):
                return
            document = world.store.current(event.key)
        case Fault.JOURNAL_POISONED:
            document["$turns"] = _poison(world, document["$turns"])
            world.store.replace(event.key, document, now_s)
    _reset(world, event.key, event.fault, document)


def _reset(world: "World", key: str, fault: Fault, document: dict[str, Any] | None) -> None:
    world.happened[fault] += 1
    world.tell("", "store", fault.value, key)
    world.chronicle.reset(key, world.loop.time(), fault.value, document)


_POISONS: tuple[tuple[str, Any], ...] = (
    ("version", -7),
    ("version", "many"),
    ("version", 10**30),
    ("stamp", "late"),
    ("stamp", -1),
    ("done", "t1 a1"),
    ("done", [5]),
    ("done", ["nothing else"]),
    ("seen", {"board": {"version": 3, "at_s": 9e12}}),
    ("seen", {"board": {}}),
    ("seen", []),
    ("applied", {"x": "y"}),
    ("ids", {"m1": 5}),
    ("last", "gone"),
    ("last", {}),
    ("last", {"id": 5}),
    ("last", {"id": "x", "by": "y", "replies": ["{"]}),
    ("last", {"id": "x", "by": "y", "replies": ['{"verb": "sing"}'], "sent": -1}),
    ("last", {"id": "x", "by": "y", "replies": [5], "ids": {"m1": 5}}),
    ("last", {"id": "x", "by": "y", "writes": {"board": {"put": []}}}),
    ("last", {"id": "x", "by": "y", "writes": {"board": None}, "stamp": "now"}),
    ("last", {"id": "x", "by": "y", "at_s": "9", "replies": ["null"]}),
)


def _poison(world: "World", journal: Any) -> Any:
    """A journal with something in it that no version of the app has ever written."""
    if not isinstance(journal, dict) or world.chance.random() < 0.1:
        return world.chance.choice(([], "nonsense", 5))
    name, value = world.chance.choice(_POISONS)
    return {**journal, name: value}


def count_script(world: "World", said: Said) -> None:
    """Count those faults that are already in what is said."""
    drawn, happened = world.plan.drawn, world.happened
    if any(odd in name for odd in ODD_NAMES if odd != " " for name in (said.place, said.user)):
        happened[Fault.ODD_IDS] += 1
    if said.activity_id != said.label:
        happened[Fault.SAME_ID] += 1
    for fault in (Fault.MANY_CONVERSATIONS, Fault.MANY_TURNS, Fault.CROWD):
        if fault in drawn:
            happened[fault] += 1
    verb = said.verb
    if verb in _OF_VERBS:
        happened[_OF_VERBS[verb]] += 1


_OF_VERBS = {
    "boom": Fault.BOT_RAISES,
    "hang": Fault.BOT_HANGS,
    "swallow": Fault.BOT_SWALLOWS,
    "cancel": Fault.BOT_CANCELLED,
    "exit": Fault.BOT_EXITS,
    "slow": Fault.BOT_SLOW,
    "mark": Fault.SHARED_PROPERTY,
    "unmark": Fault.SHARED_PROPERTY,
    "grow": Fault.STATE_LARGE,
}
