"""
State: each turn counts once, on top of the turn before; of two changes the later one wins.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.simulation.faults import Fault
from tests.simulation.judge.finished import Finished, by_place
from tests.simulation.judge.verdict import Verdict
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.script import Said

REMEMBERED = 16
REMEMBERED_SMALL = 3
"""After so many more turns, a redelivery need not be recognised; the latter with small bounds."""

REMEMBERED_S = 86_400.0


def judge(world: World, verdict: Verdict) -> None:
    """See the module."""
    finished = Finished(world)
    verdict.wrong += _conversations(world)
    verdict.wrong += _once(world)
    verdict.wrong += _in_order(world)
    verdict.wrong += _first_come(world)
    verdict.wrong += _counts_elsewhere(world, finished)
    verdict.wrong += _later_wins(world, finished)
    verdict.wrong += _late(world)
    verdict.wrong += _readable(world)


def _conversations(world: World) -> Iterator[str]:
    for turn in world.chronicle.commits:
        expected = turn.count_before + turn.counts
        if turn.count != expected:
            yield f"{turn.said.label} made the count of {turn.place} {turn.count}, not {expected}"
        user_key = turn.said.identity.user_key or ""
        if turn.counts and f"count in {turn.place}" not in turn.writes.get(user_key, {}):
            yield f"{turn.said.label} was committed without its user's count"


def _once(world: World) -> Iterator[str]:
    remembered = REMEMBERED_SMALL if world.is_small else REMEMBERED
    for turns in by_place(world).values():
        last_of: dict[str, tuple[int, float]] = {}
        for number, turn in enumerate(turns):
            label = turn.said.label
            if label in last_of:
                at, earlier_s = last_of[label]
                is_forgotten = number - at > remembered or turn.at_s - earlier_s > REMEMBERED_S
                if not is_forgotten and not world.chronicle.was_reset(
                    turn.home_key, earlier_s, turn.at_s
                ):
                    yield f"{label} was committed twice"
            last_of[label] = number, turn.at_s


def _in_order(world: World) -> Iterator[str]:
    """Turns take effect in the order in which they were accepted."""
    for turns in by_place(world).values():
        home_key = turns[0].home_key
        if world.chronicle.was_reset(home_key, 0):
            continue
        # The version before knows no order but that of its commits.
        ours = [turn for turn in turns if turn.e_tag not in world.written_before]
        committed = list(dict.fromkeys(turn.said.identity.turn_id for turn in ours))
        accepted = [one for one in world.chronicle.accepted[home_key] if one in committed]
        if committed != accepted:
            yield f"{turns[0].place}: accepted {accepted}, committed {committed}"


def _first_come(world: World) -> Iterator[str]:
    """What a process was sent in some order it accepts in that order."""
    deliveries = Counter(one.said.label for one in world.handlings)
    came: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for one in world.handlings:
        is_plain = one.said.kind in ("message", "event") and not one.was_cancelled
        if is_plain and one.status == 200 and deliveries[one.said.label] == 1:
            instance, home_key = one.instance, one.said.identity.home_key
            # Whatever has waited for the end of a pause goes on in any order.
            if not (instance.is_older or instance.pauses_s):
                came[instance.name, home_key].append(one.said)
    for (name, home_key), said in came.items():
        if world.chronicle.was_reset(home_key, 0):
            continue
        order = world.chronicle.accepted[home_key]
        places = {turn_id: place for place, turn_id in enumerate(order)}
        accepted = [one for one in said if one.identity.turn_id in places]
        for earlier, later in pairwise(accepted):
            if places[later.identity.turn_id or ""] < places[earlier.identity.turn_id or ""]:
                yield f"{later.label} overtook {earlier.label} in {name}"


def _counts_elsewhere(world: World, finished: Finished) -> Iterator[str]:
    """The user's count in a conversation, and the conversation's on the board."""
    chains = defaultdict(list)
    for turn in world.chronicle.commits:
        for key, properties in turn.writes.items():
            for name, value in properties.items():
                if isinstance(value, int):
                    chains[key, name].append((turn, value))
    for (key, name), links in chains.items():
        before, since_s = {0}, 0.0
        for turn, value in links:
            is_reset = world.chronicle.was_reset(key, 0, turn.at_s) or (
                world.chronicle.was_reset(turn.home_key, since_s, turn.at_s)
            )
            if is_reset:
                # The change before may have been lost, or not.
                before.add(value - 1)
            if value - 1 not in before:
                yield f"{turn.said.label} made {name!r} of {key!r} {value}, after {before}"
            # What could not be kept may have been kept all the same.
            is_unsure = finished.is_dropped(turn, name) or finished.may_be_behind(turn, turn.at_s)
            before = {*before, value} if is_unsure else {value}
            since_s = turn.at_s
        last = links[-1][0]
        is_lost = world.chronicle.was_reset(last.home_key, last.at_s)
        if is_lost or world.chronicle.was_reset(key, 0) or finished.missing(last, float("inf")):
            continue
        stored = (world.store.current(key) or {}).get(name, 0)
        if stored not in before:
            yield f"{name!r} of {key!r} is {stored} after all, not {before}"


def _later_wins(world: World, finished: Finished) -> Iterator[str]:
    """The property that several conversations change has the value of the latest turn."""
    for turn in world.chronicle.commits:
        seen = finished.order_of(turn.saw)
        if seen is not None and turn.stamp <= seen:
            yield f"{turn.said.label} saw {turn.saw}, and is not later"
    for key, contents in world.chronicle.contents.items():
        if "/users/" not in key or world.chronicle.was_reset(key, 0):
            continue
        latest, latest_stamp = None, -1
        for _, properties in contents:
            stamp = finished.order_of(properties.get("latest"))
            if stamp is None or properties["latest"] == latest:
                continue
            if stamp < latest_stamp:
                yield f"{properties['latest']} came over the later {latest} in {key!r}"
            latest, latest_stamp = properties["latest"], stamp
        changes = [
            turn
            for turn in world.chronicle.commits
            if "latest" in turn.writes.get(key, {})
            and not finished.is_dropped(turn, "latest")
            and not finished.missing(turn, float("inf"))
            and not world.chronicle.was_reset(turn.home_key, turn.at_s)
        ]
        if not changes:
            continue
        last = max(changes, key=lambda turn: turn.stamp)
        ties = {one.writes[key]["latest"] for one in changes if one.stamp == last.stamp}
        stored = (world.store.current(key) or {}).get("latest")
        pending = (
            turn.writes[key]["latest"]
            for turn in world.chronicle.commits
            if "latest" in turn.writes.get(key, {}) and turn.stamp > last.stamp
        )
        if stored not in ties and stored not in pending:
            yield f"'latest' of {key!r} is {stored}, and not that of {last.said.label}"


def _late(world: World) -> Iterator[str]:
    """What a task of the bot does after its turn is refused."""
    for what, refusal in world.refused_late:
        # A read that was under way may have met a store that was away.
        if refusal not in ("RuntimeError", "TurnDeadlineExceeded"):
            yield f"{what} after its turn met {refusal or 'no error'}"


def _readable(world: World) -> Iterator[str]:
    """What the product writes into its journals it can read."""
    if Fault.JOURNAL_POISONED not in world.plan.drawn:
        for _, message in world.errors:
            if "is left out" in message:
                yield f"what it wrote itself: {message}"
