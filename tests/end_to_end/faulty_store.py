"""A way to the Cosmos DB server on which requests and answers get lost."""

import asyncio
import json
import math
from collections import Counter, defaultdict, deque
from dataclasses import replace
from typing import Self

from aiohttp import ClientSession, TCPConnector, web
from yarl import URL

from shared.settings import CosmosSettings
from tests.end_to_end.treatment import WELL, Treatment


class FaultyStore:
    """
    Passes on to the server whatever an instance asks, except as it is told.

    Use it as an asynchronous context manager; instances with its `settings` go through it.
    """

    def __init__(self, server: CosmosSettings) -> None:
        self.settings = server
        self.treated: list[tuple[str, Treatment]] = []
        """The writes that were not treated well: which document's, and how."""
        self.usual_treatment = WELL
        self.requests: Counter[str] = Counter()
        """How many there were, by method."""
        self.connections: set[object] = set()
        """The other ends of all that there ever were."""
        self._server = server
        self._next_treatments: dict[str, deque[Treatment]] = defaultdict(deque)

    async def __aenter__(self) -> Self:
        # Bodies pass through as they are.
        connector = TCPConnector(ssl=self._server.verify_tls, limit=0)
        self._session = ClientSession(connector=connector, auto_decompress=False)
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", self._take)
        # 0 would be for ever, and some answers are never given.
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.settings = replace(self._server, endpoint=f"http://127.0.0.1:{port}/")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    def treats_writes(self, document: str, *treatments: Treatment) -> None:
        """Treat the next writes of the document, "users/ada" for example, like this, one each."""
        self._next_treatments[document].extend(treatments)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.requests[request.method] += 1
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        body = await request.read()
        treatment, document = self.usual_treatment, ""
        if request.method in ("POST", "PUT"):
            # A query has none.
            _channel, _, document = json.loads(body).get("realId", "").partition("/")
            if self._next_treatments[document]:
                treatment = self._next_treatments[document].popleft()
        if treatment.accepted:
            answer = await self._pass_on(request, body)
        if treatment.accepted and treatment.status == WELL.status and treatment.delay_s < math.inf:
            await asyncio.sleep(treatment.delay_s)
            return answer
        self.treated.append((document, treatment))
        await asyncio.sleep(treatment.delay_s)
        if treatment.status is None:
            request.transport.abort()
            return web.Response()
        headers = {}
        if treatment.retry_after_s is not None:
            headers["x-ms-retry-after-ms"] = str(round(treatment.retry_after_s * 1000))
        error = {"code": "Refused", "message": "Refused on the way."}
        return web.json_response(error, status=treatment.status, headers=headers)

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        url = URL(self._server.endpoint.rstrip("/") + request.raw_path, encoded=True)
        # Each side of the way has its own.
        own = ("host", "connection", "content-length", "transfer-encoding")
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in own
        }
        async with self._session.request(
            request.method, url, data=body, headers=headers
        ) as response:
            answer = await response.read()
            headers = {
                name: value for name, value in response.headers.items() if name.lower() not in own
            }
            return web.Response(status=response.status, body=answer, headers=headers)
