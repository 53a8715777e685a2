"""How azure-core's clients send their requests."""

from typing import Any

import aiohttp
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport

from shared.connections.departures import Connector
from shared.connections.resolver import Resolver


class AzureTransport(AioHttpTransport):
    """
    azure-core's transport, without the event loop's threads.

    By default each request looks for proxies and for a .netrc file, in two threads, and has a
    timer set again by each piece of its answer, which the storage's own time limit makes needless.
    """

    session: aiohttp.ClientSession | None

    def __init__(self, resolver: Resolver) -> None:
        super().__init__(use_env_settings=False, read_timeout=None)
        self._resolver = resolver

    async def open(self) -> None:
        """Make the session, unless there is one: every request calls this."""
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=Connector(resolver=self._resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request. A redirect is an error; azure-cosmos would take it for a success."""
        response = await super().send(request, **options)
        if 300 <= response.status_code < 400:
            raise ServiceResponseError("The answer is a redirect.")
        return response
