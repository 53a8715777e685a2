"""
What is left to chance in a turn.
"""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Chance:
    """Names that nobody else has, and the jitter of pauses. A simulation makes its own."""

    token: Callable[[], str] = lambda: secrets.token_hex(6)
    """Unlike every token before, on any instance."""
    jitter: random.Random = field(default_factory=random.SystemRandom)
