"""
The log as it comes out of the real host: Microsoft's worker sends it lines, and it drops some.

The worker says with each line to which invocation it belongs, as far as it knows; the host takes
the line only while that invocation is running. Both are imitated here from their sources: the
worker's `ContextEnabledTask` and `get_current_invocation_id` in azure-functions-python-worker, and
`Log` of `GrpcWorkerChannel` in azure-functions-host.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

from azure_functions_runtime_v1.utils.executor import invocation_id_cv

_ID = "__azure_function_invocation_id__"

_SYSTEM = ("azure.functions", "azure_functions_", "proxy_worker")


class ContextEnabledTask(asyncio.Task[Any]):
    """A task that belongs to the invocation of the task that has started it."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, **more: Any
    ) -> None:
        super().__init__(coroutine, loop=loop, **more)
        invocation_id = getattr(asyncio.current_task(loop), _ID, None)
        if invocation_id is not None:
            setattr(self, _ID, invocation_id)


class HostLog(logging.Handler):
    """Prints what the host would take, as `LEVEL: message`."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def begins(self, invocation_id: str) -> None:
        """Take the lines of this invocation, in which the current task runs."""
        setattr(asyncio.current_task(), _ID, invocation_id)
        with self._lock:
            self._running.add(invocation_id)

    def ends(self, invocation_id: str) -> None:
        """Drop them from now on."""
        with self._lock:
            self._running.discard(invocation_id)

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line or drop it."""
        if record.name.startswith(_SYSTEM):
            return
        with self._lock:
            accepted = _current_invocation_id() in self._running
        if accepted:
            sys.stdout.write(f"{record.levelname}: {self.format(record)}\n")
            sys.stdout.flush()


def task_factory(
    loop: asyncio.AbstractEventLoop,
    coroutine: Any,
    context: Context | None = None,
    **more: Any,
) -> asyncio.Task[Any]:
    """Make the tasks of the worker's event loop."""
    return ContextEnabledTask(coroutine, loop, context=context, **more)


def _current_invocation_id() -> str | None:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    invocation_id: str | None = getattr(task, _ID, None) or invocation_id_cv.get()
    return invocation_id
