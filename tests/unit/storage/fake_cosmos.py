"""A Cosmos DB server that fails as it is told: what the real one does only on bad days."""

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from shared.settings import CosmosSettings

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeCosmos:
    """Gives the answers in `script`, one a request, and after them `otherwise`."""

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.otherwise: Answer = error(404)
        self.requests: list[str] = []
        """Method and path of each, in order."""
        self.arrived_s: list[float] = []
        """When each came, by a monotonic clock, in seconds."""
        self.headers: list[dict[str, str]] = []
        self.settings = CosmosSettings("", "bot", "state", key="YW55IGtleQ==", verify_tls=False)
        """How to get here, while it serves."""

    @asynccontextmanager
    async def serve(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Answer requests on a free port."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        scheme, port = "https" if tls else "http", runner.addresses[0][1]
        self.settings = replace(self.settings, endpoint=f"{scheme}://127.0.0.1:{port}/")
        try:
            yield
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path.rstrip('/')}")
        self.arrived_s.append(time.monotonic())
        self.headers.append(dict(request.headers))
        answer = self.script.popleft() if self.script else self.otherwise
        return await answer(request)


def item(document: object = None, e_tag: str = '"1"') -> Answer:
    """Return the item that is asked for, as after a read or write."""
    stored = {"document": document or {}, "_etag": e_tag}

    async def answer(request: web.Request) -> web.StreamResponse:
        item_id = request.path.rstrip("/").rpartition("/")[2]
        key = re.sub(r"\*(\d\d)", lambda escape: chr(int(escape[1])), item_id)
        return web.json_response({"id": item_id, "realId": key, **stored})

    return answer


def error(status: int, sub_status: int | None = None, **headers: str) -> Answer:
    """Refuse; `retry_after_ms="5"` becomes the header x-ms-retry-after-ms."""
    sent = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    if sub_status is not None:
        sent["x-ms-substatus"] = str(sub_status)

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "Told", "message": "Ada"}, status=status, headers=sent)

    return answer


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Drop the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    """Drop the connection in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": ')
    return await hang_up(request)


async def say_nothing(_: web.Request) -> web.StreamResponse:
    """Keep the connection, and silent."""
    await asyncio.Event().wait()
    raise AssertionError


async def talk_html(_: web.Request) -> web.StreamResponse:
    """Answer as a proxy in between does."""
    return web.Response(text="<html>Hello Ada</html>", content_type="text/html")
