"""The inside of the embedded host's process: what `host_process` starts and stops."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from aiohttp import web

from local.functions_host.functions import FunctionApp
from local.functions_host.guard import Guarded
from local.functions_host.host import SHUTDOWN_TIMEOUT_S, Host
from local.functions_host.host_names import HostNames
from local.functions_host.logs import configure_logging
from local.functions_host.python_worker import PythonWorker
from local.functions_host.triggers.options import TriggerOptions
from local.functions_host.triggers.under_way import Left, UnderWay

if TYPE_CHECKING:
    from local.functions_host.triggers.triggers import Triggers

# How long the request of a connection that was accepted just before may take to arrive.
LAST_REQUESTS_S = 1.0


class Command(Enum):
    """What the process may be told to do."""

    STOP = auto()
    """Answer the requests under way and end. SIGTERM means the same, as does the starter's end."""
    LEAVE = auto()
    """Another process takes over: accept no more connections, and serve those that exist."""


@dataclass(frozen=True)
class Assignment:
    """What a process is to serve."""

    app: FunctionApp
    environ: Mapping[str, str]
    quiet: bool
    """Log errors only."""
    names: HostNames
    triggers: TriggerOptions
    host_instance: str
    """A UUID of the host, which its processes share."""
    guard: socket.socket | None
    """The way to the process that answers for this one when it dies."""
    under_way: UnderWay
    left: tuple[Left, ...] | None
    """What was under way in the process that has died; None if none has."""


def work(assignment: Assignment, listener: socket.socket, starter: Connection) -> None:
    """Serve until told otherwise. `starter` is answered once LEAVE is obeyed."""
    # Ctrl-C in the terminal is for the starter, which then stops this. (It is held back till
    # here; programs that a function starts should get it again.)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ.clear()
    os.environ.update(assignment.environ)
    os.chdir(assignment.app.root)
    sys.path.insert(0, str(assignment.app.root))
    configure_logging(quiet=assignment.quiet)
    asyncio.run(_serve(assignment, listener, starter))
    sys.stdout.flush()
    # Azure does not wait for a worker's threads either.
    os._exit(0)


async def _serve(assignment: Assignment, listener: socket.socket, starter: Connection) -> None:
    command = _first_command(starter)
    worker = PythonWorker(assignment.app, os.environ)
    worker.load()
    host = Host(
        assignment.app,
        assignment.names,
        worker,
        settings=os.environ,
        announce=None if assignment.guard is None else Guarded(assignment.guard).under_way,
    )
    runner = host.runner()
    await runner.setup()
    site = web.SockSite(runner, listener)
    await site.start()
    triggers = _started_triggers(assignment, worker)
    told = await command
    if triggers is not None:
        triggers.stop(is_replaced=told is Command.LEAVE)
    if told is Command.LEAVE:
        await _accept_no_more(listener, site)
        starter.send(Command.LEAVE)
        # To the runner a connection without a request is idle, and is cut off.
        await asyncio.sleep(LAST_REQUESTS_S)
    with contextlib.suppress(TimeoutError):
        # aiohttp waits as long once more for what cannot be cancelled.
        await asyncio.wait_for(
            asyncio.gather(runner.cleanup(), _end_of_runs(triggers)), SHUTDOWN_TIMEOUT_S + 1.0
        )
    # Nothing tells an app that its worker ends, so what it still holds open is no news.
    logging.disable()


def _started_triggers(assignment: Assignment, worker: PythonWorker) -> "Triggers | None":
    if all(each.name in assignment.triggers.resting for each in assignment.app.triggered):
        return None
    # Azure's storage libraries take a while to import, and few apps need them.
    from local.functions_host.triggers.python_code import PythonCode
    from local.functions_host.triggers.triggers import Triggers

    triggers = Triggers(
        assignment.app,
        os.environ,
        assignment.triggers,
        PythonCode(worker.threads),
        assignment.host_instance,
        assignment.under_way,
        assignment.left,
    )
    triggers.start()
    return triggers


async def _end_of_runs(triggers: "Triggers | None") -> None:
    if triggers is not None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(triggers.ended(), SHUTDOWN_TIMEOUT_S)


async def _accept_no_more(listener: socket.socket, site: web.SockSite) -> None:
    try:
        # Not `site.stop()`: asyncio drops what it has accepted and not yet attached to a server
        # that is closed meanwhile (an assertion in `Server._attach`).
        asyncio.get_running_loop().remove_reader(listener)
    except NotImplementedError:  # on Windows
        await site.stop()


def _first_command(starter: Connection) -> "asyncio.Future[Command]":
    """Return what the process will be told first."""
    loop = asyncio.get_running_loop()
    command: asyncio.Future[Command] = loop.create_future()

    def obey(told: Command) -> None:
        if not command.done():
            command.set_result(told)

    def listen_to_starter() -> None:
        told = Command.STOP
        with contextlib.suppress(EOFError, OSError):
            told = starter.recv()
        loop.call_soon_threadsafe(obey, told)

    threading.Thread(target=listen_to_starter, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(obey, Command.STOP))
    return command
