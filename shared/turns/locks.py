"""
Turns of one conversation queue up within a process, so that only instances compete.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.errors import TurnDeadlineExceeded


class ConversationLocks:
    """One lock for each conversation that has a turn right now."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def hold(self, key: str, until_s: float) -> AsyncIterator[None]:
        """
        Wait for the conversation's turns before this one, first come first served.

        `until_s` is a time of the event loop's clock.

        Raises:
            TurnDeadlineExceeded: the turns before this one took too long.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            try:
                async with asyncio.timeout_at(until_s):
                    await lock.acquire()
            except TimeoutError as error:
                raise TurnDeadlineExceeded(
                    "The turns before this one took too long; deliver the activity again."
                ) from error
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if self._users[key] == 0:
                del self._users[key], self._locks[key]
