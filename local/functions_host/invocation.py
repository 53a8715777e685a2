"""One call of a function, as Azure's Python worker does it."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import azure.functions as func
from aiohttp import web

from local.functions_host.functions import Function, HttpFunction, LoadedFunction
from local.functions_host.http_conversion import from_function, to_function

_thread_local = threading.local()


@dataclass(frozen=True)
class TraceContext:
    """The caller's trace (https://www.w3.org/TR/trace-context/)."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RetryContext:
    """No function is called again by a retry policy: the embedded host has none."""

    retry_count: int = 0
    max_retry_count: int = 0


@dataclass(frozen=True)
class InvocationContext:
    """What a function gets as `context`: the attributes of azure.functions.Context."""

    function_name: str
    function_directory: str
    trace_context: TraceContext
    retry_context: RetryContext = RetryContext()
    invocation_id: str = field(default_factory=lambda: str(uuid4()))
    thread_local_storage: threading.local = _thread_local


async def invoke(
    function: HttpFunction,
    loaded: LoadedFunction,
    request: web.Request,
    route_parameters: Mapping[str, str],
    threads: Executor,
) -> web.Response:
    """Run the function on the request. What it raises is passed on."""
    trace = TraceContext(
        request.headers.get("traceparent", ""), request.headers.get("tracestate", "")
    )
    context = InvocationContext(function.name, str(function.folder), trace)
    argument = await to_function(request, route_parameters)
    return _response(await call(function, loaded, argument, context, threads), function)


async def call(
    function: Function,
    loaded: LoadedFunction,
    argument: object,
    context: InvocationContext,
    threads: Executor,
) -> object:
    """Run the function's code, in a thread unless it is `async`. What it raises is passed on."""
    arguments: dict[str, Any] = {function.trigger: argument}
    if loaded.wants_context:
        arguments["context"] = context
    if loaded.is_async:
        result = await loaded.call(**arguments)
    else:
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(threads, _call_in_thread, loaded, arguments, context)
    if result is not None and not function.returns:
        raise TypeError(f"{function.name} returned a value, but its function.json has no $return.")
    return result


def _call_in_thread(
    loaded: LoadedFunction, arguments: dict[str, Any], context: InvocationContext
) -> object:
    _thread_local.invocation_id = context.invocation_id
    try:
        return loaded.call(**arguments)
    finally:
        _thread_local.invocation_id = None


def _response(result: object, function: HttpFunction) -> web.Response:
    if isinstance(result, func.HttpResponse):
        return from_function(result)
    if isinstance(result, str):
        return web.Response(text=result)
    if result is None and not function.returns:
        return web.Response(status=204)
    raise TypeError(
        f"{function.name} returned {type(result).__name__}, but only func.HttpResponse and str "
        "can be sent."
    )
