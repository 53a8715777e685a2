"""Bells as timers of the event loop: for state in memory, which ends with the process as well."""

import asyncio
import logging
from typing import TYPE_CHECKING

from shared.bells.base import Bell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_logger = logging.getLogger(__name__)

AGAIN_S = 30.0
TRIES = 5
"""A bell whose listener fails rings again, as often and as late as the queue's would."""


class EventLoopBells:
    """
    Timers in the event loop that rings.

    `listener` is set before the first ring. Its bells end with the loop.
    """

    def __init__(self) -> None:
        self.listener: Callable[[Bell], Awaitable[None]] | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._heard: set[asyncio.Task[None]] = set()

    async def ring(self, bell: Bell, delay_s: float) -> None:
        """Set a timer. See `Bells.ring`; it cannot fail."""
        self._set(bell, delay_s, tries=1)

    async def close(self) -> None:
        """Forget the bells that have not been heard, and stop hearing the others."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        heard = [task for task in self._heard if task.get_loop() is asyncio.get_running_loop()]
        for task in heard:
            task.cancel()
        await asyncio.gather(*heard, return_exceptions=True)

    def _set(self, bell: Bell, delay_s: float, tries: int) -> None:
        loop = asyncio.get_running_loop()

        def heard() -> None:
            self._timers.discard(timer)
            task = loop.create_task(self._hear(bell, tries))
            self._heard.add(task)
            task.add_done_callback(self._heard.discard)

        timer = loop.call_later(delay_s, heard)
        self._timers.add(timer)

    async def _hear(self, bell: Bell, tries: int) -> None:
        if self.listener is None:
            raise AssertionError("nobody listens")
        try:
            await self.listener(bell)
        except Exception as error:
            _logger.error("A bell was not answered (%s).", type(error).__name__)
            if tries < TRIES:
                self._set(bell, AGAIN_S, tries + 1)
