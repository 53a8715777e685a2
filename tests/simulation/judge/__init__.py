"""What must be true after every history, whatever happened in it."""

from tests.simulation.judge.verdict import Verdict, judge

__all__ = ["Verdict", "judge"]
