"""The SDK's middleware inside the atomic turn, beside the same on the stock adapter."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from aiohttp import web
from botbuilder.core import (
    AnonymousReceiveMiddleware,
    AutoSaveStateMiddleware,
    Bot,
    BotTelemetryClient,
    ConversationState,
    InvokeResponse,
    MemoryStorage,
    MemoryTranscriptStore,
    Middleware,
    NullTelemetryClient,
    RegisterClassMiddleware,
    ShowTypingMiddleware,
    Storage,
    TelemetryLoggerMiddleware,
    TranscriptLoggerMiddleware,
    TurnContext,
    UserState,
)
from botbuilder.core.inspection import InspectionMiddleware, InspectionState
from botbuilder.core.inspection.inspection_sessions_by_status import InspectionSessionsByStatus
from botbuilder.core.teams import TeamsSSOTokenExchangeMiddleware
from botbuilder.core.teams.teams_sso_token_exchange_middleware import _TokenStoreItem
from botbuilder.schema import Activity, ConversationReference
from botframework.connector.token_api.models import TokenResponse

from shared.sdk_json import to_plain_json
from shared.storage import foreign_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage as OurMemoryStorage
from tests.unit.turns.conftest import HOME, CountedStorage, Handler, Queue, Room, StockRoom

RoomWith = Callable[..., Room]
CreateMiddleware = Callable[[Storage], Iterable[Middleware]]
Next = Callable[[], Awaitable[Any]]

SDK_TYPES = (
    foreign_type(_TokenStoreItem, "TokenStoreItem", {"e_tag": str | None}),
    foreign_type(ConversationReference, "Reference", {"json": dict[str, Any]},
                 dump=lambda value: {"json": to_plain_json(value)},
                 load=lambda fields: ConversationReference.deserialize(fields["json"])),
    foreign_type(InspectionSessionsByStatus, "Sessions",
                 {"opened_sessions": dict[str, Any], "attached_sessions": dict[str, Any]}),
)  # fmt: skip


class HandlerBot(Bot):
    """A bot that is one function."""

    def __init__(self, handler: Handler, storage: Storage) -> None:
        self._handler = handler
        self._storage = storage

    async def on_turn(self, context: TurnContext) -> None:
        await self._handler(context, self._storage)


class Both:
    """One bot with one kind of middleware, on the stock adapter and in atomic turns."""

    def __init__(
        self, handler: Handler, create_middleware: CreateMiddleware, user_tokens: object = None
    ) -> None:
        memory = MemoryStorage()
        self.stock = StockRoom(HandlerBot(handler, memory), user_tokens)
        for middleware in create_middleware(memory):
            self.stock.adapter.use(middleware)
        storage = CountedStorage(OurMemoryStorage(DocumentCodec(SDK_TYPES)))
        self.atomic = Room(
            handler, storage, Queue(), user_tokens, create_middleware=create_middleware
        )

    async def hear(self, text: str = "", **fields: Any) -> None:
        """Deliver an activity to both, and compare the answers; to ours it comes once more."""
        activity = self.atomic.activity(text, **fields)
        fields = {"id": activity.id, **fields}
        stock = await self.stock.hears(activity)
        for _ in range(2):
            atomic = await self.atomic.hears(text, **fields)
            assert to_plain_json(stock) == to_plain_json(atomic)

    def texts(self) -> tuple[list[str], list[str]]:
        """What users have seen here and there."""
        return self.stock.channel.texts(), self.atomic.texts()


async def count(context: TurnContext, storage: Storage) -> None:
    """Count messages, say so in two activities, and correct the first."""
    state = ConversationState(storage)
    counter = state.create_property("count")
    number = (await counter.get(context) or 0) + 1
    await counter.set(context, number)
    draft = await context.send_activity("hm")
    await context.send_activity(f"{context.activity.text} is number {number}")
    await context.update_activity(Activity(id=draft.id, type="message", text="aha"))
    await context.delete_activity(draft.id)
    await state.save_changes(context)


async def test_a_transcript_has_what_it_has_on_the_stock_adapter() -> None:
    """Each activity is in it once, in order, though one of them is delivered again."""
    store = MemoryTranscriptStore()

    def create_middleware(_storage: Storage) -> list[Middleware]:
        return [TranscriptLoggerMiddleware(store)]

    async def logged_for(name: str) -> list[tuple[str, str, str]]:
        activities = (await store.get_transcript_activities("test", name)).items
        return [(one.type, one.text, one.from_property.role) for one in activities]

    both = Both(count, create_middleware)
    for text, activity in (("one", "a1"), ("two", "a2")):
        await both.stock.hears(
            both.atomic.activity(text, id=activity, conversation={"id": "stock"})
        )
    for text, activity in (("one", "a1"), ("one", "a1"), ("two", "a2")):
        await both.atomic.hears(text, id=activity, conversation={"id": "atomic"})
    # The SDK's store is one for the whole process, whatever objects there are of it.
    expected = await logged_for("stock")

    assert 10 == len(expected)
    assert expected == await logged_for("atomic")


async def test_telemetry_is_what_it_is_on_the_stock_adapter() -> None:
    """Received, sent, updated and deleted activities are tracked once, with their properties."""
    tracked: list[list[tuple[str, dict[str, Any]]]] = []

    class Client(NullTelemetryClient):
        def __init__(self) -> None:
            tracked.append([])
            self._events = tracked[-1]

        def track_event(self, name: str, properties: Any = None, *_: Any, **__: Any) -> None:
            self._events.append((name, dict(properties)))

    made: list[BotTelemetryClient] = []

    def create_middleware(storage: Storage) -> list[Middleware]:
        # One client for each adapter, as an application has it.
        if isinstance(storage, MemoryStorage) or len(made) < 2:
            made.append(Client())
        return [TelemetryLoggerMiddleware(made[-1], log_personal_information=True)]

    both = Both(count, create_middleware)
    await both.hear("hi", **{"from": {"id": "ada", "name": "Ada"}})
    stock, atomic = tracked

    assert ["BotMessageReceived", "BotMessageSend"] == [name for name, _ in stock[:2]]
    assert stock == atomic


class Shouting(Middleware):
    """Translates what the user says, and what the bot says to them, as sample 17 does."""

    async def on_turn(self, context: TurnContext, logic: Next) -> None:
        context.activity.text = (context.activity.text or "").upper()

        async def translate(_: TurnContext, activities: list[Activity], send: Next) -> Any:
            for activity in activities:
                activity.text = f"¡{activity.text}!"
            return await send()

        async def translate_update(_: TurnContext, activity: Activity, update: Next) -> Any:
            activity.text = f"¿{activity.text}?"
            return await update()

        context.on_send_activities(translate)
        context.on_update_activity(translate_update)
        await logic()


@pytest.mark.parametrize("mode", [None, "expectReplies"])
async def test_what_is_said_is_translated_both_ways(mode: str | None) -> None:
    """The bot hears the translation, and the user reads it; the bot's own texts are not sent."""

    async def correct(context: TurnContext, _storage: Storage) -> None:
        await context.send_activities(
            [Activity(type="message", text=f"{context.activity.text}{i}") for i in range(2)]
        )
        await context.update_activity(Activity(id="earlier", type="message", text="aha"))

    both = Both(correct, lambda _: [Shouting()])
    await both.hear("one", deliveryMode=mode)
    await both.hear("two", deliveryMode=mode)
    replies = [] if mode else ["¡ONE0!", "¡ONE1!", "¡TWO0!", "¡TWO1!"]

    assert (replies, replies) == both.texts()
    changed = [text for verb, _, text in both.atomic.channel.log if verb == "update"]
    assert ["¿aha?", "¿aha?"] == changed


async def test_middleware_saves_what_the_bot_leaves_in_its_states() -> None:
    """A bot that saves nothing itself keeps its state, as a part of the turn."""

    async def count_only(context: TurnContext, storage: Storage) -> None:
        counter = ConversationState(storage).create_property("count")
        visits = UserState(storage).create_property("visits")
        for one in (counter, visits):
            await one.set(context, (await one.get(context) or 0) + 1)
        await context.send_activity(f"{await counter.get(context)} {await visits.get(context)}")

    def create_middleware(storage: Storage) -> list[Middleware]:
        return [AutoSaveStateMiddleware([ConversationState(storage), UserState(storage)])]

    both = Both(count_only, create_middleware)
    for _ in range(2):
        await both.hear()

    assert (["1 1", "2 2"], ["1 1", "2 2"]) == both.texts()
    # One commit, one write of the user's state, and one to settle.
    assert 3 * 2 == len(both.atomic.storage.writes)


async def test_middleware_may_answer_in_the_place_of_the_bot() -> None:
    """The bot does not run where the middleware does not go on."""

    async def stop(context: TurnContext, logic: Next) -> None:
        if context.activity.text == "stop":
            await context.send_activity("stopped")
        else:
            await logic()

    both = Both(count, lambda _: [AnonymousReceiveMiddleware(stop)])
    for text in ("one", "stop", "two"):
        await both.hear(text)
    stock, atomic = both.texts()

    assert ["hm", "one is number 1", "stopped", "hm", "two is number 2"] == stock
    assert stock == atomic


async def test_middleware_is_around_the_bot_in_the_order_of_the_list() -> None:
    """The first is the outermost; each may leave something in the turn for the bot."""
    order: list[str] = []

    def named(name: str) -> Middleware:
        async def on_turn(_: TurnContext, logic: Next) -> None:
            order.append(f"{name} before")
            await logic()
            order.append(f"{name} after")

        return AnonymousReceiveMiddleware(on_turn)

    async def note(context: TurnContext, _storage: Storage) -> None:
        order.append(context.turn_state["service"])

    both = Both(
        note,
        lambda _: [named("outer"), RegisterClassMiddleware("bot", "service"), named("inner")],
    )
    await both.stock.hears(both.atomic.activity())
    expected = list(order)
    order.clear()
    await both.atomic.hears()

    assert ["outer before", "inner before", "bot", "inner after", "outer after"] == expected
    assert expected == order


async def test_typing_is_shown_while_the_bot_is_at_work_and_not_after_it_failed() -> None:
    """The SDK's timer goes on when a bot has raised: in an atomic turn it ends with the turn."""

    async def work(_context: TurnContext, _storage: Storage) -> None:
        while "typing" not in room.channel.texts():  # noqa: ASYNC110  # the SDK's timer tells nobody
            await asyncio.sleep(0)
        raise RuntimeError

    room = Both(work, lambda _: [ShowTypingMiddleware(0, 1e-6)]).atomic
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
    before = asyncio.all_tasks()
    await room.hears()
    while asyncio.all_tasks() - before:  # noqa: ASYNC110
        await asyncio.sleep(0)
    texts = room.channel.texts()

    assert "Sorry, something went wrong here. Please try again." == texts[-1]
    assert {"typing"} == set(texts[:-1])


class UserTokens:
    """A token service that exchanges a token or does not."""

    def __init__(self) -> None:
        self.exchanged: list[str] = []

    async def exchange_token(
        self, user_id: str, _connection: str, _channel: str, request: Any
    ) -> TokenResponse | None:
        self.exchanged.append(user_id)
        return TokenResponse(token="secret") if request.token != "refused" else None


async def test_a_token_is_exchanged_once_whoever_of_the_users_clients_asks() -> None:
    """Teams sends one exchange from each client of a user: the bot runs for the first."""

    async def welcome(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(f"exchanged {context.activity.value['id']}")
        response = InvokeResponse(status=201)
        await context.send_activity(Activity(type="invokeResponse", value=response))

    room = Both(
        welcome,
        lambda storage: [TeamsSSOTokenExchangeMiddleware(storage, "graph")],
        UserTokens(),
    ).atomic
    statuses = []
    for request, token in (("x", "t"), ("x", "t"), ("y", "refused"), ("y", "t"), ("x", "t")):
        response = await room.hears(
            type="invoke",
            name="signin/tokenExchange",
            channelId="msteams",
            value={"id": request, "connectionName": "graph", "token": token},
        )
        assert response is not None
        statuses.append(response.status)

    assert [201, 200, 412, 201, 200] == statuses
    assert ["exchanged x", "exchanged y"] == room.texts()


@pytest.fixture
async def emulator() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Where the Bot Framework Emulator listens, and what it gets to see."""
    seen: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(json.loads(await request.read()))
        return web.json_response({"id": "1"})

    app = web.Application()
    app.router.add_post("/v3/conversations/{id}/activities", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    await runner.cleanup()


async def test_a_conversation_is_inspected_as_on_the_stock_adapter(
    emulator: tuple[str, list[dict[str, Any]]],
) -> None:
    """The emulator sees what is received, sent and remembered, as sample 47 shows it."""
    url, seen = emulator

    def create_middleware(storage: Storage) -> list[Middleware]:
        return [
            InspectionMiddleware(
                InspectionState(storage), UserState(storage), ConversationState(storage)
            )
        ]

    both = Both(count, create_middleware)

    async def inspected(hears: Callable[..., Any], channel: Any) -> list[Any]:
        opened = {"serviceUrl": url, "channelId": "emulator", "conversation": {"id": "emulator"}}
        await hears("/INSPECT open", **opened)
        (command,) = [one.value for one in channel.activities if one.name == "Command"]
        await hears(command)
        await hears("one")
        shown = [(one["name"], one["value"]) for one in seen]
        seen.clear()
        return shown

    stock = await inspected(
        lambda text, **fields: both.stock.hears(both.atomic.activity(text, id="i", **fields)),
        both.stock.channel,
    )
    atomic = await inspected(
        lambda text, **fields: both.atomic.hears(text, id=f"i{len(text)}", **fields),
        both.atomic.channel,
    )
    names = [name for name, _ in stock]

    assert {
        "ReceivedActivity",
        "SentActivity",
        "MessageUpdate",
        "Deleted Message",
        "Bot State",
    } == set(names)
    assert names == [name for name, _ in atomic]
    assert stock[-1][1]["conversation_state"]["count"] == 1
    assert atomic[-1][1]["conversation_state"]["count"] == 1


async def test_what_middleware_raises_is_the_bots_failure() -> None:
    """Nothing is kept of such a turn but the apology."""

    async def fail(_: TurnContext, logic: Next) -> None:
        await logic()
        raise RuntimeError

    room = Both(count, lambda _: [AnonymousReceiveMiddleware(fail)]).atomic
    await room.hears("one")

    assert ["Sorry, something went wrong here. Please try again."] == room.texts()
    assert {"$turns", "e_tag"} == (await room.home()).keys()
    assert HOME in room.storage.writes
