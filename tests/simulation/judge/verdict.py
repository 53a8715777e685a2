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
    longest_s: dict[str, float] = field(default_factory=dict)
    """The longest of what took some time, by what it was."""

    def longest(self, what: str, took_s: float) -> None:
        """Keep it if nothing took longer."""
        self.longest_s[what] = max(took_s, self.longest_s.get(what, 0.0))
