"""The composition root: everything is built here, once per worker, and handed in from here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import azure.functions as func
from botbuilder.core import Storage

from shared import telemetry
from shared.bot import STATE_TYPES, create_bot
from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.endpoint import MessagesEndpoint
from shared.channel.http import HttpPool
from shared.channel.tokens import TokenSource, token_fetcher
from shared.loops import PerLoop
from shared.settings import AppType, Settings
from shared.storage.codec import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns import TransactionalBot

_logger = logging.getLogger(__name__)


@dataclass
class App:
    """The application of one worker. Nothing is connected before the first request."""

    endpoint: MessagesEndpoint
    storage: Storage
    http: HttpPool
    preparations: tuple[Callable[[], Awaitable[object]], ...] = ()
    """What the first turn would otherwise wait for when its request is authenticated."""
    _prepared: "PerLoop[asyncio.Future[list[object]]]" = field(init=False)

    def __post_init__(self) -> None:
        self._prepared = PerLoop(self._prepare, lambda prepared: asyncio.wait({prepared}))

    async def handle(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer one request to the messaging endpoint."""
        self._prepared.get()
        return await self.endpoint.handle(request)

    def _prepare(self) -> "asyncio.Future[list[object]]":
        # On suspicion: whoever needs what fails here tries again, and reports it.
        return asyncio.gather(*(prepare() for prepare in self.preparations), return_exceptions=True)

    async def close(self) -> None:
        """Close what the worker holds open. Azure never calls it: a worker ends by being killed."""
        await self._prepared.close()
        await self.http.close()
        # The SDK's Storage has no such method; of ours, only the one with connections.
        if close := getattr(self.storage, "close", None):
            await close()


def create_app(settings: Settings, *, storage: Storage | None = None) -> App:
    """
    Build the application.

    `storage` replaces the one that the settings describe.
    """
    telemetry.quiet_libraries()
    cloud = cloud_of(settings.overrides)
    app_id = settings.identity.app_id if settings.identity else ""
    tokens = None
    if settings.identity is None:
        _logger.warning("MicrosoftAppId is not set: anyone who reaches this port may chat.")
    else:
        tokens = TokenSource(token_fetcher(settings.identity, cloud))
    http = HttpPool()
    connectors = ConnectorPool(app_id, cloud.oauth_scope, tokens, http)
    storage = storage or _create_storage(settings)
    preparations: list[Callable[[], Awaitable[object]]] = []
    # Without an identity nothing is authenticated, and there is no time to use.
    if tokens is not None:
        preparations.append(partial(tokens.get, cloud.oauth_scope))
        if connect := getattr(storage, "connect", None):
            preparations.append(connect)
    endpoint = MessagesEndpoint(
        ChannelAuthentication(app_id, cloud, settings.overrides, connectors, http),
        Destinations(settings.allowed_service_hosts, development=settings.development),
        TransactionalBot(create_bot, storage),
    )
    return App(endpoint, storage, http, tuple(preparations))


def _create_storage(settings: Settings) -> Storage:
    codec = DocumentCodec(STATE_TYPES)
    if settings.cosmos is None:
        _logger.warning("CosmosDbEndpoint is not set: state is lost when this process ends.")
        return MemoryStorage(codec)
    # 0.2 s of imports that a bot with its state in memory does not need.
    from shared.storage.cosmos import CosmosStorage

    identity = settings.identity
    is_managed = identity is not None and identity.app_type is AppType.USER_ASSIGNED_MSI
    return CosmosStorage(
        settings.cosmos,
        codec,
        # A registration with a password has none of its own: the app's system-assigned one is used.
        identity_client_id=identity.app_id if identity and is_managed else None,
    )
