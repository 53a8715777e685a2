"""
Two things at once.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def both(here: Coroutine[Any, Any, A], beside: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """
    Do both at the same time, only `beside` in a task of its own: `gather` would make two.

    If one of them fails, or whoever awaits this is cancelled, the other one is cancelled.
    """
    task = asyncio.create_task(beside)
    try:
        return await here, await task
    finally:
        task.cancel()
