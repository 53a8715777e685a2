"""`functionTimeout`: what takes longer ends the worker, with all that runs in it."""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

# By this the Functions host recognises a worker that is to be started again.
RESTART_EXIT_CODE = 200

log = logging.getLogger("local.functions_host.host")

Result = TypeVar("Result")


def _end_worker(name: str, limit_s: float) -> None:
    log.critical(
        "%s takes longer than functionTimeout (%.0f s). The worker is replaced, with all that "
        "runs in it.",
        name,
        limit_s,
    )
    sys.stdout.flush()
    os._exit(RESTART_EXIT_CODE)


class TimeLimit:
    """Ends this process when a function takes too long, for another to be started in its place."""

    def __init__(
        self, limit_s: float | None, end: Callable[[str, float], object] = _end_worker
    ) -> None:
        """
        None lets all functions take as long as they like.

        `end` gets the name of the function that takes too long, and the limit.
        """
        self._limit_s = limit_s
        self._end = end
        # Those that began first come first, and so their time is up first.
        self._under_way: dict[Coroutine[Any, Any, Any], tuple[str, float]] = {}
        self._is_watched = False

    async def keep(self, name: str, run: Coroutine[Any, Any, Result]) -> Result:
        """Return what a run of the function `name` returns, or raise what it raises."""
        if self._limit_s is None:
            return await run
        began_s = asyncio.get_running_loop().time()
        self._under_way[run] = (name, began_s + self._limit_s)
        # One timer for all. Hardly any function takes so long, and timers of their own, set and
        # cancelled, would cost more than all else here.
        if not self._is_watched:
            self._watch(self._limit_s)
        try:
            return await run
        finally:
            del self._under_way[run]

    def _watch(self, limit_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._is_watched = bool(self._under_way)
        if not self._under_way:
            return
        name, ends_s = next(iter(self._under_way.values()))
        if ends_s <= loop.time():
            self._end(name, limit_s)
        else:
            loop.call_at(ends_s, self._watch, limit_s)
