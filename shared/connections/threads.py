"""
Threads for what blocks.

The event loop's own threads are the bot's: enough turns in `asyncio.to_thread` occupy all of them,
and whatever else waits for one would wait for these turns.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Threads:
    """At most `count` threads of one purpose, begun when they are needed, for any event loop."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, call: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Return what `call` returns in a thread, or raise what it raises."""
        if self._executor is None:
            # Its module is loaded with the first thread of a worker, and not before.
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, call, *arguments)
