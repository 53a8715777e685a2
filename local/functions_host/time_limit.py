"""`functionTimeout`: what takes longer ends the worker, with all that runs in it."""

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

# By this the Functions host knows a worker that is to be started anew.
RESTART_EXIT_CODE = 200

log = logging.getLogger("local.functions_host.host")

Result = TypeVar("Result")


async def within_limit(
    limit_s: float | None, name: str, run: Coroutine[Any, Any, Result]
) -> Result:
    """
    Return what a run of the function `name` returns, or raise what it raises.

    It goes on if who waits for it is cancelled. If it takes longer than `limit_s`, this process
    ends, for another to be started in its place.
    """
    task = asyncio.ensure_future(run)
    await asyncio.wait({task}, timeout=limit_s)
    if not task.done():
        log.critical(
            "%s takes longer than functionTimeout (%.0f s). The worker is replaced, with all that "
            "runs in it.",
            name,
            limit_s,
        )
        sys.stdout.flush()
        os._exit(RESTART_EXIT_CODE)
    return await task
