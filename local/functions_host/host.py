"""
The Functions host's side of HTTP: which function gets a request, and what its caller gets.

What the real host changes on the way is changed here as well, so that what works here works in
Azure. docs/architecture.md says what this host is not.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from aiohttp import web

from local.functions_host.functions import FunctionApp, HttpFunction, is_disabled
from local.functions_host.host_names import REFUSAL, HostNames
from local.functions_host.http_request import (
    HttpRequest,
    read_request,
    send_continue,
    status_of_excess,
)
from local.functions_host.http_response import HttpResult, to_response
from local.functions_host.routes import served_path
from local.functions_host.time_limit import TimeLimit
from local.functions_host.tracebacks import own_traceback

# What the Functions host takes at most.
MAX_BODY_BYTES = 100 * 1024 * 1024

# Of a request's head, what is read at all: more than the host takes, which is then refused.
_MAX_READ_BYTES = 256 * 1024

# How long requests under way may take to end when the host is told to stop, as in Azure.
SHUTDOWN_TIMEOUT_S = 30.0

log = logging.getLogger("local.functions_host.host")


class Worker(Protocol):
    """Runs the functions' code."""

    def invoke(
        self, function: HttpFunction, request: HttpRequest
    ) -> Coroutine[Any, Any, HttpResult]:
        """Run the function on the request. What it raises is passed on."""


class Host:
    """Answers HTTP requests with the functions of an app."""

    def __init__(
        self,
        app: FunctionApp,
        names: HostNames,
        worker: Worker,
        *,
        settings: Mapping[str, str],
        announce: Callable[[web.BaseRequest], AbstractContextManager[None]] | None = None,
    ) -> None:
        """
        Serve the functions that `settings` do not disable.

        `announce` is entered while a request is under way.
        """
        self._names = names
        self._worker = worker
        self._announce = announce or (lambda _: nullcontext())
        self._http = app.http
        self._time_limit = TimeLimit(app.http.timeout_s)
        self._functions = [
            function for function in app.functions if not is_disabled(function, settings)
        ]
        self._outstanding = 0
        limit = app.http.max_concurrent_requests
        self._slots = asyncio.Semaphore(limit) if limit else nullcontext()

    def runner(self) -> web.ServerRunner:
        """Return what serves this host on a socket. An event loop has to run."""
        # Not a `web.Application`, whose router would only be in the way.
        server = web.Server(
            self._handle,
            access_log=None,
            # A compressed body reaches the function as it came, as it does in Azure.
            auto_decompress=False,
            max_line_size=_MAX_READ_BYTES,
            max_field_size=_MAX_READ_BYTES,
            max_headers=1024,
        )
        return web.ServerRunner(server, shutdown_timeout=SHUTDOWN_TIMEOUT_S)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        started_s = time.monotonic()
        await send_continue(request)
        with self._announce(request):
            response = await self._answer(request)
        for name, value in self._http.custom_headers.items():
            response.headers.setdefault(name, value)
        log.info(
            "%s %s %d %.0f ms",
            request.method,
            request.path,
            response.status,
            (time.monotonic() - started_s) * 1000,
        )
        return response

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if not self._is_for_us(request):
            return web.Response(status=403, text=REFUSAL)
        excess = status_of_excess(request)
        if excess is not None:
            return web.Response(status=excess)
        limit = self._http.max_outstanding_requests
        if limit and self._outstanding >= limit:
            log.info("Http request queue limit of %d has been exceeded.", limit)
            return web.Response(status=429, headers={"X-FUNCTION-SCALEOUT": "1"})
        self._outstanding += 1
        try:
            async with self._slots:
                return await self._route(request)
        finally:
            self._outstanding -= 1

    def _is_for_us(self, request: web.BaseRequest) -> bool:
        named = request.headers.getall("Host", [])
        # aiohttp's `host` is that of the request line where this has one, as the standard wants it;
        # where nothing names a host it is a guess.
        return bool(named) and self._names.include({*named, request.host})

    async def _route(self, request: web.BaseRequest) -> web.Response:
        try:
            path = served_path(request.raw_path)
        except ValueError:
            return web.Response(status=400)
        if path == "/":
            paths = ", ".join(function.route.path for function in self._functions)
            return web.Response(text=f"The embedded Functions host is running: {paths}\n")
        for function in self._functions:
            parameters = function.route.match(path)
            if parameters is not None and function.accepts(request.method):
                # Not read first: a caller that can see it stops sending.
                if (request.content_length or 0) > MAX_BODY_BYTES:
                    log.error("The body of a request has over %d bytes.", MAX_BODY_BYTES)
                    return web.Response(status=500)
                # Out here: a body that breaks off is not the function's fault.
                received = await read_request(request, path, parameters)
                return await self._invoke(function, received)
        return web.Response(status=404)

    async def _invoke(self, function: HttpFunction, request: HttpRequest) -> web.Response:
        run = self._worker.invoke(function, request)
        try:
            # Whether or not the caller still listens, the function goes on: aiohttp lets it.
            return to_response(await self._time_limit.keep(function.name, run))
        except Exception as error:
            log.error("%s failed:\n%s", function.name, own_traceback(error))
            return web.Response(status=500)
