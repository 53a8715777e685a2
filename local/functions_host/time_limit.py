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

    If it takes longer than `limit_s`, this process ends, for another to be started in its place.
    """
    if limit_s is None:
        return await run
    # A timer is cheaper than a task that could be waited for.
    timer = asyncio.get_running_loop().call_later(limit_s, _end_worker, name, limit_s)
    try:
        return await run
    finally:
        timer.cancel()


def _end_worker(name: str, limit_s: float) -> None:
    log.critical(
        "%s takes longer than functionTimeout (%.0f s). The worker is replaced, with all that "
        "runs in it.",
        name,
        limit_s,
    )
    sys.stdout.flush()
    os._exit(RESTART_EXIT_CODE)
