"""All functions of an app that no request starts: what listens for them, from start to stop."""

import asyncio
import logging
import os
import re
import sys
from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp, TriggeredFunction, is_disabled
from local.functions_host.triggers.app_settings import (
    DEFAULT_CONNECTION,
    connection_string,
    resolve,
)
from local.functions_host.triggers.blobs import HostBlobs, host_id
from local.functions_host.triggers.options import STOPPED_EXIT_CODE, TriggerOptions
from local.functions_host.triggers.queue import Queue
from local.functions_host.triggers.queue_listener import POISON, QueueListener
from local.functions_host.triggers.runner import Code, Runner
from local.functions_host.triggers.schedules import Schedule, schedule
from local.functions_host.triggers.timer_listener import TimerListener
from local.functions_host.triggers.under_way import Left, UnderWay
from shared.log_hygiene import shown

# Azure starts a stopped host again; this one takes a moment and goes on.
RESTART_AFTER_S = 1.0

_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")

_SERVED = ("queueTrigger", "timerTrigger")

log = logging.getLogger("local.functions_host.triggers")


class Listener(Protocol):
    """Starts one function, as often as there is a reason."""

    async def listen(self, stop: asyncio.Event) -> None:
        """Return after `stop`, once no run is under way. Raise what stops the Functions host."""

    async def close(self, *, is_replaced: bool) -> None:
        """Give the connections back. Another process may go on in this one's place."""


class Triggers:
    """Listens for all functions that can be served here, and says which cannot."""

    def __init__(
        self,
        app: FunctionApp,
        settings: Mapping[str, str],
        options: TriggerOptions,
        code: Code,
        host_instance: str,
        under_way: UnderWay = UnderWay(None),  # noqa: B008 (it keeps nothing)
        left: Sequence[Left] | None = None,
    ) -> None:
        """
        `host_instance` is a UUID, which processes that replace one another share.

        `left` are the runs that have died with the last worker; None: there was none.
        """
        self._app = app
        self._settings = settings
        self._options = options
        self._code = code
        self._host_instance = host_instance
        self._under_way = under_way
        self._left = left
        self._is_replaced = False
        self._stop = asyncio.Event()
        self._listeners: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Import the functions' code and begin to listen."""
        resting: dict[str, list[str]] = {}
        for function in self._app.triggered:
            if function.name in self._options.resting:
                continue
            try:
                if is_disabled(function, self._settings):
                    log.info("Function '%s' is disabled.", function.name)
                    continue
                if function.kind not in _SERVED:
                    raise LocalError(
                        f"it has a {function.kind}, which only Azure Functions Core Tools runs"
                    )
                connection = str(function.binding.get("connection") or DEFAULT_CONNECTION)
                storage = connection_string(connection, self._settings)
                if storage is None:
                    resting.setdefault(connection, []).append(function.name)
                    continue
                runner = Runner(function, self._code, self._app.http.timeout_s)
                listener = self._listener(function, runner, storage)
            except LocalError as error:
                log.error("The '%s' function is in error: %s.", function.name, error)
                continue
            self._code.load(function)
            self._listeners.append(asyncio.create_task(self._keep_listening(listener)))
        for connection, names in resting.items():
            log.warning(
                "Without the setting %s these functions rest: %s.", connection, ", ".join(names)
            )

    def stop(self, *, is_replaced: bool) -> None:
        """Start no more runs. Another process may go on in this one's place."""
        self._is_replaced = is_replaced
        self._stop.set()

    async def ended(self) -> None:
        """Return when no run is under way any more. To be called after `stop`."""
        await asyncio.gather(*self._listeners)

    def _listener(self, function: TriggeredFunction, runner: Runner, storage: str) -> Listener:
        left = [each.trigger for each in self._left or () if each.function == function.name]
        if function.kind == "queueTrigger":
            name = _queue_name(resolve(str(function.binding.get("queueName", "")), self._settings))
            return QueueListener(
                _queue(storage, name),
                None if name.endswith(POISON) else _queue(storage, name + POISON),
                runner,
                self._app.queue_settings,
                self._options.hidden_s,
                Random(),  # noqa: S311 (it spreads requests, and protects nothing)
                self._under_way,
                left,
            )
        text = resolve(str(function.binding.get("schedule", "")), self._settings)
        return TimerListener(
            _schedule(text),
            runner,
            HostBlobs(storage, host_id(self._app.root, self._settings)),
            self._host_instance,
            self._options.timer_lease_s,
            self._under_way,
            died_in=left[0] if left else None,
            follows_death=self._left is not None,
        )

    async def _keep_listening(self, listener: Listener) -> None:
        while not self._stop.is_set():
            try:
                await listener.listen(self._stop)
            except Exception as error:
                log.critical(
                    "An unhandled exception has occurred. Host is shutting down.\n    %s: %s",
                    type(error).__name__,
                    shown(str(error).partition("\n")[0]),
                )
                if self._options.ends_process:
                    sys.stdout.flush()
                    os._exit(STOPPED_EXIT_CODE)
                await asyncio.sleep(RESTART_AFTER_S)
        await listener.close(is_replaced=self._is_replaced)


def _queue_name(text: str) -> str:
    name = text.lower()
    if not _QUEUE_NAME.fullmatch(name):
        raise LocalError(
            f"'{name}' is no name of a queue, which has 3 to 63 letters and digits, with single "
            "dashes between them"
        )
    return name


def _queue(storage: str, name: str) -> Queue:
    try:
        return Queue(storage, name)
    except ValueError as error:
        raise LocalError(f"its connection or the queue '{name}' is unusable ({error})") from None


def _schedule(text: str) -> Schedule:
    try:
        return schedule(text)
    except ValueError as error:
        raise LocalError(f"its schedule is unusable: {error}") from None
