"""
The turn that some code runs in, which must not wait for the end of it.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from shared.errors import WaitsForItself


@dataclass(frozen=True)
class _Run:
    home_key: str
    task: "asyncio.Task[Any] | None"


_RUN: ContextVar[_Run | None] = ContextVar("run", default=None)
"""The run of a bot, for itself and for all tasks that it begins."""


def begin_run(home_key: str) -> None:
    """Note that the running task, and whatever it begins, is a turn of this conversation."""
    _RUN.set(_Run(home_key, asyncio.current_task()))


def refuse_in_itself(home_key: str) -> None:
    """
    Do nothing unless the running task is itself the run of a turn of this conversation.

    Raises:
        WaitsForItself: it is.
    """
    run = _RUN.get()
    if run is not None and run.home_key == home_key and run.task is asyncio.current_task():
        raise WaitsForItself


def is_inside_turn(home_key: str) -> bool:
    """Whether the running task was begun by a turn of this conversation that is not over."""
    run = _RUN.get()
    return (
        run is not None
        and run.home_key == home_key
        and run.task is not None
        and not run.task.done()
    )
