"""What happens by chance, without it."""

from random import Random


class Middle(Random):
    """Always in the middle of the range."""

    def uniform(self, a: float, b: float) -> float:
        """Return the middle."""
        return (a + b) / 2
