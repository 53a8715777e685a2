"""Looking up the addresses of hosts, in threads of its own."""

import socket
from functools import partial
from typing import Any

from aiohttp.resolver import ThreadedResolver

from shared.connections.threads import Threads

THREADS = 4
"""A worker talks to a handful of hosts, and aiohttp looks each up once at a time."""


class Resolver(ThreadedResolver):
    """aiohttp's resolver, for any event loop, in threads that the bot's own work cannot fill."""

    def __init__(self) -> None:
        # aiohttp's resolver asks the event loop, which would use its own threads.
        self._loop = _LookUps()  # type: ignore[assignment]


class _LookUps:
    def __init__(self) -> None:
        self._threads = Threads("dns", THREADS)

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        return await self._threads.run(partial(socket.getaddrinfo, host, port, **options))

    async def getnameinfo(self, address: Any, flags: int) -> tuple[str, str]:
        return await self._threads.run(socket.getnameinfo, address, flags)
