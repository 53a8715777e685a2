"""A way to the emulator's queues on which requests are refused, or answers are lost."""

import asyncio
import threading
from typing import Self

from aiohttp import ClientSession, web
from yarl import URL

from local.bootstrap import development_storage
from local.node_services.emulators import Azurite

LOST = 0
"""In place of a status: the request arrives, its answer does not."""

BROKEN = -1
"""In place of a status: the connection breaks off, and the request does not arrive."""


class FaultyStorage:
    """
    Passes on to the emulator whatever a host asks, except as it is told.

    Runs in a thread of its own. Its signatures are valid on either side of the way, since they
    leave out the server's name.
    """

    def __init__(self, azurite: Azurite) -> None:
        self._queues = f"http://127.0.0.1:{azurite.ports['queue']}"
        self._blob_port = azurite.ports["blob"]
        self._faults: dict[tuple[str, str], int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.met = 0
        """How many requests have not been treated well."""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *exc_info: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def settings(self) -> dict[str, str]:
        """What makes a host go this way."""
        storage = development_storage.connection_string(self._blob_port, self._port)
        return {"AzureWebJobsStorage": storage}

    def refuse(self, method: str, path_part: str, status: int) -> None:
        """Answer requests of the method, whose path has this part, with the status."""
        self._faults[method, path_part] = status

    def be_well(self) -> None:
        """Refuse nothing any more."""
        self._faults.clear()

    async def _start(self) -> None:
        self._session = ClientSession(auto_decompress=False)
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port: int = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        for (method, path_part), status in list(self._faults.items()):
            if method == request.method and path_part in request.path:
                self.met += 1
                if status not in (LOST, BROKEN):
                    return web.Response(status=status)
                if status == LOST:
                    await self._pass_on(request, body)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        return await self._pass_on(request, body)

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        url = URL(self._queues + request.raw_path, encoded=True)
        # Each side of the way has its own.
        own = ("host", "connection", "content-length", "transfer-encoding")
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in own
        }
        async with self._session.request(
            request.method,
            url,
            data=body or None,
            headers=headers,
            # One that is not signed would make the signature wrong.
            skip_auto_headers=["Content-Type"],
        ) as response:
            answer = await response.read()
            headers = {
                name: value for name, value in response.headers.items() if name.lower() not in own
            }
            return web.Response(status=response.status, body=answer, headers=headers)
