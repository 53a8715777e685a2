"""A Bot Connector, and the worker's way to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from botframework.connector.aio import ConnectorClient

from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.channel.tokens import TokenSource
from tests.unit.raw_channel import RawChannel, serve_raw

AUDIENCE = "https://api.botframework.com"


class Connector:
    """A Bot Connector that remembers its requests and answers as it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.peers: set[object] = set()
        self.answer = web.json_response({"id": "sent"})
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.raw_path, body))
        self.headers.append(dict(request.headers))
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        await self.may_answer.wait()
        answer = self.answer
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


@pytest.fixture
async def connector() -> AsyncIterator[Connector]:
    connector = Connector()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", connector.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connector.url = "http://{}:{}/base".format(*runner.addresses[0][:2])
    yield connector
    await runner.cleanup()


@pytest.fixture
def raw() -> Iterator[RawChannel]:
    with serve_raw() as channel:
        yield channel


@pytest.fixture
async def pool() -> AsyncIterator[ConnectorPool]:
    tokens = TokenSource(lambda audience: AccessToken(f"token-for-{audience}", 2**40))
    http = HttpPool()
    yield ConnectorPool("app", AUDIENCE, tokens, http)
    await http.close()


@pytest.fixture
async def client(pool: ConnectorPool, connector: Connector) -> ConnectorClient:
    return await pool.create(connector.url)
