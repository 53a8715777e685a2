"""
Serves a folder of functions over HTTP through Microsoft's own Python runtime.

In Azure two parts meet: the Functions host, which speaks HTTP, and the library
`azure-functions-runtime-v1`, which loads and calls the functions. The library is the
real one here, and so are the messages it is spoken to with; only the host's
translation of an HTTP request into an invocation, and back, is ours.

    python -m tests.end_to_end.functions_runtime APP_FOLDER PORT
"""

import asyncio
import importlib
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import azure_functions_runtime_v1 as runtime
from aiohttp import hdrs, web

from tests.end_to_end.host_log import HostLog, task_factory

MAX_BODY_BYTES = 100 * 2**20
"""The Functions host's own limit for HTTP requests."""


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


@dataclass(frozen=True)
class Function:
    """What one function.json declares."""

    directory: Path
    declared: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the folder, which is the function's."""
        return self.directory.name

    def metadata(self, m: SimpleNamespace) -> Any:
        """Describe the function as the host describes it to the library."""
        return m.RpcFunctionMetadata(
            name=self.name,
            directory=str(self.directory),
            script_file=str(self.directory / self.declared.get("scriptFile", "__init__.py")),
            entry_point=self.declared.get("entryPoint", ""),
            bindings={
                binding["name"]: m.BindingInfo(
                    type=binding["type"],
                    direction=m.BindingInfo.Direction.Value(binding["direction"]),
                )
                for binding in self.declared["bindings"]
            },
        )


class Host:
    """The Functions host's side of the conversation with the library."""

    def __init__(self, app: Path, log: HostLog) -> None:
        self._log = log
        self._messages = load_messages()
        self._app = app
        settings = json.loads((app / "host.json").read_text(encoding="utf-8"))
        self._prefix = settings.get("extensions", {}).get("http", {}).get("routePrefix", "api")
        self._functions = [
            Function(manifest.parent, json.loads(manifest.read_text(encoding="utf-8")))
            for manifest in sorted(app.glob("*/function.json"))
        ]

    async def start(self) -> web.Application:
        """Load every function of the app, and return what serves their routes."""
        m = self._messages
        await self._call(
            runtime.worker_init_request,
            {"protos": m, "host": "127.0.0.1"},
            worker_init_request=m.WorkerInitRequest(function_app_directory=str(self._app)),
        )
        await self._call(
            runtime.functions_metadata_request,
            functions_metadata_request=m.FunctionsMetadataRequest(),
        )
        server = web.Application(client_max_size=MAX_BODY_BYTES)
        for function in self._functions:
            await self._call(
                runtime.function_load_request,
                function_load_request=m.FunctionLoadRequest(
                    function_id=function.name, metadata=function.metadata(m)
                ),
            )
            for binding in function.declared["bindings"]:
                if binding["type"] == "httpTrigger":
                    route = "/".join(("", self._prefix, binding.get("route", function.name)))
                    server.router.add_route("*", route, self._handler(function.name, binding))
        return server

    def _handler(self, function_id: str, trigger: dict[str, Any]) -> Any:
        m = self._messages
        methods = {method.upper() for method in trigger.get("methods", hdrs.METH_ALL)}

        async def handle(request: web.Request) -> web.Response:
            if request.method not in methods:
                return web.Response(status=404)  # as the Functions host does
            http = m.RpcHttp(
                method=request.method,
                url=str(request.url),
                headers={name.lower(): value for name, value in request.headers.items()},
                params=dict(request.match_info),
                query=dict(request.query),
                body=m.TypedData(bytes=await request.read()),
            )
            data = m.ParameterBinding(name=trigger["name"], data=m.TypedData(http=http))
            invocation = m.InvocationRequest(
                invocation_id=str(uuid4()), function_id=function_id, input_data=[data]
            )
            # In a task, since the worker handles each message of the host in one.
            answer = await asyncio.create_task(self._dispatch_grpc_request(invocation))
            if answer.result.status != m.StatusResult.Success:
                sys.stdout.write(f"{function_id} failed: {answer.result.exception.stack_trace}\n")
                sys.stdout.flush()
                return web.Response(status=500)
            return to_response(answer.return_value.http)

        return handle

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


def to_response(http: Any) -> web.Response:
    """Turn what the function returned into an HTTP response."""
    kind = http.body.WhichOneof("data")
    body = getattr(http.body, kind) if kind else b""
    return web.Response(
        status=int(http.status_code),
        headers=dict(http.headers),
        body=body.encode() if isinstance(body, str) else body,
    )


async def serve(app: Path, port: int) -> None:
    """Serve until the process is killed."""
    log = HostLog()
    logging.basicConfig(level=logging.INFO, handlers=[log])
    asyncio.get_running_loop().set_task_factory(task_factory)
    runtime.start_threadpool_executor()
    # A body reaches the function as it was sent, compressed or not.
    runner = web.AppRunner(await Host(app, log).start(), access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    # As in Azure, the app's folder leads the path; the folder of these tests is not on it.
    sys.path[0] = str(folder)
    asyncio.run(serve(folder, int(sys.argv[2])))
