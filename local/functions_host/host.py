"""
The embedded Functions host: serves a function app's HTTP functions on this machine.

It keeps the rules of Azure Functions that a bot can meet, so that what works here works there:
routes and methods (a method that is not listed is 404), exceptions (500 and an empty body),
synchronous functions in threads, no authorisation keys on a developer's machine. Unlike in Azure,
only requests for this machine's own names are answered.
"""

import asyncio
import contextlib
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp, HttpFunction, LoadedFunction
from local.functions_host.host_names import REFUSAL, HostNames
from local.functions_host.invocation import invoke
from local.functions_host.tracebacks import own_traceback

# What the Functions host takes at most.
MAX_BODY_BYTES = 100 * 1024 * 1024

# How long requests under way may take to end when the host is told to stop.
SHUTDOWN_TIMEOUT_S = 5.0

log = logging.getLogger("local.functions_host.host")


class Host:
    """Answers HTTP requests with the functions of an app."""

    def __init__(self, app: FunctionApp, names: HostNames) -> None:
        self._app = app
        self._names = names
        self._loaded: dict[str, LoadedFunction] = {}
        threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
        self.threads = ThreadPoolExecutor(int(threads) if threads.isdecimal() else None)
        """Where functions that are not `async` run."""
        limit = app.max_concurrent_requests
        self._slots = asyncio.Semaphore(limit) if limit else contextlib.nullcontext()

    def load(self) -> None:
        """
        Import the functions' code.

        A function that does not load is reported, and answers 500 like one that raises.
        """
        for function in self._app.functions:
            try:
                self._loaded[function.name] = function.load()
            except LocalError as error:
                log.error("%s", error)
            except Exception as error:
                log.error("%s does not load:\n%s", function.name, own_traceback(error))

    def runner(self) -> web.AppRunner:
        """Return what serves this host on a socket."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        # Line breaks too, which `.` leaves out: they are answered and logged like all else.
        application.router.add_route("*", r"/{path:[\s\S]*}", self._handle)
        return web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            # A compressed body reaches the function as it came, as it does in Azure.
            auto_decompress=False,
        )

    async def _handle(self, request: web.Request) -> web.Response:
        started_s = time.monotonic()
        response = await self._answer(request)
        log.info(
            "%s %s %d %.0f ms",
            request.method,
            request.path,
            response.status,
            (time.monotonic() - started_s) * 1000,
        )
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if not self._is_for_us(request):
            return web.Response(status=403, text=REFUSAL)
        if request.path == "/":
            paths = ", ".join(function.route.path for function in self._app.functions)
            return web.Response(text=f"The embedded Functions host is running: {paths}\n")
        for function in self._app.functions:
            parameters = function.route.match(request.path)
            if parameters is not None and function.accepts(request.method):
                return await self._invoke(function, request, parameters)
        return web.Response(status=404)

    def _is_for_us(self, request: web.Request) -> bool:
        named = request.headers.getall("Host", [])
        # aiohttp's `host` is that of the request line where this has one, as the standard wants it;
        # where nothing names a host it is a guess.
        return bool(named) and self._names.include([*named, request.host])

    async def _invoke(
        self, function: HttpFunction, request: web.Request, parameters: dict[str, str]
    ) -> web.Response:
        loaded = self._loaded.get(function.name)
        if loaded is None:
            log.error("%s did not load; what was wrong is shown above.", function.name)
            return web.Response(status=500)
        # Out here: a body that is too large, or breaks off, is not the function's fault.
        await request.read()
        try:
            async with self._slots:
                return await invoke(function, loaded, request, parameters, self.threads)
        except Exception as error:
            log.error("%s failed:\n%s", function.name, own_traceback(error))
            return web.Response(status=500)
