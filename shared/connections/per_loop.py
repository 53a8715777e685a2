"""
One of something for each event loop.

Connections belong to the event loop that opened them. A worker has one loop for its asynchronous
functions, and most have no other. But a synchronous function of the same app runs in a thread,
where `asyncio.run` gives it a loop of its own for each call.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """
    What `make` returns, made once in each event loop that asks for it, and closed with the loop.

    A loop that is closed before its asynchronous generators have ended (`asyncio.run` ends them)
    leaves its value behind; the next loop that asks for one drops it.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[object]]) -> None:
        self._make = make
        self._close = close
        self._kept: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]] = {}

    def get(self) -> T:
        """Return the running loop's own."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        return kept[0] if kept else self._add(loop)

    async def close(self) -> None:
        """Close those of all loops. A later caller gets a new one."""
        current = asyncio.get_running_loop()
        for loop, (_, keeper) in list(self._kept.items()):
            if loop is current:
                await keeper.aclose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(_end(keeper), loop)
                await asyncio.wrap_future(closing)
            else:
                _end_without_a_loop(keeper)

    def _add(self, loop: asyncio.AbstractEventLoop) -> T:
        for ended, (_, keeper) in list(self._kept.items()):
            if ended.is_closed():
                _end_without_a_loop(keeper)
        value = self._make()
        keeper = self._keep(loop, value)
        # Its first step awaits nothing, and registers it with the loop.
        with suppress(StopIteration):
            keeper.asend(None).send(None)
        self._kept[loop] = (value, keeper)
        return value

    async def _keep(self, loop: asyncio.AbstractEventLoop, value: T) -> AsyncGenerator[None, None]:
        """Hold the value until the loop ends its asynchronous generators, and close it then."""
        try:
            yield
        finally:
            self._kept.pop(loop, None)
            await self._close(value)


async def _end(keeper: AsyncGenerator[None, None]) -> None:
    await keeper.aclose()


def _end_without_a_loop(keeper: AsyncGenerator[None, None]) -> None:
    """Close what can be closed where nothing can be awaited any more."""
    with suppress(StopIteration, RuntimeError):
        keeper.aclose().send(None)
