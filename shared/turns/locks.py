"""
What happens one at a time within a process, so that only processes compete with each other.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from shared.errors import TurnDeadlineExceeded


class Locks:
    """One lock for each key that somebody holds or waits for, in each event loop."""

    def __init__(self, most: int | None = None) -> None:
        """`most` is how many may wait for one key at once. None: as many as come."""
        self._most = most
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._users: dict[Hashable, int] = {}

    @asynccontextmanager
    async def hold(self, key: str, until_s: float) -> AsyncIterator[bool]:
        """
        Wait for those who came before, first come first served; yields whether there were any.

        `until_s` is a time of the event loop's clock.

        Raises:
            TurnDeadlineExceeded: they took too long, or there are too many.
        """
        waited = await self.take(key, until_s)
        try:
            yield waited
        finally:
            self.leave(key)

    async def take(self, key: str, until_s: float) -> bool:
        """As `hold`, but held until `leave`."""
        place = (asyncio.get_running_loop(), key)
        users = self._users.get(place, 0)
        if self._most is not None and users > self._most:
            raise TurnDeadlineExceeded(
                "Too many turns are waiting ahead of this one; deliver the activity again."
            )
        lock = self._locks.setdefault(place, asyncio.Lock())
        self._users[place] = users + 1
        try:
            async with asyncio.timeout_at(until_s):
                await lock.acquire()
        except TimeoutError as error:
            self._forget(place)
            raise TurnDeadlineExceeded(
                "The turns ahead of this one took too long; deliver the activity again."
            ) from error
        except BaseException:
            self._forget(place)
            raise
        return users > 0

    def leave(self, key: str) -> None:
        """Let the next one in."""
        place = (asyncio.get_running_loop(), key)
        self._locks[place].release()
        self._forget(place)

    def _forget(self, place: Hashable) -> None:
        self._users[place] -= 1
        if self._users[place] == 0:
            del self._users[place], self._locks[place]
