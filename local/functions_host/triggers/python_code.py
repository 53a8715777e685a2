"""The code of functions that no request starts, in this process."""

import json
import logging
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest

from local.bootstrap.errors import LocalError
from local.functions_host.functions import TriggeredFunction
from local.functions_host.invocation import InvocationContext, call
from local.functions_host.tracebacks import own_traceback

if TYPE_CHECKING:
    from local.functions_host.loading import LoadedFunction

log = logging.getLogger("local.functions_host.triggers")


class PythonCode:
    """Loads the functions, and runs them: synchronous ones in `threads`."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._loaded: dict[str, LoadedFunction] = {}

    def load(self, function: TriggeredFunction) -> None:
        """Import the code. If it does not load that is reported, and each call fails."""
        try:
            self._loaded[function.name] = function.load()
        except LocalError as error:
            log.error("%s", error)
        except Exception as error:
            log.error("%s does not load:\n%s", function.name, own_traceback(error))

    async def call(
        self, function: TriggeredFunction, argument: object, context: InvocationContext
    ) -> None:
        """Run the function. What it raises is passed on."""
        loaded = self._loaded.get(function.name)
        if loaded is None:
            raise LocalError(f"{function.name} did not load; what was wrong is shown above.")
        if function.trigger in loaded.plain:
            argument = _plain(argument, function)
        await call(function, loaded, argument, context, self._threads)


def _plain(argument: object, function: TriggeredFunction) -> str | bytes:
    """Return what the host sends to the worker, before that makes an object of the SDK of it."""
    if isinstance(argument, TimerRequest):
        timer = {
            "Schedule": argument.schedule,
            "ScheduleStatus": argument.schedule_status or None,
            "IsPastDue": argument.past_due,
        }
        return json.dumps(timer, separators=(",", ":"))
    assert isinstance(argument, QueueMessage)
    body: bytes = argument.get_body()
    return body if function.binding.get("dataType") == "binary" else body.decode()
