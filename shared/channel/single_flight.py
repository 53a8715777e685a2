"""One call at a time, for all who want its outcome."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_logger = logging.getLogger(__name__)


class SingleFlight:
    """
    Something that is fetched for many: whoever asks while a fetch is under way joins it.

    `purpose` begins the line that the log gets when a fetch fails.
    """

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, None]], purpose: str) -> None:
        self._fetch = fetch
        self._purpose = purpose
        self._task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether there is a fetch to join."""
        return self._task is not None and not self._task.done()

    async def join(self) -> None:
        """Wait for the fetch. One who gives up does not end it for the others."""
        await asyncio.shield(self.start())

    def start(self) -> "asyncio.Task[None]":
        """Let it go on in the background, unless it does already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fetch())
            self._task.add_done_callback(self._report)
        return self._task

    def _report(self, task: "asyncio.Task[None]") -> None:
        # Also marks the exception as seen: in the background there is nobody who awaits it.
        if not task.cancelled() and (error := task.exception()):
            _logger.warning("%s: %s", self._purpose, error)
