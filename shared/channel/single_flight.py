"""One call at a time, for all who want its outcome."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_logger = logging.getLogger(__name__)


class SingleFlight:
    """
    Something that is fetched for many: a caller that asks while a fetch is under way joins it.

    Each event loop has its own fetch, as one loop cannot wait for the tasks of another.

    `purpose` begins the line that the log gets when a fetch fails.
    """

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, None]], purpose: str) -> None:
        self._fetch = fetch
        self._purpose = purpose
        self._tasks: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}

    @property
    def is_under_way(self) -> bool:
        """Whether there is a fetch, in any event loop."""
        return any(
            not task.done() and not loop.is_closed() for loop, task in list(self._tasks.items())
        )

    async def join(self) -> None:
        """Wait for the fetch. A caller that gives up does not end it for the others."""
        await asyncio.shield(self.start())

    def start(self) -> "asyncio.Task[None]":
        """Let it go on in the background, unless it does already."""
        loop = asyncio.get_running_loop()
        task = self._tasks.get(loop)
        if task is None or task.done():
            for ended in [known for known in list(self._tasks) if known.is_closed()]:
                self._tasks.pop(ended, None)
            task = self._tasks[loop] = loop.create_task(self._fetch())
            task.add_done_callback(self._end)
        return task

    def _end(self, task: "asyncio.Task[None]") -> None:
        loop = task.get_loop()
        if self._tasks.get(loop) is task:
            del self._tasks[loop]
        # Also marks the exception as seen: in the background there is nobody who awaits it.
        if not task.cancelled() and (error := task.exception()):
            _logger.warning("%s: %s", self._purpose, error)
