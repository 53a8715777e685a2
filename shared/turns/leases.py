"""
Whose a committed turn is: the attempt's that committed it or took it over, for some seconds.

So a turn is delivered by one process at a time, and by another when that one has died.
"""

from enum import Enum

from shared.turns.journal import TurnRecord
from shared.turns.limits import CLOCK_TOLERANCE_S, LEASE_S, SEND_S
from shared.turns.surroundings import Surroundings, loop_time_s


class TurnState(Enum):
    """What has become of the last turn that a conversation committed."""

    SETTLED = "settled"
    """Everything has happened. The next turn may run."""
    OURS = "ours"
    """Committed by us: we finish it."""
    ONGOING = "ongoing"
    """Committed by somebody who may be delivering it now: we wait."""
    ABANDONED = "abandoned"
    """Its owner gave it up, or has been silent for longer than the lease: we take it over."""
    DELIVERED = "delivered"
    """Only writes to other documents may be missing, which anybody may apply at any time."""


class Leases:
    """The leases on a conversation's turns, as one activity on its way through knows them."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._owned_since_s: dict[str, float] = {}
        self._first_seen_s: dict[str, float] = {}

    def take(self, by: str) -> None:
        """Count the lease of an attempt of ours from now: before the write that makes it valid."""
        self._owned_since_s[by] = loop_time_s()

    def is_ours(self, by: str) -> bool:
        """Whether we have taken it, however long ago."""
        return by in self._owned_since_s

    def end_s(self, by: str) -> float:
        """When it ends, by the event loop's clock; for somebody else's, at the latest."""
        return self._owned_since_s.get(by, loop_time_s()) + LEASE_S

    def state_of(self, last: TurnRecord | None) -> TurnState:
        """Tell what is to be done about a conversation's last turn; None: there is none."""
        if last is None or last.is_settled:
            return TurnState.SETTLED
        if last.is_delivered:
            return TurnState.DELIVERED
        now_s = loop_time_s()
        if self.is_ours(last.by):
            return TurnState.OURS if self.end_s(last.by) - now_s >= SEND_S else TurnState.ABANDONED
        # Its owner counts from before the commit, and we from after it, so that our
        # clocks need not agree. They must roughly agree for turns from long ago.
        watched_s = now_s - self._first_seen_s.setdefault(last.by, now_s)
        age_s = self._surroundings.now_s() - last.at_s
        is_over = watched_s >= LEASE_S or age_s >= LEASE_S + CLOCK_TOLERANCE_S
        return TurnState.ABANDONED if is_over or not last.by else TurnState.ONGOING
