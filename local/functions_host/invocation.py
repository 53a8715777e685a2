"""One call of a function, as Azure's Python worker does it."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import azure.functions as func

from local.functions_host.functions import Function, HttpFunction
from local.functions_host.http_request import HttpRequest
from local.functions_host.http_response import HttpResult
from local.functions_host.loading import LoadedFunction
from local.functions_host.worker_http import from_function, to_function

_thread_local = threading.local()

log = logging.getLogger("local.functions_host.host")


@dataclass(frozen=True)
class TraceContext:
    """Empty, as in the Functions host where Application Insights is not set up."""

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


class Output(func.Out[Any]):
    """What a function gives back by a parameter."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Give it back; the last one counts."""
        self._value = val

    def get(self) -> Any:
        """Return what was set, or None."""
        return self._value


async def invoke(
    function: HttpFunction, loaded: LoadedFunction, request: HttpRequest, threads: Executor
) -> HttpResult:
    """Run the function on the request. What it raises is passed on."""
    context = InvocationContext(function.name, str(function.folder), TraceContext())
    outputs = {name: Output() for name in function.outputs}
    if function.trigger in loaded.plain:
        raise TypeError(f"{function.trigger} of {function.name} can be no text: it is a request.")
    answer = await call(function, loaded, to_function(request), context, threads, outputs)
    results = [from_function(answer)] if function.returns else []
    results += [
        from_function(output.get(), is_plain=name in loaded.plain)
        for name, output in outputs.items()
        if output.get() is not None
    ]
    return results[-1] if results else HttpResult(204)


async def call(
    function: Function,
    loaded: LoadedFunction,
    argument: object,
    context: InvocationContext,
    threads: Executor,
    outputs: Mapping[str, Output] = MappingProxyType({}),
) -> object:
    """Run the function's code, in a thread unless it is `async`. What it raises is passed on."""
    arguments: dict[str, Any] = {function.trigger: argument, **outputs}
    if loaded.wants_context:
        arguments["context"] = context
    try:
        if loaded.is_async:
            result = await loaded.call(**arguments)
        else:
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(
                threads, _call_in_thread, loaded, arguments, context
            )
    except SystemExit as error:
        # Not the way through the event loop, on which other runs would go on.
        log.critical("%s ends the worker, with all that runs in it.", function.name)
        sys.stdout.flush()
        os._exit(error.code if isinstance(error.code, int) else 1)
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
