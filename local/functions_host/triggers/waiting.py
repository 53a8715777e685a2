"""Waiting for an event, but not for ever."""

import asyncio
import contextlib


async def within(wait_s: float, event: asyncio.Event) -> bool:
    """Wait for the event; return False if it has not come in this time, which may be past."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), max(0.0, wait_s))
    return event.is_set()
