"""
The verdict over a history.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Verdict:
    """What is wrong, and figures of what is not."""

    wrong: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
