"""How long one request to Cosmos DB is worth repeating."""

from shared.errors import StateError, StateThrottled, StateUnavailable

MAX_THROTTLED_REPEATS = 5
"""After so many answers of 429 the turn is told. A throttled request was not carried out."""

FIRST_DELAY_S = 0.05
"""Before the first repetition after a failure, doubled for each further one."""


class Retries:
    """The repetitions that one request still has."""

    def __init__(self, max_repeats: int) -> None:
        """`max_repeats` is how often to try again after a failure."""
        self._throttled_repeats = MAX_THROTTLED_REPEATS
        self._repeats = max_repeats
        self._delay_s = FIRST_DELAY_S

    def delay_s_after(self, error: StateError) -> float | None:
        """Return how long to wait before the request is repeated; None: it is not."""
        if isinstance(error, StateThrottled) and self._throttled_repeats > 0:
            self._throttled_repeats -= 1
            return error.retry_after_s
        if isinstance(error, StateUnavailable) and self._repeats > 0:
            self._repeats -= 1
            delay_s, self._delay_s = self._delay_s, self._delay_s * 2
            return delay_s
        return None
