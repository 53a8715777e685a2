"""
Running the bot to its end, whatever it does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from shared.turns.limits import RUN_GRACE_S


class BotStopped(Exception):
    """The bot neither returned nor raised an Exception: it took too long, or ended itself."""


async def run_to_end(run: Callable[[], Awaitable[object]], limit_s: float) -> None:
    """
    Await what `run` returns, in a task of its own; raises whatever it raises.

    A bot that does not end is stopped, and left to itself if it does not stop. One that is
    cancelled from within, or exits, has failed like any other; but who awaits this may
    be cancelled, and the bot is with it.

    Raises:
        BotStopped: it did not end within `limit_s` seconds, or not by an Exception.
    """
    task = asyncio.create_task(_run(run))
    try:
        await asyncio.wait([task], timeout=limit_s)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=RUN_GRACE_S)
            raise BotStopped(f"The bot ran for more than {limit_s:.0f} s.")
    finally:
        if not task.done():
            task.cancel()
        task.add_done_callback(_have_seen)
    if task.cancelled():
        raise BotStopped("The bot was cancelled from within.")
    error = task.exception()
    if error is not None and not isinstance(error, Exception):
        raise BotStopped(f"The bot raised a {type(error).__name__}.") from error
    task.result()


async def _run(run: Callable[[], Awaitable[object]]) -> None:
    try:
        await run()
    except SystemExit as error:
        # It would end the event loop, and with it everybody's turns.
        raise BotStopped("The bot tried to end the process.") from error


def _have_seen(task: "asyncio.Task[None]") -> None:
    """Say nothing of what a bot raises that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
