"""How a request of the bot is treated by whom it goes to: a channel, or a store."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Treatment:
    """What becomes of one request, and what the bot hears of it."""

    status: int | None = 201
    """None: the connection is dropped instead of an answer."""
    accepted: bool = True
    """Whether it takes effect, whatever the answer says."""
    delay_s: float = 0.0
    """Between its effect and the answer."""
    retry_after_s: float | None = None


WELL = Treatment()
LOST = Treatment(status=None, accepted=False)
ANSWER_LOST = Treatment(status=None)
UNHEARD = Treatment(accepted=False, delay_s=math.inf)
"""It neither takes effect nor is it answered: the bot waits for as long as it likes."""
UNANSWERED = Treatment(delay_s=math.inf)
"""It takes effect, and the bot waits for the answer for as long as it likes."""


def refused(status: int, *, retry_after_s: float | None = None) -> Treatment:
    """Answer with an error, and let the request have no effect."""
    return Treatment(status=status, accepted=False, retry_after_s=retry_after_s)
