"""The composition root: everything is built here, once per worker, and handed in from here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import azure.functions as func
from botbuilder.core import Bot, Storage

from shared import bot as own_bot
from shared import log_hygiene, stray_lines
from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.endpoint import MessagesEndpoint
from shared.channel.http_pool import HttpPool
from shared.channel.tokens import TokenSource, token_fetcher
from shared.connections.per_loop import PerLoop
from shared.settings import AppType, Settings
from shared.storage.base import StateStorage
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns import TransactionalBot

_logger = logging.getLogger(__name__)


class Preparations:
    """
    What the first turn would otherwise wait for step by step, done at once.

    They start with the first request whose token is genuine: a stranger makes the worker connect
    to nothing. The turn itself waits for none of them.
    """

    def __init__(self, *steps: Callable[[], Awaitable[object]]) -> None:
        self._steps = steps
        self._started = PerLoop(self._start, lambda started: asyncio.wait({started}))

    def start(self) -> None:
        """Start them, once in each event loop."""
        self._started.get()

    async def settle(self) -> None:
        """Wait until those that have started have ended."""
        await self._started.close()

    def _start(self) -> "asyncio.Future[list[object]]":
        # Ahead of need: if one fails, the turn that needs it tries again, and reports the failure.
        return asyncio.gather(*(step() for step in self._steps), return_exceptions=True)


@dataclass
class App:
    """The application of one worker. Nothing is connected before the first genuine request."""

    endpoint: MessagesEndpoint
    storage: StateStorage
    http: HttpPool
    preparations: Preparations = field(default_factory=Preparations)

    async def handle(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer one request to the messaging endpoint."""
        with stray_lines.invocation():
            return await self.endpoint.handle(request)

    async def close(self) -> None:
        """Close what the worker holds open. Azure never calls it: a worker ends by being killed."""
        await self.preparations.settle()
        await self.http.close()
        await self.storage.close()


class BotModule(Protocol):
    """What the application takes from `shared.bot`, or from another module in its place."""

    @property
    def STATE_TYPES(self) -> tuple[type, ...]: ...  # noqa: N802 (the module's constant)

    def create_bot(self, storage: Storage, /) -> Bot: ...


def create_app(
    settings: Settings, *, storage: StateStorage | None = None, bot: BotModule = own_bot
) -> App:
    """
    Build the application.

    `storage` replaces the one that the settings describe, and `bot` the one in `shared.bot`.
    """
    log_hygiene.quiet_libraries()
    log_hygiene.escape_logs()
    cloud = cloud_of(settings.overrides)
    app_id = settings.identity.app_id if settings.identity else ""
    tokens = None
    if settings.identity is None:
        _logger.warning("MicrosoftAppId is not set: anyone who reaches this port may chat.")
    else:
        tokens = TokenSource(token_fetcher(settings.identity, cloud))
    http = HttpPool()
    connectors = ConnectorPool(app_id, cloud.oauth_scope, tokens, http)
    storage = storage or _create_storage(settings, bot.STATE_TYPES)
    steps: list[Callable[[], Awaitable[object]]] = []
    # Without an identity there is no token to wait for, and the first turn connects by itself.
    if tokens is not None:
        steps += [partial(tokens.get, cloud.oauth_scope), storage.connect]
    preparations = Preparations(*steps)
    endpoint = MessagesEndpoint(
        ChannelAuthentication(app_id, cloud, settings.overrides, connectors, http),
        Destinations(settings.allowed_service_hosts, development=settings.development),
        TransactionalBot(bot.create_bot, storage),
        preparations.start,
    )
    return App(endpoint, storage, http, preparations)


def _create_storage(settings: Settings, state_types: Iterable[type]) -> StateStorage:
    codec = DocumentCodec(state_types)
    if settings.cosmos is None:
        _logger.warning("CosmosDbEndpoint is not set: state is lost when this process ends.")
        return MemoryStorage(codec)
    # 0.2 s of imports that a bot with its state in memory does not need.
    from shared.storage.cosmos.storage import CosmosStorage

    identity = settings.identity
    is_managed = identity is not None and identity.app_type is AppType.USER_ASSIGNED_MSI
    return CosmosStorage(
        settings.cosmos,
        codec,
        # A registration with a password has none of its own: the app's system-assigned one is used.
        identity_client_id=identity.app_id if identity and is_managed else None,
    )
