"""
Log lines that the Functions host would drop, written to stderr, which it keeps.

The host takes a line of the worker's log only while the invocation that it belongs to is running
(`IgnoringRpcLog` in azure-functions-host). What is logged during an import, in a thread of the
app's own, or in a task that outlives its invocation, is lost. Of what a worker writes to stderr the
host makes a trace (category `Host.Function.Console`), and guesses its level from words in it. So
such a line ends with `level=`, and with `turn=` where it belongs to a turn.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.log_hygiene import MESSAGE_CHARACTERS, shown

# Microsoft's own. The host takes their lines whenever they come.
_OF_THE_WORKER = ("azure.functions", "azure_functions_", "proxy_worker")

# The functions of Microsoft's workers in which a function of the app runs.
_CALLS_OF_THE_WORKER = frozenset(
    {"invocation_request", "_handle__invocation_request", "run_sync_func", "_run_sync_func"}
)


@dataclass
class _Invocation:
    running: bool = True
    thread: int = field(default_factory=threading.get_ident)


_whole = logging.Formatter()
_invocation: ContextVar[_Invocation | None] = ContextVar("invocation", default=None)
_turn: ContextVar[str] = ContextVar("turn", default="")


@contextmanager
def invocation() -> Iterator[None]:
    """Mark the block as an invocation, for the tasks that it starts as well."""
    current = _Invocation()
    before = _invocation.set(current)
    _turn.set("")
    try:
        yield
    finally:
        current.running = False
        _invocation.reset(before)


def name_turn(digest: str) -> None:
    """Say which turn the lines of this task are about, and of those that it starts."""
    _turn.set(digest)


def keep_stray_lines() -> None:
    """Write to stderr what the host would drop, from now on."""
    root = logging.getLogger()
    if not any(isinstance(handler, _StrayLines) for handler in root.handlers):
        root.addHandler(_StrayLines())


class _StrayLines(logging.Handler):
    """Silent where a console shows all lines anyway, as on a developer's machine."""

    def emit(self, record: logging.LogRecord) -> None:
        if (
            record.name.startswith(_OF_THE_WORKER)
            or _console_shows_all()
            or _is_in_running_invocation()
        ):
            return
        try:
            # In one piece, since other threads write there too.
            sys.stderr.write(f"{_one_line(record)}\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def _one_line(record: logging.LogRecord) -> str:
    # The host takes each line for a trace of its own.
    text = shown(_whole.format(record), MESSAGE_CHARACTERS)
    turn = _turn.get()
    about = f" turn={turn}" if turn and " turn=" not in text else ""
    return f"{text}{about} level={record.levelname.lower()}"


def _console_shows_all() -> bool:
    consoles = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return any(
        isinstance(handler, logging.StreamHandler) and handler.stream in consoles
        for handler in logging.getLogger().handlers
    )


def _is_in_running_invocation() -> bool:
    own = _invocation.get()
    if own is None:
        return _worker_runs_a_function()
    # In other threads the worker does not know to which invocation a line belongs.
    return own.running and own.thread == threading.get_ident()


def _worker_runs_a_function() -> bool:
    """Tell whether another function, not the app's own but next to it in the folder, logs this."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    # The worker names each task, and those that a function starts, for the invocation.
    invocation_id = getattr(task, "__azure_function_invocation_id__", None)
    if invocation_id is not None:
        return any(
            invocation_id == getattr(other, "__azure_function_invocation_id__", None)
            and getattr(other.get_coro(), "__name__", "") == "_dispatch_grpc_request"
            for other in asyncio.all_tasks()
        )
    frame = sys._getframe()
    while (caller := frame.f_back) is not None:
        if caller.f_code.co_name in _CALLS_OF_THE_WORKER:
            return True
        frame = caller
    return False
