"""A bot in atomic turns, under the SDK's own adapter, with a channel that records."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import Context, ContextVar, copy_context
from copy import copy
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from botbuilder.core import Bot, CloudAdapterBase, InvokeResponse, Storage, TurnContext
from botbuilder.schema import (
    Activity,
    ConversationParameters,
    ConversationResourceResponse,
    ResourceResponse,
)
from botframework.connector.auth import AuthenticateRequestResult

from shared.bells.base import Bell
from shared.errors import BellUnavailable
from shared.storage import state_type
from shared.storage.base import StateStorage
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns import TransactionalBot
from shared.turns.mailbox.contexts import Accepted
from tests.simulation.loop import SimulatedLoop

Handler = Callable[[TurnContext, Storage], Awaitable[None]]

T = TypeVar("T")

ROOM: ContextVar["Room | None"] = ContextVar("room", default=None)
"""The process that a callback belongs to."""

SERVICE = "https://channel.example"
HOME = "test/conversations/room"
USER = "test/users/ada"


@state_type("Profile", version=1)
@dataclass
class Profile:
    """What a bot remembers as an object."""

    name: str = ""
    visits: int = 0


@state_type("Note", version=1)
@dataclass
class Note:
    """An object that is a document by itself."""

    text: str = ""
    e_tag: str | None = None


class Awkward:
    """A value that cannot even be shown."""

    __slots__ = ()

    def __str__(self) -> str:
        raise LookupError


def endless() -> list[Any]:
    """A list that contains itself."""
    value: list[Any] = []
    value.append(value)
    return value


class CountedStorage(StateStorage):
    """A storage that counts what is asked of it, and fails when it is told to."""

    def __init__(self, inner: StateStorage) -> None:
        self._inner: Any = inner
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.faults: dict[str, list[Exception | None]] = {}
        """What becomes of coming requests, by verb and key: None is success."""

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        keys = list(keys)
        self.reads += keys
        self._fail("read", keys)
        documents: dict[str, Any] = await self._inner.read(keys)
        return documents

    async def write(self, changes: dict[str, Any]) -> None:
        self.writes += changes
        self._fail("write", changes)
        await self._inner.write(changes)

    async def delete(self, keys: Iterable[str]) -> None:
        await self._inner.delete(keys)

    async def find(self, path: tuple[str, ...], unchanged_s: float) -> list[str]:
        keys: list[str] = await self._inner.find(path, unchanged_s)
        return keys

    def encode(self, document: Any) -> bytes:
        text: bytes = self._inner.encode(document)
        return text

    def _fail(self, verb: str, keys: Iterable[str]) -> None:
        for key in keys:
            waiting = self.faults.get(f"{verb} {key}")
            fault = waiting.pop(0) if waiting else None
            if fault is not None:
                raise fault


class RecordingChannel:
    """The Bot Connector's operations on conversations."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str, str]] = []
        """What arrived, in order: verb, activity id, text."""
        self.activities: list[Activity] = []
        self.services: list[str] = []
        """At which service each arrived."""
        self.service = SERVICE
        self.faults: list[Exception | None] = []
        """What becomes of the coming requests: None is success."""
        self.delay_s = 0.0

    async def send_to_conversation(self, _place: str, activity: Activity) -> ResourceResponse:
        await asyncio.sleep(self.delay_s)
        return self._take("send", f"real-{len(self.log)}", activity)

    async def reply_to_activity(
        self, _place: str, _to: str, activity: Activity
    ) -> ResourceResponse:
        await asyncio.sleep(self.delay_s)
        return self._take("send", f"real-{len(self.log)}", activity)

    async def update_activity(
        self, _place: str, activity_id: str, activity: Activity
    ) -> ResourceResponse:
        return self._take("update", activity_id, activity)

    async def delete_activity(self, _place: str, activity_id: str) -> None:
        self._take("delete", activity_id, None)

    async def create_conversation(
        self, parameters: ConversationParameters
    ) -> ConversationResourceResponse:
        self._take("create", "", parameters.activity)
        return ConversationResourceResponse(id=f"room-{len(self.log)}", activity_id="first")

    def at(self, service: str) -> "RecordingChannel":
        """The same channel, as another service of it is."""
        if service == self.service:
            return self
        other = copy(self)
        other.service = service
        return other

    def texts(self) -> list[str]:
        """What the user has seen."""
        return [text for verb, _, text in self.log if verb == "send"]

    def _take(self, verb: str, activity_id: str, activity: Activity | None) -> ResourceResponse:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        text = (activity.text or activity.type or "") if activity else ""
        self.log.append((verb, activity_id, text))
        self.services.append(self.service)
        if activity is not None:
            self.activities.append(activity)
        return ResourceResponse(id=activity_id)


class Queue:
    """
    The bells of a test, and who hears them: any room of it that is not away.

    They ring by the event loop's time, so a test in virtual time has them all.
    """

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.ids = count(1)
        """Of what users say in any of its rooms."""
        self.rung: list[tuple[float, Bell]] = []
        """How many seconds from when it was rung, and what."""
        self.is_away = False
        self.is_silent = False
        """Whatever is rung, nobody hears it."""
        self.heard: list[asyncio.Task[None]] = []

    async def ring(self, bell: Bell, delay_s: float) -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise BellUnavailable("simulated")
        self.rung.append((delay_s, bell))
        if not self.is_silent:
            # Whoever rang it may be dead by then.
            asyncio.get_running_loop().call_later(delay_s, self.hear, bell, context=Context())

    def hear(self, bell: Bell) -> None:
        now_s = asyncio.get_running_loop().time()
        room = next((one for one in self.rooms if one.stands_until_s <= now_s), None)
        if room is not None:
            self.heard.append(room.begin(room.bot.on_bell(bell)))

    async def close(self) -> None:
        pass


class _Connectors:
    def __init__(self, channel: RecordingChannel) -> None:
        self._channel = channel

    async def create(self, service_url: str, _audience: str | None) -> SimpleNamespace:
        return SimpleNamespace(conversations=self._channel.at(service_url))


class _Authentication:
    """The bot has one identity; the SDK asks for a client of users' tokens all the same."""

    def __init__(self, channel: RecordingChannel, user_tokens: object = None) -> None:
        self._connectors = _Connectors(channel)
        self._user_tokens = user_tokens

    def create_connector_factory(self, _identity: object) -> _Connectors:
        return self._connectors

    async def create_user_token_client(self, _identity: object) -> object:
        return self._user_tokens


class Room:
    """One conversation with one bot, as one worker sees it."""

    def __init__(
        self,
        handler: Handler,
        storage: CountedStorage,
        queue: Queue,
        user_tokens: object = None,
        **options: Any,
    ) -> None:
        self.storage = storage
        self.queue = queue
        self.channel = RecordingChannel()
        self.runs = 0
        self.stands_until_s = 0.0
        """In virtual time: nothing of it happens until then."""
        self.adapter = CloudAdapterBase(_Authentication(self.channel, user_tokens))
        self.bot = TransactionalBot(
            self._create_bot(handler), storage, bells=queue, contexts=self, **options
        )
        queue.rooms.append(self)

    async def hears(self, text: str = "", **fields: Any) -> InvokeResponse | None:
        """Deliver an activity; a message with a new id where the fields say nothing else."""
        return await self.begin(self._process(self.activity(text, **fields), self.bot.on_turn))

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin what is a part of this process, and dies with it."""
        context = copy_context()
        context.run(ROOM.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def dies(self) -> None:
        """In virtual time: it is killed."""
        self.stands_until_s = float("inf")

    def pauses(self, seconds: float) -> None:
        """In virtual time: it stands still."""
        self.stands_until_s = asyncio.get_running_loop().time() + seconds

    async def run(
        self, accepted: Accepted, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        """Give an accepted activity a turn context, as `Contexts` asks."""
        await self._process(Activity.deserialize(json.loads(accepted.activity)), logic)

    async def _process(
        self, activity: Activity, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> InvokeResponse | None:
        return await _delivered(activity, logic, self.adapter, self.channel)

    def activity(self, text: str = "", **fields: Any) -> Activity:
        """What `hears` delivers."""
        wire = {
            "type": "message",
            "id": f"a{next(self.queue.ids)}",
            "channelId": "test",
            "serviceUrl": SERVICE,
            "from": {"id": "ada"},
            "recipient": {"id": "bot"},
            "conversation": {"id": "room"},
            "text": text,
        }
        return Activity.deserialize(wire | fields)

    async def home(self) -> dict[str, Any]:
        return await self.document(HOME)

    async def document(self, key: str) -> dict[str, Any]:
        """What is stored, journal and all."""
        documents = await self.storage.read([key])
        self.storage.reads.pop()
        document: dict[str, Any] = documents.get(key, {})
        return document

    def texts(self) -> list[str]:
        """What the user has read."""
        return [text for text in self.channel.texts() if text != "typing"]

    def _create_bot(self, handler: Handler) -> Callable[[Storage], Bot]:
        room = self

        class HandlerBot(Bot):
            def __init__(self, storage: Storage) -> None:
                self._storage = storage

            async def on_turn(self, context: TurnContext) -> None:
                room.runs += 1
                await handler(context, self._storage)

        return HandlerBot


async def _delivered(
    activity: Activity,
    logic: Callable[[TurnContext], Awaitable[None]],
    adapter: CloudAdapterBase,
    channel: RecordingChannel,
) -> InvokeResponse | None:
    caller = AuthenticateRequestResult()
    caller.connector_factory = _Connectors(channel)
    response: InvokeResponse | None = await adapter.process_activity(caller, activity, logic)
    return response


class StockRoom:
    """The same without atomic turns: the bot under the SDK's adapter, as the samples have it."""

    def __init__(self, bot: Bot, user_tokens: object = None) -> None:
        self.channel = RecordingChannel()
        self.adapter = CloudAdapterBase(_Authentication(self.channel, user_tokens))
        self._bot = bot

    async def hears(self, activity: Activity) -> InvokeResponse | None:
        return await _delivered(activity, self._bot.on_turn, self.adapter, self.channel)


def in_virtual_time(history: Coroutine[Any, Any, None], seed: int = 1) -> None:
    """Run what takes minutes, in which rooms may die and pause."""

    def stands_until_s(context: Context) -> float:
        room = context.get(ROOM)
        return room.stands_until_s if room is not None else 0.0

    loop = SimulatedLoop(random.Random(seed))
    loop.stands_until_s = stands_until_s
    loop.run(history)


async def until_quiet(room: Room) -> None:
    """In virtual time: wait until nothing is left to do in its conversation."""
    for _ in range(1000):
        await asyncio.sleep(2)
        if "open" not in (await room.home()).get("$turns", {}):
            # Whoever wrote that has something left to do in this moment, such as a line in the log.
            await asyncio.sleep(1)
            return
    raise AssertionError(f"it is never quiet: {(await room.home())['$turns']}")


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def storage() -> CountedStorage:
    return CountedStorage(MemoryStorage(DocumentCodec([Profile, Note])))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def room_with(storage: CountedStorage, queue: Queue) -> Callable[..., Room]:
    """Make a room; those of one test share their storage and their queue, as workers do."""

    def room_with(handler: Handler, **options: Any) -> Room:
        return Room(handler, storage, queue, **options)

    return room_with
