"""
Asking the store again: after which errors, and with which pauses between.
"""

import asyncio

from shared.errors import (
    BotApplicationError,
    StateConflict,
    StateNotStorable,
    StateThrottled,
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
    TurnDeadlineExceeded,
)
from shared.turns.chance import Chance
from shared.turns.clock import loop_time_s
from shared.turns.limits import POLL_MAX_S, POLL_MIN_S

STORE_FAULTS = (StateConflict, StateThrottled, StateUnavailable)
"""Errors after which the store may give a better answer when it is asked again."""

LASTING_FAULTS = (StateNotStorable, StateTooLarge, StateUnreadable)
"""Errors that are the fault of a document or a value, however often it is tried."""


def is_passing(error: Exception) -> bool:
    """
    Tell whether to ask the store again.

    What an error means that is not one of ours is unknown, and so it is unknown whether a write
    has happened: the next look at the document tells.
    """
    return isinstance(error, STORE_FAULTS) or not isinstance(error, BotApplicationError)


class Backoff:
    """Jittered, growing pauses until a point in time of the event loop's clock."""

    def __init__(self, chance: Chance, until_s: float, longest_s: float = POLL_MAX_S) -> None:
        self._chance = chance
        self._until_s = until_s
        self._longest_s = longest_s
        self._pause_s = POLL_MIN_S

    @property
    def left_s(self) -> float:
        return self._until_s - loop_time_s()

    async def pause(self, cause: Exception | None = None) -> None:
        """
        Wait before asking the store again, longer if `cause` says so.

        Raises:
            TurnDeadlineExceeded: the time is up.
        """
        pause_s = self._chance.jitter.uniform(self._pause_s / 2, self._pause_s)
        if isinstance(cause, StateThrottled):
            pause_s = max(pause_s, cause.retry_after_s)
        if pause_s >= self.left_s:
            raise TurnDeadlineExceeded(
                "The turn found no place in time; deliver the activity again."
            ) from cause
        self._pause_s = min(self._pause_s * 2, self._longest_s)
        await asyncio.sleep(pause_s)
