"""The worker's own HTTP connections: one pool for each event loop, with limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from shared.connections.departures import Connector, Departure
from shared.connections.per_loop import PerLoop
from shared.connections.resolver import Resolver
from shared.connections.time_limit import TimeLimit
from shared.errors import BotApplicationError, RequestNotSent

REQUEST_TIMEOUT_S = 10
"""For one request, from connecting to the last byte of its answer."""

_UNTIMED = aiohttp.ClientTimeout()


class HttpPool:
    """Connections that are kept alive for the life of the worker."""

    def __init__(self, timeout_s: float = REQUEST_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._resolver = Resolver()
        self._sessions = PerLoop(self._open, aiohttp.ClientSession.close)

    @asynccontextmanager
    async def request(
        self, method: str, url: str | URL, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """
        Send a request. The time limit includes what the caller does with the answer. Redirects
        are not followed.

        An error has RequestNotSent among its causes if the request never had a connection.

        Raises:
            aiohttp.ClientError, OSError (of which TimeoutError is one): there was no answer.
        """
        departure = Departure.watch()
        try:
            async with (
                TimeLimit.after(self._timeout_s),
                # A redirect would carry a token to a host that nobody has checked.
                self._sessions.get().request(
                    method, url, allow_redirects=False, **options
                ) as response,
            ):
                yield response
        except (Exception, asyncio.CancelledError) as error:
            if not departure.possible:
                mark_not_sent(error)
            raise

    async def close(self) -> None:
        """Close all connections."""
        await self._sessions.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=_UNTIMED,
            connector=Connector(limit=0, resolver=self._resolver),
            # All conversations share it.
            cookie_jar=aiohttp.DummyCookieJar(),
            # A few bytes can unpack to gigabytes.
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )


def mark_not_sent(error: BaseException) -> None:
    """
    Put RequestNotSent among the causes of an error.

    The error stays what it is: a cancellation, say, that a time limit waits for.
    """
    if isinstance(error, BotApplicationError) or isinstance(error.__cause__, RequestNotSent):
        # It is one of ours, or is already marked for another caller that waited for the same.
        return
    if isinstance(error, TypeError | ValueError):
        # There is no such URL or header, and never will be.
        return
    mark = RequestNotSent("No connection, or no token: nothing was sent.")
    mark.__cause__ = error.__cause__
    error.__cause__ = mark


async def read_object(response: aiohttp.ClientResponse, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in the body, or an empty one for any other or larger body."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > max_bytes:
            return {}
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
