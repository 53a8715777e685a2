"""The functions' code, in this process: what Azure's Python worker is to the Functions host."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp, HttpFunction, is_disabled
from local.functions_host.http_request import HttpRequest
from local.functions_host.http_response import HttpResult
from local.functions_host.invocation import invoke
from local.functions_host.tracebacks import own_traceback

# Set by the Functions host for its worker, unless the app sets it.
_THREADS = {"PYTHON_THREADPOOL_THREAD_COUNT": "1000"}

if TYPE_CHECKING:
    from local.functions_host.loading import LoadedFunction

log = logging.getLogger("local.functions_host.host")


class PythonWorker:
    """Loads the functions, and runs them: synchronous ones in threads."""

    def __init__(self, app: FunctionApp, settings: Mapping[str, str]) -> None:
        self._app = app
        self._settings = settings
        self._loaded: dict[str, LoadedFunction] = {}
        threads = {**_THREADS, **settings}["PYTHON_THREADPOOL_THREAD_COUNT"]
        self.threads = ThreadPoolExecutor(int(threads) if threads.isdecimal() else None)

    def load(self) -> None:
        """
        Import the functions' code, and report what cannot be served.

        A function that does not load answers 500 like one that raises.
        """
        for name, fault in self._app.faults.items():
            log.error("The '%s' function is in error: %s", name, fault)
        for function in self._app.functions:
            if is_disabled(function, self._settings):
                log.info("Function '%s' is disabled.", function.name)
                continue
            if function.needs_key:
                log.info("Function '%s' asks for a key in Azure, but not here.", function.name)
            try:
                self._loaded[function.name] = function.load()
            except LocalError as error:
                log.error("%s", error)
            except Exception as error:
                log.error("%s does not load:\n%s", function.name, own_traceback(error))

    async def invoke(self, function: HttpFunction, request: HttpRequest) -> HttpResult:
        """Run the function on the request. What it raises is passed on."""
        loaded = self._loaded.get(function.name)
        if loaded is None:
            raise LocalError(f"{function.name} did not load; the lines above say why.")
        return await invoke(function, loaded, request, self.threads)
