"""How long the Functions host waits before it asks an empty queue again."""

from random import Random

LEAST_S = 0.1
# Storage extensions, RandomizedExponentialBackoffStrategy.
_JITTER = 0.2


class Backoff:
    """
    From 0.1 s up to `most_s`, and back to 0.1 s after a message.

    The n-th wait is 0.1 s and, from the second on, 0.1 s x 2^n x a random factor from 0.8 to 1.2
    more. Before the first message of all it begins in the same way.
    """

    def __init__(self, most_s: float, random: Random) -> None:
        self._most_s = most_s
        self._random = random
        self._waits = 0

    def reset(self) -> None:
        """Begin again: there was a message."""
        self._waits = 0

    def next_s(self) -> float:
        """Return how long to wait now, in seconds."""
        wait_s = LEAST_S
        if self._waits > 0:
            factor = self._random.uniform(1 - _JITTER, 1 + _JITTER)
            wait_s += LEAST_S * 2 ** (self._waits - 1) * factor
        if wait_s >= self._most_s:
            return self._most_s
        self._waits += 1
        return wait_s
