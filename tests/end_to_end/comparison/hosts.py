"""
The two hosts in this process: Microsoft's adapter as its samples use it, and this application.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import partial
from threading import Thread
from unittest.mock import patch

import azure.functions as func
from aiohttp import web
from azure.cosmos import documents
from botbuilder.azure import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
from botbuilder.core import MemoryStorage, Middleware, Storage, TurnContext, serializer_helper
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import Activity
from botframework.connector.auth import AuthenticationConstants, ClaimsIdentity, UserTokenClient

from shared.app import create_app
from shared.settings import CosmosSettings, Settings
from shared.storage.of_turn import STORAGE_KEY
from shared.turns import BotModule


def stock_storage(cosmos: CosmosSettings | None) -> Storage:
    """Return the SDK's storage as its samples make it; None: in memory."""
    if cosmos is None:
        return MemoryStorage()
    policy = documents.ConnectionPolicy()
    policy.DisableSSLVerification = True
    config = CosmosDbPartitionedConfig(
        cosmos_db_endpoint=cosmos.endpoint,
        auth_key=cosmos.key,
        database_id=cosmos.database_id,
        container_id=cosmos.container_id,
        cosmos_client_options={"connection_policy": policy},
    )
    return CosmosDbPartitionedStorage(config)


class _Config:
    """What the samples' config.py says, on a developer's machine."""

    APP_ID = ""
    APP_PASSWORD = ""


class _Authentication(ConfigurationBotFrameworkAuthentication):
    """Signs users in without a registration, which the SDK does not, and this application does."""

    async def create_user_token_client(self, _: ClaimsIdentity) -> UserTokenClient:
        claims = {AuthenticationConstants.AUDIENCE_CLAIM: "a bot"}
        return await super().create_user_token_client(ClaimsIdentity(claims, True))


@asynccontextmanager
async def stock_host(
    bot: BotModule, service_url: str, cosmos: CosmosSettings | None = None
) -> AsyncIterator[str]:
    """Serve a bot with the stock SDK; yields the URL that it takes activities at."""
    # As a setting, its OAUTH_URL wants five others beside it, and then a token with each request.
    with patch.object(AuthenticationConstants, "OAUTH_URL", service_url):
        adapter = CloudAdapter(_Authentication(_Config()))
    storage = stock_storage(cosmos)
    conversation = bot.create_bot(storage)
    for middleware in getattr(bot, "create_middleware", _no_middleware)(storage):
        adapter.use(middleware)
    on_error = getattr(bot, "on_error", None)
    if on_error:

        async def on_turn_error(context: TurnContext, error: Exception) -> None:
            context.turn_state[STORAGE_KEY] = storage
            await on_error(context, error)

        adapter.on_turn_error = on_turn_error

    async def handle(request: web.Request) -> web.StreamResponse:
        # As the samples in Teams do. CloudAdapter.process has the body serialized, which the
        # SDK's handlers have done already, and fails at what they have made of it.
        activity = Activity().deserialize(await request.json())
        response = await adapter.process_activity("", activity, conversation.on_turn)
        if response is None:
            return web.Response(status=201)
        body = response.body
        is_serialized = body is None or isinstance(body, dict)
        return web.json_response(
            body if is_serialized else serializer_helper(body), status=response.status
        )

    # Some of the SDK's calls block their event loop until the channel has answered them.
    async with _served_in_a_thread(handle) as url:
        yield url


@asynccontextmanager
async def own_host(bot: BotModule, service_url: str) -> AsyncIterator[str]:
    """Serve a bot with this application; yields the URL that it takes activities at."""
    environ = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", "OAUTH_URL": service_url}
    app = create_app(Settings.from_environ(environ), bot=bot)

    async def handle(request: web.Request) -> web.Response:
        answer = await app.handle(
            func.HttpRequest(
                method=request.method,
                url=str(request.url),
                headers=dict(request.headers),
                body=await request.read(),
            )
        )
        return web.Response(
            status=answer.status_code, body=answer.get_body(), headers=dict(answer.headers)
        )

    async with _served(handle) as url:
        yield url
    await app.close()


def _no_middleware(_: Storage) -> Iterable[Middleware]:
    return ()


Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _served_in_a_thread(handle: Handle) -> AsyncIterator[str]:
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with _served(handle) as url:
            started.set_result((url, partial(loop.call_soon_threadsafe, stop.set)))
            await stop.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    url, stop = await asyncio.wrap_future(started)
    try:
        yield url
    finally:
        stop()
        await asyncio.to_thread(thread.join)


@asynccontextmanager
async def _served(handle: Handle) -> AsyncIterator[str]:
    server = web.Application()
    server.router.add_post("/api/messages", handle)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages"
    finally:
        await runner.cleanup()
