"""
What of a committed turn has not happened by some time, and may not be missing.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shared.turns import Apologies
from tests.simulation.channel import Accepted, Came
from tests.simulation.chronicle import Committed
from tests.simulation.faults import Fault
from tests.simulation.world import World

DELIVERIES = 3
DELIVERY_S = 30.0
"""So many deliveries without an answer, over so long, and a reply may be given up."""

REFUSALS = 10
REFUSALS_S = 600.0
"""The same where the channel says that it has not taken it."""

_WRONG_CLOCKS = {Fault.CLOCK_BACK, Fault.CLOCK_FORWARD, Fault.CLOCK_SKEW}


@dataclass(frozen=True)
class Finished:
    """What has happened of the turns of a history."""

    world: World

    def missing(self, turn: Committed, by_s: float) -> list[str]:
        """What should have happened by then, and has not."""
        return [*self._unsaid(turn, by_s), *self._unapplied(turn, by_s)]

    @cached_property
    def first_accepted(self) -> dict[tuple[str, str], Accepted]:
        """The first copy of each reply in each conversation."""
        first: dict[tuple[str, str], Accepted] = {}
        for accepted in self.world.channel.accepted:
            first.setdefault((accepted.conversation_id, accepted.key), accepted)
        return first

    def given_up(self, key: str, by_s: float) -> str | None:
        """Why a reply need not be sent any more; None: it must be."""
        tries = [one for one in self.world.channel.tries[key] if one.at_s <= by_s]
        if any(one.came is Came.NEVER for one in tries):
            return "refused for good"
        if not tries or not self.world.errors:
            return None
        took_s = tries[-1].at_s - tries[0].at_s
        unknown = [one for one in tries if one.came is Came.UNKNOWN]
        if len(unknown) >= DELIVERIES and took_s >= DELIVERY_S:
            return "no usable answer"
        if len(tries) >= REFUSALS and took_s >= REFUSALS_S:
            return "not sent for long"
        if unknown and len(tries) >= DELIVERIES and took_s >= DELIVERY_S:
            return "no usable answer, or not sent"
        if not self.world.plan.drawn & _WRONG_CLOCKS:
            return None
        if (unknown and len(tries) >= DELIVERIES) or len(tries) >= REFUSALS:
            return "too early, by a wrong clock"
        return None

    def is_dropped(self, turn: Committed, name: str) -> bool:
        """Whether the turn tells the user that it could not keep a property."""
        return any(name in _names_in(key) for key in (*turn.replies, *turn.answer))

    def may_be_behind(self, turn: Committed, by_s: float) -> bool:
        """
        Whether its changes may be older than those that came before it.

        A conversation whose document was deleted has forgotten which turns were the latest. From
        then on only clocks tell.
        """
        is_forgetful = self.world.chronicle.was_reset(turn.home_key, 0, by_s)
        return is_forgetful and bool(self.world.plan.drawn & _WRONG_CLOCKS)

    def order_of(self, label: object) -> int | None:
        """The stamp of the turn that an activity became; None: of several turns, or none."""
        stamps = self._stamps.get(label, [])
        return stamps[0] if len(stamps) == 1 else None

    @cached_property
    def _stamps(self) -> dict[object, list[int]]:
        stamps: dict[object, list[int]] = defaultdict(list)
        for turn in self.world.chronicle.commits:
            stamps[turn.said.label].append(turn.stamp)
        return stamps

    def _unsaid(self, turn: Committed, by_s: float) -> Iterator[str]:
        if self.world.chronicle.was_reset(turn.home_key, turn.at_s, by_s):
            return
        for key in turn.replies:
            if turn.added_at_s.get(key, turn.at_s) > by_s:
                # Nobody knew yet that there is more to say.
                continue
            accepted = self.first_accepted.get((turn.place, key))
            if accepted is not None and accepted.at_s <= by_s:
                continue
            if self.given_up(key, by_s) is None:
                yield f"{key} is not said"

    def _unapplied(self, turn: Committed, by_s: float) -> Iterator[str]:
        is_lost = self.world.chronicle.was_reset(turn.home_key, turn.at_s, by_s)
        if is_lost or self.may_be_behind(turn, by_s):
            return
        for key, properties in turn.writes.items():
            if self.world.chronicle.was_reset(key, turn.at_s, by_s):
                continue
            for name, value in properties.items():
                if self.is_dropped(turn, name):
                    continue
                values = self._values(key, name, turn.at_s, by_s)
                if value in values:
                    continue
                if name == "latest" and self._is_superseded(turn, values):
                    continue
                yield f"{name!r} of {turn.said.label} is not in {key!r}"

    def _is_superseded(self, turn: Committed, values: list[object]) -> bool:
        stamps = (stamp for value in values for stamp in self._stamps.get(value, []))
        if any(stamp >= turn.stamp for stamp in stamps):
            return True
        # What removed it has left no label; it must have been later.
        removals = (one for one in self.world.chronicle.commits if one.said.verb == "unmark")
        return None in values and any(one.stamp >= turn.stamp for one in removals)

    def _values(self, key: str, name: str, from_s: float, until_s: float) -> list[object]:
        """The values that a property had in that time."""
        values: list[object] = [None]
        for at_s, properties in self.world.chronicle.contents[key]:
            if at_s > until_s:
                break
            if at_s < from_s:
                values.clear()
            values.append(properties.get(name))
        return values


def _names_in(key: str) -> list[str]:
    """The properties that a notice names; it is what the product says of itself."""
    before, after = Apologies().not_kept.split("{names}")
    if not key.startswith(before):
        return []
    return key.removeprefix(before).rpartition(after)[0].split(", ")


def by_place(world: World) -> dict[str, list[Committed]]:
    """The turns of each conversation, in the order of their commits."""
    turns: dict[str, list[Committed]] = defaultdict(list)
    for turn in world.chronicle.commits:
        turns[turn.place].append(turn)
    return turns
