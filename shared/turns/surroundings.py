"""
What a turn takes from outside: the time of day, chance, and patience.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import (
    BotApplicationError,
    StateConflict,
    StateThrottled,
    StateUnavailable,
    TurnDeadlineExceeded,
)
from shared.turns.limits import POLL_MAX_S, POLL_MIN_S

STORE_FAULTS = (StateConflict, StateThrottled, StateUnavailable)
"""What the store may answer better when it is asked again."""


def is_passing(error: Exception) -> bool:
    """
    Tell whether to ask the store again.

    Of an error that is none of ours nobody knows what it means, and so neither whether a
    write has happened: the next look at the document tells.
    """
    return isinstance(error, STORE_FAULTS) or not isinstance(error, BotApplicationError)


@dataclass(frozen=True)
class Surroundings:
    """The time of day and chance; the simulation has its own."""

    now_s: Callable[[], float] = time.time
    """Seconds since 1970. Other instances may disagree."""
    token: Callable[[], str] = lambda: secrets.token_hex(6)
    """Unlike every token before, on any instance."""
    chance: random.Random = field(default_factory=random.SystemRandom)


def loop_time_s() -> float:
    """Seconds by the event loop's own clock, which only ever goes forward."""
    return asyncio.get_running_loop().time()


class Patience:
    """Jittered, growing pauses until a point in time of the event loop's clock."""

    def __init__(self, surroundings: Surroundings, until_s: float) -> None:
        self._chance = surroundings.chance
        self._until_s = until_s
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
        pause_s = self._chance.uniform(self._pause_s / 2, self._pause_s)
        if isinstance(cause, StateThrottled):
            pause_s = max(pause_s, cause.retry_after_s)
        if pause_s >= self.left_s:
            raise TurnDeadlineExceeded(
                "The turn found no place in time; deliver the activity again."
            ) from cause
        self._pause_s = min(self._pause_s * 2, POLL_MAX_S)
        await asyncio.sleep(pause_s)
