"""
Running the bot to its end, whatever it does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from shared.turns.clock import loop_time_s
from shared.turns.limits import CLAIM_S, RUN_GRACE_S

Meanwhile = Callable[[], Awaitable[float]]
"""
What is done while a bot runs, for the first time after `CLAIM_S`; returns seconds until the next.

What it raises ends the run.
"""


class BotStopped(Exception):
    """The bot neither returned nor raised an Exception: it took too long, or ended itself."""


async def run_to_end(
    run: Callable[[], Awaitable[object]], limit_s: float, meanwhile: Meanwhile
) -> None:
    """
    Await what `run` returns, in a task of its own; raises whatever it or `meanwhile` raises.

    A bot that does not end is stopped, and left to itself if it does not stop. One that is
    cancelled from within, or exits, has failed like any other. But if the task that awaits this
    is cancelled, the bot is cancelled with it.

    Raises:
        BotStopped: it did not end within `limit_s` seconds, or ended by something that is no
            Exception.
    """
    task = asyncio.create_task(_run(run))
    until_s = loop_time_s() + limit_s
    pause_s = CLAIM_S
    try:
        while True:
            await asyncio.wait([task], timeout=min(pause_s, until_s - loop_time_s()))
            if task.done():
                break
            if loop_time_s() >= until_s:
                task.cancel()
                await asyncio.wait([task], timeout=RUN_GRACE_S)
                raise BotStopped(f"The bot ran for more than {limit_s:.0f} s.")
            pause_s = await meanwhile()
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
    """Keep quiet about what a bot raises when nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
