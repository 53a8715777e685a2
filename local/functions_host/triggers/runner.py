"""A run of a function that no request has started, with the Functions host's lines about it."""

import logging
import time
from collections.abc import Coroutine
from typing import Any, Protocol

from local.functions_host.functions import TriggeredFunction
from local.functions_host.invocation import InvocationContext, TraceContext
from local.functions_host.time_limit import TimeLimit
from local.functions_host.tracebacks import own_traceback

log = logging.getLogger("local.functions_host.triggers")


class Code(Protocol):
    """The functions' code, as a worker process has it."""

    def load(self, function: TriggeredFunction) -> None:
        """Import it. If it does not load that is reported, and each call fails."""

    def call(
        self, function: TriggeredFunction, argument: object, context: InvocationContext
    ) -> Coroutine[Any, Any, None]:
        """Run the function on a QueueMessage or a TimerRequest. What it raises is passed on."""


class Runner:
    """Runs one function, as often as it is triggered."""

    def __init__(self, function: TriggeredFunction, code: Code, timeout_s: float | None) -> None:
        """What takes longer than `timeout_s` ends the worker."""
        self.function = function
        self._code = code
        self._time_limit = TimeLimit(timeout_s)

    async def run(self, argument: object, reason: str, details: str = "") -> bool:
        """Run the function; return whether it has returned, instead of raising."""
        name = self.function.name
        context = InvocationContext(name, str(self.function.folder), TraceContext())
        log.info(
            "Executing 'Functions.%s' (Reason='%s', Id=%s)", name, reason, context.invocation_id
        )
        if details:
            log.info("Trigger Details: %s", details)
        started_s = time.monotonic()
        try:
            run = self._code.call(self.function, argument, context)
            await self._time_limit.keep(name, run)
        except Exception as error:
            log.error(
                "Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms)\n%s",
                name,
                context.invocation_id,
                (time.monotonic() - started_s) * 1000,
                own_traceback(error),
            )
            return False
        log.info(
            "Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)",
            name,
            context.invocation_id,
            (time.monotonic() - started_s) * 1000,
        )
        return True
