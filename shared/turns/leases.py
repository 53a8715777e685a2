"""
Whose a committed turn is: the attempt's that committed it or took it over, for some seconds.

So a turn is delivered by one process at a time, and by another when that one has died.
"""

from enum import Enum

from shared.turns.clock import loop_time_s
from shared.turns.limits import LEASE_S, SEND_S
from shared.turns.state.journal import TurnRecord
from shared.turns.watch import Watch


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

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._owned_since_s: dict[str, float] = {}

    def take(self, by: str) -> None:
        """Count the lease of an attempt of ours from now: before the write that makes it valid."""
        self._owned_since_s[by] = loop_time_s()

    def is_ours(self, by: str) -> bool:
        """Whether we have taken it, however long ago."""
        return by in self._owned_since_s

    def left_s(self, by: str) -> float:
        """How much of it is left; for somebody else's, at most."""
        return self._owned_since_s.get(by, loop_time_s()) + LEASE_S - loop_time_s()

    def state_of(self, last: TurnRecord | None) -> TurnState:
        """Tell what is to be done about a conversation's last turn; None: there is none."""
        if last is None or last.is_settled:
            return TurnState.SETTLED
        if last.is_delivered:
            return TurnState.DELIVERED
        if self.is_ours(last.by):
            return TurnState.OURS if self.left_s(last.by) >= SEND_S else TurnState.ABANDONED
        # Its owner counts from before the commit, and whoever watches it from after that, so
        # that their clocks need not agree: the owner's lease always ends first.
        is_over = not last.by or self._watch.seconds(last.by) >= LEASE_S
        return TurnState.ABANDONED if is_over else TurnState.ONGOING
