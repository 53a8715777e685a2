"""What a bot says without being asked: as a turn of its own, or within another's."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import (
    AnonymousReceiveMiddleware,
    Bot,
    CloudAdapterBase,
    ConversationState,
    MemoryStorage,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ConversationAccount,
    ConversationParameters,
    ConversationReference,
)

from shared.errors import (
    StateConflict,
    StateUnreadable,
    TurnDeadlineExceeded,
    WaitsForItself,
)
from shared.storage import storage_of
from shared.turns.limits import WAITING_S
from tests.unit.turns.conftest import (
    HOME,
    SERVICE,
    USER,
    Handler,
    Room,
    StockRoom,
    in_virtual_time,
    until_quiet,
)
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]
Logic = Callable[[TurnContext], Any]
ELSEWHERE = "https://elsewhere.example"


async def echo(context: TurnContext, _storage: Storage) -> None:
    await context.send_activity(f"You said {context.activity.text}.")


def reference(room: Room, **fields: Any) -> ConversationReference:
    """That of a message in a room."""
    found = TurnContext.get_conversation_reference(room.activity(id="before"))
    for name, value in fields.items():
        setattr(found, name, value)
    return found


async def continues(room: Room, logic: Logic, turn_id: str = "news", **fields: Any) -> None:
    """Run some logic in a room, as `App.continue_conversation` does."""
    activity = get_continuation_activity(reference(room, **fields))
    activity.id = turn_id

    async def run(context: TurnContext) -> None:
        await room.bot.run(context, logic)

    await room.adapter.process_proactive(
        room.adapter.create_claims_identity("bot"), activity, None, run
    )


def after(seconds: float, logic: Logic) -> Logic:
    """The same logic, which takes its time first."""

    async def later(context: TurnContext) -> None:
        await asyncio.sleep(seconds)
        await logic(context)

    return later


async def count(context: TurnContext) -> None:
    """Count in both states what was told, and tell."""
    numbers = []
    for kind in (ConversationState, UserState):
        state = kind(storage_of(context))
        told = state.create_property("told")
        numbers.append((await told.get(context) or 0) + 1)
        await told.set(context, numbers[-1])
        await state.save_changes(context)
    await context.send_activity(f"News {numbers}.")


async def test_a_proactive_turn_happens_once_for_each_id(room_with: RoomWith) -> None:
    """It stores state and sends replies; a queue that delivers a message again says it once."""
    room = room_with(echo)
    for turn_id in ("a", "a", "b", "a"):
        await continues(room, count, turn_id)
    await continues(room_with(echo), count, "b")

    assert ["News [1, 1].", "News [2, 2]."] == room.texts()
    assert 2 == (await room.home())["told"]
    assert 2 == (await room.document(USER))["told"]
    assert 0 == room.runs


async def test_of_several_at_once_with_one_id_one_happens(room_with: RoomWith) -> None:
    """On any number of instances."""
    rooms = [room_with(echo) for _ in range(3)]
    await asyncio.gather(*(continues(room, count) for room in rooms for _ in range(3)))

    assert ["News [1, 1]."] == [text for room in rooms for text in room.texts()]


async def test_a_proactive_turn_runs_again_where_another_turn_was_first(
    room_with: RoomWith,
) -> None:
    """It is based on the state as the other has left it, and only one run counts."""
    room = room_with(echo)
    room.storage.faults[f"write {HOME}"] = [StateConflict("other"), None]
    await continues(room, count)

    assert ["News [1, 1]."] == room.texts()


async def test_a_proactive_turn_waits_for_the_one_before_it(room_with: RoomWith) -> None:
    """Its conversation's turns and their replies are in order."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def ponder(context: TurnContext, _storage: Storage) -> None:
        entered.set()
        await leave.wait()
        await context.send_activity("Hm.")

    room = room_with(ponder)
    turn = asyncio.create_task(room.hears("?"))
    await entered.wait()
    news = asyncio.create_task(continues(room, count))
    await asyncio.sleep(0.05)
    before = room.texts()
    leave.set()
    await asyncio.gather(turn, news)

    assert [] == before
    assert ["Hm.", "News [1, 1]."] == room.texts()


def test_a_proactive_turn_that_finds_no_place_says_so(room_with: RoomWith) -> None:
    """Nothing has changed, and it may be asked for again."""

    async def ponder(_context: TurnContext, _storage: Storage) -> None:
        await asyncio.sleep(WAITING_S + 30)

    async def history() -> None:
        await room.hears("?")
        with pytest.raises(TurnDeadlineExceeded):
            await continues(room, count)
        await until_quiet(room)
        await continues(room, count)

    room = room_with(ponder)
    in_virtual_time(history())

    assert ["News [1, 1]."] == room.texts()


async def test_a_turn_does_not_wait_for_another_one_of_its_conversation(
    room_with: RoomWith,
) -> None:
    """It is refused at once, says what to do instead, and goes on; elsewhere it may speak."""
    refusals: list[WaitsForItself] = []

    async def tell_everybody(context: TurnContext, _storage: Storage) -> None:
        for place in ("room", "other"):
            try:
                await continues(room, count, conversation=ConversationAccount(id=place))
            except WaitsForItself as refusal:
                refusals.append(refusal)
        await context.send_activity("told")

    room = room_with(tell_everybody)
    await room.hears("tell")

    assert [None] == [refusal.__cause__ for refusal in refusals]
    assert "context.adapter.continue_conversation" in str(refusals[0])
    assert ["News [1, 1].", "told"] == room.texts()


def test_a_task_that_its_turn_waits_for_does_not_wait_for_the_turn(room_with: RoomWith) -> None:
    """It gets no place in time, is told why, and nothing of it has happened."""

    async def tell(context: TurnContext, _storage: Storage) -> None:
        refusal = (await asyncio.gather(continues(room, count), return_exceptions=True))[0]
        await context.send_activity(type(refusal).__name__)

    async def history() -> None:
        await room.hears("tell")
        await until_quiet(room)

    room = room_with(tell)
    in_virtual_time(history())

    assert ["WaitsForItself"] == room.texts()


async def test_a_task_that_outlives_its_turn_continues_the_conversation(
    room_with: RoomWith,
) -> None:
    """What a turn begins and does not await may wait for its end."""
    begun: list[asyncio.Task[None]] = []

    async def begin(context: TurnContext, _storage: Storage) -> None:
        begun.append(asyncio.create_task(continues(room, count)))
        await asyncio.sleep(0.01)
        await context.send_activity("I am looking it up.")

    room = room_with(begin)
    await room.hears("?")
    await begun[0]

    assert ["I am looking it up.", "News [1, 1]."] == room.texts()


def test_a_delivery_in_doubt_is_finished_by_a_bell(room_with: RoomWith) -> None:
    """The call ends with success, and another with the same id changes nothing about it."""
    room = room_with(echo)
    before: list[str] = []

    async def history() -> None:
        room.channel.faults = [refusal(502)]
        for _ in range(2):
            await continues(room, count)
        before.extend(room.texts())
        await until_quiet(room)

    in_virtual_time(history())

    assert [] == before
    assert ["News [1, 1]."] == room.texts()


class Whim(Exception):
    """What some logic raises."""


async def test_an_error_of_the_logic_is_the_callers(room_with: RoomWith) -> None:
    """Nothing has changed or been said, and it may be asked for again."""

    async def save_and_raise(context: TurnContext) -> None:
        await count(context)
        raise Whim

    room = room_with(echo)
    with pytest.raises(Whim):
        await continues(room, save_and_raise)
    before = await room.home()
    await continues(room, count)

    assert {} == before
    assert ["News [1, 1]."] == room.texts()


def test_logic_that_does_not_end_is_the_callers_to_know(room_with: RoomWith) -> None:
    """It is stopped when its caller's time is up, and may be asked for again."""

    async def history() -> None:
        with pytest.raises(TurnDeadlineExceeded):
            await continues(room, after(1e9, count))
        await asyncio.sleep(3)
        await continues(room, count)

    room = room_with(echo)
    in_virtual_time(history())

    assert ["News [1, 1]."] == room.texts()


async def test_an_error_of_the_logic_goes_to_on_error_first(room_with: RoomWith) -> None:
    """What on_error does is the turn then, as on the stock adapter."""

    async def fail(_context: TurnContext) -> None:
        raise Whim

    async def on_error(context: TurnContext, error: Exception) -> None:
        await context.send_activity(type(error).__name__)

    room = room_with(echo, on_error=on_error)
    for _ in range(2):
        await continues(room, fail)

    assert ["Whim"] == room.texts()


async def test_a_conversation_that_cannot_be_read_is_the_callers_to_know(
    room_with: RoomWith,
) -> None:
    """Nobody has said anything who could be told instead."""
    room = room_with(echo)
    room.storage.faults[f"read {HOME}"] = [StateUnreadable("damaged")]
    with pytest.raises(StateUnreadable):
        await continues(room, count)

    assert [] == room.texts()


async def test_middleware_is_around_a_proactive_turn(room_with: RoomWith) -> None:
    """It sees the event that the SDK makes up."""
    seen = []

    async def look(context: TurnContext, logic: Callable[[], Any]) -> None:
        seen.append((context.activity.type, context.activity.name))
        await logic()

    room = room_with(echo, create_middleware=lambda _: [AnonymousReceiveMiddleware(look)])
    await continues(room, count)

    assert [("event", "ContinueConversation")] == seen


class Both:
    """A bot that continues conversations, on the stock adapter and in atomic turns."""

    def __init__(self, handler: Handler, room_with: RoomWith) -> None:
        class HandlerBot(Bot):
            async def on_turn(self, context: TurnContext) -> None:
                await handler(context, memory)

        memory = MemoryStorage()
        self.stock = StockRoom(HandlerBot())
        self.atomic = room_with(handler)

    async def hear(self) -> None:
        """Deliver one message to both, and once more to ours."""
        activity = self.atomic.activity("hi")
        await self.stock.hears(activity)
        for _ in range(2):
            await self.atomic.hears("hi", id=activity.id)

    def seen(self, channel: Any) -> list[tuple[str, str, str]]:
        """Texts, with the conversation and the service that they went to."""
        sent = [one for one in channel.log if one[0] != "update"]
        return [
            (text, one.conversation.id if one.conversation else "", service)
            for (_, _, text), one, service in zip(
                sent, channel.activities, channel.services, strict=True
            )
        ]


def with_claims(adapter: CloudAdapterBase) -> Any:
    async def continue_conversation(place: ConversationReference, callback: Logic) -> None:
        await adapter.continue_conversation(
            place, callback, claims_identity=adapter.create_claims_identity("bot"), audience="a"
        )

    return continue_conversation


@pytest.mark.parametrize(
    "how",
    [
        lambda adapter: (
            lambda place, callback: adapter.continue_conversation(place, callback, "bot")
        ),
        lambda adapter: (
            lambda place, callback: adapter.continue_conversation(
                reference=place, callback=callback, bot_app_id="bot"
            )
        ),
        with_claims,
        lambda adapter: (
            lambda place, callback: adapter.continue_conversation_with_claims(
                adapter.create_claims_identity("bot"), place, "a", callback
            )
        ),
        lambda adapter: (
            lambda place, callback: adapter.process_proactive(
                adapter.create_claims_identity("bot"),
                get_continuation_activity(place),
                "a",
                callback,
            )
        ),
    ],
)
@pytest.mark.parametrize("conversation", ["room", "other"])
@pytest.mark.parametrize("service", [SERVICE, ELSEWHERE])
async def test_what_is_continued_in_a_turn_does_not_overtake_it(
    room_with: RoomWith, how: Any, conversation: str, service: str
) -> None:
    """Texts arrive in the order in which they were said, once, wherever they go."""

    async def tell(context: TurnContext, _storage: Storage) -> None:
        async def tell_there(there: TurnContext) -> None:
            await there.send_activities(
                [Activity(type="message", text=t) for t in ("two", "three")]
            )

        place = TurnContext.get_conversation_reference(context.activity)
        place.conversation = ConversationAccount(id=conversation)
        place.service_url = service if conversation == "other" else SERVICE
        await context.send_activity("one")
        await how(context.adapter)(place, tell_there)
        await context.send_activity("four")

    both = Both(tell, room_with)
    await both.hear()
    where = (conversation, service if conversation == "other" else SERVICE)
    expected = [
        ("one", "room", SERVICE),
        ("two", *where),
        ("three", *where),
        ("four", "room", SERVICE),
    ]

    assert expected == both.seen(both.stock.channel)
    assert expected == both.seen(both.atomic.channel)


async def test_a_turn_that_fails_has_continued_nothing(room_with: RoomWith) -> None:
    """Neither what was said elsewhere nor what was stored for it happens."""

    async def tell_and_raise(context: TurnContext, storage: Storage) -> None:
        async def tell_there(there: TurnContext) -> None:
            state = ConversationState(storage)
            await state.create_property("told").set(there, True)
            await state.save_changes(there)
            await there.send_activity("there")

        place = TurnContext.get_conversation_reference(context.activity)
        place.conversation = ConversationAccount(id="other")
        await context.adapter.continue_conversation(place, tell_there, "bot")
        if context.activity.text == "fail":
            raise Whim

    room = room_with(tell_and_raise)
    await room.hears("fail")
    failed = room.texts(), await room.document("test/conversations/other")
    await room.hears("hi")

    assert (["Sorry, something went wrong here. Please try again."], {}) == failed
    assert ["there"] == room.texts()[1:]
    assert (await room.document("test/conversations/other"))["told"]


def test_what_is_left_to_the_next_turn_goes_where_it_was_for(room_with: RoomWith) -> None:
    """A text for another conversation at another service gets there, whoever delivers it."""

    async def tell(context: TurnContext, _storage: Storage) -> None:
        async def tell_there(there: TurnContext) -> None:
            await there.send_activity("there")

        if context.activity.text == "tell":
            place = TurnContext.get_conversation_reference(context.activity)
            place.conversation = ConversationAccount(id="other")
            place.service_url = ELSEWHERE
            await context.adapter.continue_conversation(place, tell_there, "bot")
        await context.send_activity("here")

    room, later = room_with(tell), room_with(tell)

    async def history() -> None:
        room.channel.faults = [refusal(502)]
        await room.hears("tell")
        room.dies()
        await later.hears("hi")
        await until_quiet(later)

    in_virtual_time(history())
    sent = [(one.text, one.conversation.id) for one in later.channel.activities]

    assert [("there", "other"), ("here", "room"), ("here", "room")] == sent
    assert [ELSEWHERE, SERVICE, SERVICE] == later.channel.services


async def test_a_conversation_that_is_begun_in_a_turn_does_not_overtake_it(
    room_with: RoomWith,
) -> None:
    """It is begun at once, for its id; what is said in it waits with the rest of the turn."""
    ids = []

    async def begin(context: TurnContext, _storage: Storage) -> None:
        async def welcome(there: TurnContext) -> None:
            ids.append(there.activity.conversation.id)
            await there.send_activity("two")

        await context.send_activity("one")
        await context.adapter.create_conversation(
            "bot",
            welcome,
            ConversationParameters(bot=context.activity.recipient),
            "test",
            SERVICE,
        )
        await context.send_activity("three")

    room = room_with(begin)
    await room.hears("hi", id="a")
    await room.hears("hi", id="a")
    conversations = [one.conversation.id for one in room.channel.activities]

    assert ["one", "two", "three"] == room.texts()
    assert ["room", ids[0], "room"] == conversations
    assert ["create", "send", "send", "send"] == [verb for verb, _, _ in room.channel.log]


async def test_a_callback_that_comes_too_late_says_nothing(room_with: RoomWith) -> None:
    """A task that the bot has forgotten cannot speak in another conversation either."""
    tasks = []
    over = asyncio.Event()

    async def forget(context: TurnContext, _storage: Storage) -> None:
        async def late() -> None:
            await over.wait()
            place = TurnContext.get_conversation_reference(context.activity)
            await context.adapter.continue_conversation(place, say, "bot")

        async def say(there: TurnContext) -> None:
            await there.send_activity(Activity(type=ActivityTypes.message, text="late"))

        tasks.append(asyncio.create_task(late()))

    room = room_with(forget)
    await room.hears()
    over.set()
    (outcome,) = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(outcome, RuntimeError)
    assert [] == room.texts()
