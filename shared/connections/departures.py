"""
Whether a request can have left.

Nothing of a request leaves before it has its connection. aiohttp does not say when that is, but it
asks its connector for one in the task that waits for the answer.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection


class Departure:
    """What is known of the requests that a task sends from here on."""

    def __init__(self) -> None:
        self.possible = False
        """Whether one of them got a connection, so that bytes of it may have left."""

    @classmethod
    def watch(cls) -> "Departure":
        """Begin to watch, in place of an earlier watcher."""
        departure = cls()
        _watched.set(departure)
        return departure


_watched: ContextVar[Departure | None] = ContextVar("departure", default=None)


class Connector(aiohttp.TCPConnector):
    """aiohttp's connector, which notes that a request got its connection."""

    async def connect(self, *arguments: Any, **options: Any) -> "Connection":
        """Return a connection for a request."""
        connection = await super().connect(*arguments, **options)
        if departure := _watched.get():
            departure.possible = True
        return connection
