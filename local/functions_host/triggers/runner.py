"""A run of a function that no request has started, with the Functions host's lines about it."""

import logging
import time
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from local.bootstrap.errors import LocalError
from local.functions_host.functions import TriggeredFunction
from local.functions_host.invocation import InvocationContext, TraceContext, call
from local.functions_host.tracebacks import own_traceback

if TYPE_CHECKING:
    from local.functions_host.loading import LoadedFunction

log = logging.getLogger("local.functions_host.triggers")


class Runner:
    """Runs one function, as often as it is triggered."""

    def __init__(self, function: TriggeredFunction, threads: Executor) -> None:
        self.function = function
        self._threads = threads
        self._loaded: LoadedFunction | None = None

    def load(self) -> None:
        """Import the code. If it does not load that is reported, and each run fails."""
        try:
            self._loaded = self.function.load()
        except LocalError as error:
            log.error("%s", error)
        except Exception as error:
            log.error("%s does not load:\n%s", self.function.name, own_traceback(error))

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
            if self._loaded is None:
                raise LocalError(f"{name} did not load; what was wrong is shown above.")
            await call(self.function, self._loaded, argument, context, self._threads)
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
