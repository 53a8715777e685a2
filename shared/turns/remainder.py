"""
What is left to do of a turn, and when that is given up, so that its conversation can go on.
"""

import logging
from dataclasses import dataclass, field

from shared.turns.backoff import STORE_FAULTS
from shared.turns.limits import (
    CLOCK_TOLERANCE_S,
    FRUITLESS_PASSING,
    FRUITLESS_PASSING_S,
    FRUITLESS_UNCERTAIN,
    FRUITLESS_UNCERTAIN_S,
)
from shared.turns.replies.delivery import DeliveryProgress
from shared.turns.replies.failures import Outcome
from shared.turns.state.changes import Applied
from shared.turns.state.journal import Change, TurnRecord
from shared.turns.watch import Watch

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remainder:
    """What is left to do of a turn after one try to finish it."""

    is_nothing: bool = False
    """The turn can be settled."""
    sent: int = 0
    """Replies that need not be sent any more."""
    ids: dict[str, str] = field(default_factory=dict)
    """As in `DeliveryProgress`."""
    writes: dict[str, Change] = field(default_factory=dict)
    """Changes that are not applied yet."""
    versions: dict[str, int] = field(default_factory=dict)
    """Of the documents that have their changes."""
    lost: list[Change] = field(default_factory=list)
    """Changes that never will be."""
    fruitless: int = 0
    fruitless_since_s: float = 0.0
    """See `TurnRecord`."""

    @property
    def lost_names(self) -> list[str]:
        """The state properties that keep their old values."""
        return sorted({name for change in self.lost for name in change.names})


def remainder_of(
    last: TurnRecord, progress: DeliveryProgress, applied: Applied, now_s: float, watch: Watch
) -> Remainder:
    """
    Tell what is left of a turn after one try to do all of it.

    `now_s` is the time of day here, and `watch` this process's.
    """
    sent, lost = progress.sent, set(applied.lost)
    fruitless, since_s = 0, 0.0
    if progress.stuck or applied.pending:
        has_moved = sent > last.sent or len(applied.pending) < len(last.writes)
        fruitless, since_s = last.fruitless + 1, last.fruitless_since_s
        if has_moved or not last.fruitless:
            fruitless, since_s = 1, now_s
        what = (last.id, sent, *sorted(applied.pending))
        tries = _Tries(fruitless, watch.seconds(what), now_s - since_s)
        if progress.stuck and tries.are_enough(passing=progress.stuck is Outcome.NOT_SENT):
            _logger.error("A reply is given up after %d deliveries.", fruitless)
            sent, fruitless = sent + 1, 0
        for key, error in applied.pending.items():
            if tries.are_enough(passing=isinstance(error, (*STORE_FAULTS, TimeoutError))):
                _logger.error("A change to %r is given up after %d tries.", key, tries.count)
                lost.add(key)
    return Remainder(
        is_nothing=sent >= len(last.replies) and not applied.pending and not lost,
        sent=sent,
        ids=progress.ids,
        writes={key: last.writes[key] for key in applied.pending if key not in lost},
        versions=applied.versions,
        lost=[change for key, change in last.writes.items() if key in lost],
        fruitless=fruitless,
        fruitless_since_s=since_s,
    )


@dataclass(frozen=True)
class _Tries:
    count: int
    watched_s: float
    """For how long, as this process saw it itself."""
    age_s: float
    """For how long, by the clocks of two instances."""

    def are_enough(self, *, passing: bool) -> bool:
        most = FRUITLESS_PASSING if passing else FRUITLESS_UNCERTAIN
        most_s = FRUITLESS_PASSING_S if passing else FRUITLESS_UNCERTAIN_S
        is_long = self.watched_s >= most_s or self.age_s >= most_s + CLOCK_TOLERANCE_S
        return self.count >= most and is_long
