"""
The queue of bells: late and in no order, as a queue is, and without faults of its own so far.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import Context

from shared.bells.base import Bell

POLL_S = 2.0
"""How often it is asked (host.json)."""


class SimulatedQueue:
    """What was rung by any instance, and is not heard yet."""

    def __init__(self, chance: random.Random, hear: Callable[[Bell], None]) -> None:
        self._chance = chance
        self._hear = hear
        self.waiting = 0
        self.rung = 0

    async def ring(self, bell: Bell, delay_s: float) -> None:
        """As `Bells.ring`."""
        await asyncio.sleep(self._chance.uniform(0.001, 0.02))
        self.put(bell, delay_s)

    def put(self, bell: Bell, delay_s: float) -> None:
        """Have it heard, some time after the delay."""
        self.waiting += 1
        self.rung += 1

        def heard() -> None:
            self.waiting -= 1
            self._hear(bell)

        # The queue goes on, whatever has become of the process that rang.
        asyncio.get_running_loop().call_later(
            delay_s + self._chance.uniform(0, POLL_S), heard, context=Context()
        )

    async def close(self) -> None:
        """Nothing is open."""
