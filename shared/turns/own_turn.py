"""
The turn that some code runs in, which must not wait for the end of it.
"""

import asyncio
import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from shared.errors import WaitsForItself


@dataclass(frozen=True)
class _Run:
    home_key: str
    task: "weakref.ref[asyncio.Task[Any]]"


_RUN: ContextVar[_Run | None] = ContextVar("run", default=None)
"""The run of a bot, for itself and for all tasks that it begins."""


def begin_run(home_key: str) -> None:
    """Note that the running task, and whatever it begins, is a turn of this conversation."""
    task = asyncio.current_task()
    assert task is not None
    # Weakly: the task holds its context, which holds this.
    _RUN.set(_Run(home_key, weakref.ref(task)))


def refuse_in_itself(home_key: str) -> None:
    """
    Do nothing unless the running task is itself the run of a turn of this conversation.

    Raises:
        WaitsForItself: it is.
    """
    run = _RUN.get()
    if run is not None and run.home_key == home_key and run.task() is asyncio.current_task():
        raise WaitsForItself


def is_inside_turn(home_key: str) -> bool:
    """Whether the running task was begun by a turn of this conversation that is not over."""
    run = _RUN.get()
    if run is None or run.home_key != home_key:
        return False
    task = run.task()
    return task is not None and not task.done()
