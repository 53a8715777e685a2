"""The composition root: everything is built here, once per worker, and handed in from here."""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import azure.functions as func
from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ConversationReference

from shared import bot as own_bot
from shared import log_hygiene, stray_lines
from shared.bells.base import Bell, Bells
from shared.bells.event_loop import EventLoopBells
from shared.channel.adapter import ChannelAdapter
from shared.channel.authentication import ChannelAuthentication
from shared.channel.clouds import cloud_of
from shared.channel.connectors import ConnectorPool
from shared.channel.destinations import Destinations
from shared.channel.endpoint import MessagesEndpoint
from shared.channel.http_pool import HttpPool
from shared.channel.proactive import continuation
from shared.channel.tokens import TokenSource, token_fetcher
from shared.connections.per_loop import PerLoop
from shared.sdk_json import activity_from_json
from shared.settings import AppType, Settings
from shared.storage.base import StateStorage
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.state_types import Schema
from shared.storage.memory import MemoryStorage
from shared.turns import Accepted, BotModule, TransactionalBot, bot_in

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


class Contexts:
    """Turn contexts for activities whose request is over, made as for those that arrive."""

    def __init__(self, adapter: ChannelAdapter, app_id: str) -> None:
        self._adapter = adapter
        self._app_id = app_id

    async def run(
        self, accepted: Accepted, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        """Run `logic` on a turn context of the activity."""
        # Not msgspec: an accepted text may have half of a surrogate pair in it, as an escape.
        activity = activity_from_json(json.loads(accepted.activity))
        await self.run_on(activity, logic, accepted.audience or None)

    async def run_on(
        self,
        activity: Activity,
        logic: Callable[[TurnContext], Awaitable[None]],
        audience: str | None = None,
    ) -> None:
        """
        Do what `run` does.

        Raises:
            NotPermitted: the activity's service URL is not one that this bot may send to.
        """
        identity = self._adapter.create_claims_identity(self._app_id)
        await self._adapter.process_proactive(identity, activity, audience, logic)


@dataclass
class App:
    """The application of one worker. Nothing is connected before the first genuine request."""

    endpoint: MessagesEndpoint
    storage: StateStorage
    http: HttpPool
    bot: TransactionalBot
    contexts: Contexts
    bells: Bells
    preparations: Preparations = field(default_factory=Preparations)

    async def handle(self, request: func.HttpRequest) -> func.HttpResponse:
        """Answer one request to the messaging endpoint."""
        with stray_lines.invocation():
            return await self.endpoint.handle(request)

    async def hear(self, message: func.QueueMessage) -> None:
        """
        Do what a bell asks for: look after a conversation.

        Raises:
            MalformedBell: the message is not a bell.
            BotApplicationError: the bell has to be rung again, and could not be.
        """
        with stray_lines.invocation():
            await self.bot.on_bell(Bell.from_text(message.get_body()))

    async def sweep(self) -> None:
        """
        Ring for each conversation with something unfinished that no bell may know of.

        Raises:
            StateError: the store cannot be asked. The next sweep does it.
        """
        with stray_lines.invocation():
            await self.bot.sweep()

    def leave(self) -> None:
        """Hand over what runs here, within a second or two: the worker is about to end."""
        self.bot.leave()

    @property
    def is_busy(self) -> bool:
        """Whether there are conversations that nobody but this worker looks after."""
        return self.bot.is_busy

    def continue_conversation(
        self,
        reference: ConversationReference,
        logic: Callable[[TurnContext], Awaitable[object]],
        *,
        id: str,  # noqa: A002  # what it is called everywhere else
    ) -> Coroutine[Any, Any, None]:
        """
        Run `logic` as a turn of a conversation, which nobody there has asked for.

        It waits for the turns before it, and is a turn like any other: it happens completely and
        once, with what it says and what it saves in `shared.storage.storage_of(context)`, though
        `logic` may have to run again for that. When this returns, it is stored; what the channel
        has not taken yet is sent later, whatever becomes of this worker. Until then nothing of it
        outlives the worker, or a caller that is cancelled: `logic` cannot be stored.

        `id` says which turn it is: any text that is the same when the same is to be said, such as
        the id of the queue's message. With an `id` that was used before in this conversation for
        this user, `logic` does not run.

        Raises:
            WaitsForItself: a turn of the same conversation calls this. It is raised at once, and
                not when the result is awaited, which `asyncio.gather` does elsewhere.
            TurnDeadlineExceeded: it found no place, or did not end, within 100 s, or the worker is
                about to end. Call again with this `id`.
            StateError: the store's reason. It is known at the next call whether it has happened.
            MalformedActivity, NotPermitted: the reference leads nowhere that the bot may speak.
            Whatever `logic` raises, unless the bot's `on_error` takes it. Nothing has changed.
        """
        if not id:
            raise ValueError(
                "id must be a string, the same one whenever the same thing is to be said."
            )
        activity = continuation(reference, id)
        self.bot.refuse_in_itself(activity)
        return self.contexts.run_on(activity, partial(self.bot.run, logic=logic))

    async def close(self) -> None:
        """Close what the worker holds open. Azure never calls it: a worker ends by being killed."""
        await self.preparations.settle()
        await self.bells.close()
        await self.http.close()
        await self.storage.close()


def create_app(
    settings: Settings, *, storage: StateStorage | None = None, bot: BotModule = own_bot
) -> App:
    """
    Build the application.

    `storage` replaces the one that the settings describe, and `bot` the one in `shared.bot`.

    Raises:
        TypeError, ValueError: what the bot's module has is not what it must be.
    """
    log_hygiene.quiet_libraries()
    log_hygiene.escape_logs()
    cloud = cloud_of(settings.overrides)
    app_id = settings.identity.app_id if settings.identity else ""
    tokens = None
    if settings.identity is None:
        _logger.warning("MicrosoftAppId is not set: anyone who can reach this port may chat.")
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
    authentication = ChannelAuthentication(app_id, cloud, settings.overrides, connectors, http)
    destinations = Destinations(settings.allowed_service_hosts, development=settings.development)
    adapter = ChannelAdapter(authentication, destinations)
    bells = _create_bells(settings, storage)
    contexts = Contexts(adapter, app_id)
    transactional_bot = bot_in(bot, storage, bells=bells, contexts=contexts)
    if isinstance(bells, EventLoopBells):
        bells.listener = transactional_bot.on_bell
    endpoint = MessagesEndpoint(authentication, destinations, transactional_bot, preparations.start)
    return App(endpoint, storage, http, transactional_bot, contexts, bells, preparations)


_the_app: App | None = None
_building = threading.Lock()


def get_app() -> App:
    """
    Return the one application of this worker, whichever function asks for it first.

    It is made of the environment and of `shared.bot`. What one function has read, connected or
    learned, the others need not; and turns of one conversation wait for each other.

    Raises what `Settings.from_environ` and `create_app` do.
    """
    global _the_app
    with _building:
        if _the_app is None:
            _the_app = create_app(Settings.from_environ())
        return _the_app


def _create_bells(settings: Settings, storage: StateStorage) -> Bells:
    if settings.queue is None or isinstance(storage, MemoryStorage):
        # Another process would find nothing of what is in the memory of this one.
        return EventLoopBells()
    from shared.bells.storage_queue import StorageQueueBells

    return StorageQueueBells(settings.queue)


def _create_storage(settings: Settings, state_types: Iterable[type | Schema]) -> StateStorage:
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
