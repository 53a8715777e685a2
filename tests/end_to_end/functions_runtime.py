"""
Serves a folder of functions over HTTP through Microsoft's own Python runtime.

In Azure two parts meet: the Functions host, which speaks HTTP, and the library
`azure-functions-runtime-v1`, which loads and calls the functions. The library is the
real one here, and so are the messages it is spoken to with; the host's side of HTTP is
that of the embedded host.

    python -m tests.end_to_end.functions_runtime APP_FOLDER PORT
"""

import asyncio
import importlib
import json
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

# The host shares modules with the app: those of the folder that it serves, not of this one.
sys.path.insert(0, sys.argv[1])

import azure_functions_runtime_v1 as runtime
from aiohttp import web

from local.functions_host.functions import (
    Function,
    FunctionApp,
    HttpFunction,
    TriggeredFunction,
)
from local.functions_host.host import Host
from local.functions_host.host_names import HostNames
from local.functions_host.http_request import HttpRequest
from local.functions_host.http_response import Cookie, HttpResult, result_of
from local.functions_host.invocation import InvocationContext
from local.functions_host.triggers.options import TriggerOptions
from local.functions_host.triggers.triggers import Triggers
from tests.end_to_end.host_log import HostLog, task_factory
from tests.end_to_end.triggered_functions import invocation_of


def load_messages() -> SimpleNamespace:
    """
    Load the protocol's message classes, which Microsoft ships for the library's own tests.

    Their package also imports the gRPC stubs, for which nothing here has a use: so it
    is entered beside its `__init__.py`.
    """
    package = ModuleType("functions_protocol")
    library = Path(str(runtime.__file__)).parent.parent
    package.__path__ = [str(library / "tests" / "protos")]
    sys.modules[package.__name__] = package
    messages = SimpleNamespace()
    for module in ("FunctionRpc_pb2", "shared.NullableTypes_pb2"):
        vars(messages).update(vars(importlib.import_module(f"{package.__name__}.{module}")))
    return messages


@dataclass(frozen=True)
class Envelope:
    """How Microsoft's worker process hands a message of the host to the library."""

    request: Any
    properties: dict[str, Any] = field(default_factory=dict)


class MicrosoftsWorker:
    """The library, spoken to as the Functions host speaks to it."""

    def __init__(self, app: FunctionApp, log: HostLog) -> None:
        self._app = app
        self._log = log
        self._messages = load_messages()
        self._faults: dict[str, str] = {}

    async def load(self) -> None:
        """Load every function of the app; one that does not load fails when it is called."""
        m = self._messages
        root = str(self._app.root)
        await self._call(
            runtime.worker_init_request,
            {"protos": m, "host": "127.0.0.1"},
            worker_init_request=m.WorkerInitRequest(function_app_directory=root),
        )
        await self._call(
            runtime.functions_metadata_request,
            functions_metadata_request=m.FunctionsMetadataRequest(),
        )
        for function in (*self._app.functions, *self._app.triggered):
            request = m.FunctionLoadRequest(
                function_id=function.name, metadata=self._metadata(function)
            )
            try:
                await self._call(runtime.function_load_request, function_load_request=request)
            except RuntimeError as error:
                self._faults[function.name] = str(error)
                _say(f"{function.name} does not load: {error}")

    async def invoke(self, function: HttpFunction, request: HttpRequest) -> HttpResult:
        """Run the function on the request. What it raises comes as a RuntimeError."""
        if function.name in self._faults:
            raise RuntimeError(self._faults[function.name])
        m = self._messages
        http = m.RpcHttp(
            method=request.method,
            url=request.url,
            headers=dict(request.headers),
            params=dict(request.route_parameters),
            query=dict(request.query),
            body=m.TypedData(bytes=request.body),
        )
        invocation = m.InvocationRequest(
            invocation_id=str(uuid4()),
            function_id=function.name,
            input_data=[m.ParameterBinding(name=function.trigger, data=m.TypedData(http=http))],
        )
        # In a task, since the worker handles each message of the host in one.
        answer = await asyncio.create_task(self._dispatch_grpc_request(invocation))
        if answer.result.status != m.StatusResult.Success:
            raise RuntimeError(answer.result.exception.stack_trace)
        returned = next((each.data for each in answer.output_data), answer.return_value)
        match returned.WhichOneof("data"):
            case "http":
                return _result(returned.http)
            case "string":
                return result_of(returned.string)
            case "json":
                return result_of(json.loads(returned.json))
            case "bytes":
                return result_of(returned.bytes)
        return HttpResult(204)

    async def call(
        self, function: TriggeredFunction, argument: object, context: InvocationContext
    ) -> None:
        """Run the function on a message or a timer. What it raises comes as a RuntimeError."""
        if function.name in self._faults:
            raise RuntimeError(self._faults[function.name])
        m = self._messages
        invocation = invocation_of(m, function, argument, context.invocation_id)
        answer = await asyncio.create_task(self._dispatch_grpc_request(invocation))
        if answer.result.status != m.StatusResult.Success:
            raise RuntimeError(answer.result.exception.stack_trace)

    def _metadata(self, function: Function) -> Any:
        m = self._messages
        return m.RpcFunctionMetadata(
            name=function.name,
            directory=str(function.folder),
            script_file=str(function.script),
            entry_point=function.entry_point,
            bindings={
                binding["name"]: m.BindingInfo(
                    type=binding["type"],
                    direction=m.BindingInfo.Direction.Value(binding["direction"]),
                )
                for binding in function.bindings
            },
        )

    # The worker's own name for it.
    async def _dispatch_grpc_request(self, invocation: Any) -> Any:
        self._log.begins(invocation.invocation_id)
        try:
            message = self._messages.StreamingMessage(invocation_request=invocation)
            return await runtime.invocation_request(Envelope(message))
        finally:
            self._log.ends(invocation.invocation_id)

    async def _call(
        self, handler: Any, properties: dict[str, Any] | None = None, **message: Any
    ) -> None:
        request = Envelope(self._messages.StreamingMessage(**message), properties or {})
        answer = await handler(request)
        if answer.result.status != self._messages.StatusResult.Success:
            raise RuntimeError(answer.result.exception.stack_trace)


class _Loaded:
    """The code of functions that the worker has loaded already."""

    def __init__(self, worker: MicrosoftsWorker) -> None:
        self.call = worker.call

    def load(self, function: TriggeredFunction) -> None:
        """Do nothing."""


def _result(http: Any) -> HttpResult:
    kind = http.body.WhichOneof("data")
    body = getattr(http.body, kind) if kind else b""
    return HttpResult(
        int(http.status_code),
        dict(http.headers),
        list(_cookies(http.cookies)),
        body.encode() if isinstance(body, str) else body,
    )


def _cookies(cookies: Iterable[Any]) -> Iterable[Cookie]:
    for each in cookies:
        expires = each.expires.value.seconds if each.HasField("expires") else None
        same_site = type(each).SameSite.Name(each.same_site).removeprefix("Explicit")
        yield Cookie(
            each.name,
            each.value,
            domain=each.domain.value,
            path=each.path.value,
            expires=None if expires is None else datetime.fromtimestamp(expires, UTC),
            max_age_s=each.max_age.value if each.HasField("max_age") else None,
            secure=each.secure.value,
            same_site=same_site if each.same_site else "",
        )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def serve(root: Path, port: int) -> None:
    """Serve until the process is killed."""
    log = HostLog()
    logging.basicConfig(level=logging.INFO, handlers=[log])
    # The host is another process, with a log of its own.
    logging.getLogger("local").propagate = False
    logging.getLogger("local").addHandler(logging.StreamHandler(sys.stdout))
    asyncio.get_running_loop().set_task_factory(task_factory)
    # As the Functions host does.
    os.environ.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", "1000")
    runtime.start_threadpool_executor()
    app = FunctionApp.read(root)
    for name, fault in app.faults.items():
        _say(f"The '{name}' function is in error: {fault}")
    worker = MicrosoftsWorker(app, log)
    await worker.load()
    runner = Host(app, HostNames(), worker, settings=os.environ).runner()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    Triggers(app, os.environ, TriggerOptions(), _Loaded(worker), str(uuid4())).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    # As in Azure, the app's folder leads the path; the folder of these tests is not on it.
    sys.path[:2] = [str(folder)]
    asyncio.run(serve(folder, int(sys.argv[2])))
