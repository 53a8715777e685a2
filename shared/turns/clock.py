"""
The two clocks of a turn: the time of day, and the one of the event loop.
"""

import asyncio
from collections.abc import Callable

Clock = Callable[[], float]
"""The time of day in seconds since 1970, as `time.time`. Other instances may disagree about it."""


def loop_time_s() -> float:
    """Seconds by the event loop's own clock, which only ever goes forward."""
    return asyncio.get_running_loop().time()
