"""What a bot's author does about an error of the bot's is a part of the turn that failed."""

from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import (
    AnonymousReceiveMiddleware,
    Bot,
    ConversationState,
    MemoryStorage,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import Activity

from shared.errors import (
    StateNotStorable,
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
)
from shared.storage import storage_of
from tests.unit.turns.conftest import USER, Room, StockRoom, in_virtual_time, until_quiet

RoomWith = Callable[..., Room]
SORRY = "Sorry, something went wrong here. Please try again."


async def get_stuck(context: TurnContext, storage: Storage) -> None:
    """Fail for ever after "break", as a bot does whose dialog cannot go on."""
    state = ConversationState(storage)
    broken = state.create_property("broken")
    if await broken.get(context):
        raise ValueError(context.activity.text)
    if context.activity.text == "break":
        await broken.set(context, True)
    await context.send_activity(f"You said {context.activity.text}.")
    await state.save_changes(context)


def start_again(storage_of: Callable[[TurnContext], Storage]) -> Callable[..., Any]:
    """Do what the samples' on_turn_error does."""

    async def on_error(context: TurnContext, error: Exception) -> None:
        await context.send_activity(f"The bot encountered a {type(error).__name__}.")
        state = ConversationState(storage_of(context))
        await state.load(context)
        await state.delete(context)

    return on_error


async def test_a_stuck_conversation_is_freed_as_on_the_stock_adapter(room_with: RoomWith) -> None:
    """What on_error says and stores is committed, once, and the next message finds it."""
    memory = MemoryStorage()

    class StuckBot(Bot):
        async def on_turn(self, context: TurnContext) -> None:
            await get_stuck(context, memory)

    stock = StockRoom(StuckBot())
    stock.adapter.on_turn_error = start_again(lambda _: memory)
    room = room_with(get_stuck, on_error=start_again(storage_of))
    for number, text in enumerate(("hi", "break", "hi", "hi")):
        await stock.hears(room.activity(text, id=f"i{number}"))
        for _ in range(2):
            await room.hears(text, id=f"i{number}")
    expected = [
        "You said hi.",
        "You said break.",
        "The bot encountered a ValueError.",
        "You said hi.",
    ]

    assert expected == stock.channel.texts()
    assert expected == room.texts()
    assert 4 == room.runs


async def test_the_error_is_logged_all_the_same(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says where the bot failed, and not what the user said."""
    room = room_with(get_stuck, on_error=start_again(storage_of))
    await room.hears("break")
    await room.hears("private")
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]

    assert "The bot failed at activity a2" in record.getMessage()
    assert "ValueError" in record.getMessage()
    assert "private" not in caplog.text


async def test_what_was_saved_and_said_before_the_error_stays(room_with: RoomWith) -> None:
    """On the stock adapter it is stored and sent by then."""

    async def save_and_raise(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        await state.create_property("saved").set(context, 1)
        await state.save_changes(context)
        await state.create_property("forgotten").set(context, 1)
        await context.send_activity("Saved!")
        raise RuntimeError

    async def on_error(context: TurnContext, _error: Exception) -> None:
        await context.send_activity("Oh no.")

    room = room_with(save_and_raise, on_error=on_error)
    await room.hears()

    assert ["Saved!", "Oh no."] == room.texts()
    assert {"saved", "$turns", "e_tag"} == (await room.home()).keys()


async def test_an_error_in_on_error_is_apologised_for(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is kept of the turn, and the log has both errors."""

    async def on_error(context: TurnContext, _error: Exception) -> None:
        state = ConversationState(storage_of(context))
        await state.create_property("kept").set(context, 1)
        await state.save_changes(context)
        await context.send_activity("Wait!")
        raise LookupError

    async def fail(_context: TurnContext, _storage: Storage) -> None:
        raise ValueError

    room = room_with(fail, on_error=on_error)
    await room.hears()

    assert [SORRY] == room.texts()
    assert {"$turns", "e_tag"} == (await room.home()).keys()
    assert "ValueError" in caplog.text
    assert "LookupError" in caplog.text


async def test_an_error_of_middleware_comes_to_on_error(room_with: RoomWith) -> None:
    """It is around the middleware, as the adapter's is."""
    seen = []

    async def fail(_context: TurnContext, _logic: object) -> None:
        raise ValueError

    async def on_error(_context: TurnContext, error: Exception) -> None:
        seen.append(type(error))

    room = room_with(
        get_stuck, on_error=on_error, create_middleware=lambda _: [AnonymousReceiveMiddleware(fail)]
    )
    await room.hears("hi")

    assert [ValueError] == seen
    assert [] == room.texts()


def test_an_outage_of_the_store_is_not_the_bots_error(room_with: RoomWith) -> None:
    """The message is accepted, and the bot runs again when its documents can be read."""

    async def greet(context: TurnContext, storage: Storage) -> None:
        visits = UserState(storage).create_property("visits")
        await context.send_activity(f"Visit {await visits.get(context) or 1}.")

    room = room_with(greet, on_error=start_again(storage_of))
    room.storage.faults[f"read {USER}"] = [StateUnavailable("away")] * 1000

    async def history() -> None:
        await room.hears()
        room.storage.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())

    assert ["Visit 1."] == room.texts()


async def test_what_cannot_be_read_comes_to_on_error(room_with: RoomWith) -> None:
    """It would be the same the next time, so the author may do something about it."""

    async def read_user(_context: TurnContext, storage: Storage) -> None:
        await storage.read([USER])

    room = room_with(read_user, on_error=start_again(storage_of))
    room.storage.faults[f"read {USER}"] = [StateUnreadable("damaged")] * 4
    await room.hears()

    assert ["The bot encountered a StateUnreadable."] == room.texts()


class NoData:
    """An object that no storage takes."""


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (NoData(), StateNotStorable),
        ("half \ud800", StateNotStorable),
        ({NoData(): "a"}, StateNotStorable),
        (10**20, StateNotStorable),
        ("x" * 2_000_000, StateTooLarge),
        ("é" * 400_000, StateTooLarge),
    ],
)
@pytest.mark.parametrize("kind", [ConversationState, UserState])
async def test_what_cannot_be_stored_is_refused_when_it_is_saved(
    room_with: RoomWith, kind: Any, value: object, error: type[Exception]
) -> None:
    """The bot can catch it and say something better; what was saved before stays."""
    caught = []

    async def save(context: TurnContext, storage: Storage) -> None:
        state = kind(storage)
        await state.create_property("kept").set(context, 1)
        await state.save_changes(context)
        await state.create_property("refused").set(context, value)
        try:
            await state.save_changes(context)
        except Exception as refusal:
            caught.append(type(refusal))
            await context.send_activity("I cannot keep that.")

    room = room_with(save)
    await room.hears()
    key = "test/conversations/room" if kind is ConversationState else USER
    stored = await room.document(key)

    assert [error] == caught
    assert ["I cannot keep that."] == room.texts()
    assert {"kept", "$turns", "e_tag"} == stored.keys()


@pytest.mark.parametrize("size", [100_000, 600_000])
async def test_a_turn_that_changes_too_much_altogether_is_refused_when_it_is_saved(
    room_with: RoomWith, size: int
) -> None:
    """Changes elsewhere are committed in the conversation's document, which must hold them all."""
    names = [f"document {number}" for number in range(2_100_000 // size)]
    saved = []

    async def save(context: TurnContext, storage: Storage) -> None:
        for name in names:
            try:
                await storage.write({name: {"text": "x" * size, "e_tag": "*"}})
                saved.append(name)
            except StateTooLarge:
                await context.send_activity(f"Not {name}.")

    room = room_with(save)
    await room.hears()

    fitting = 1_899_000 // size
    assert names[:fitting] == saved
    assert [f"Not {name}." for name in names[fitting:]] == room.texts()
    assert saved == [name for name in names if "text" in await room.document(name)]


async def test_a_small_change_to_a_large_document_is_stored(room_with: RoomWith) -> None:
    """Only what is changed elsewhere is committed in the conversation's document."""

    async def save(context: TurnContext, storage: Storage) -> None:
        name = context.activity.text
        for kind in (ConversationState, UserState):
            state = kind(storage)
            await state.create_property(name).set(context, name * 300_000 if name == "big" else 1)
            await state.save_changes(context)
        await context.send_activity("Saved.")

    room = room_with(save)
    await room.hears("big")
    await room.hears("small")

    assert ["Saved.", "Saved."] == room.texts()
    assert 1 == (await room.document(USER))["small"]


def endless() -> dict[str, object]:
    """A card that contains itself."""
    card: dict[str, object] = {}
    card["card"] = card
    return card


@pytest.mark.parametrize(
    "said",
    [
        Activity(type="message", text="half \ud800"),
        Activity(type="message", channel_data={"half \ud800": 1}),
        Activity(type="event", value=endless()),
    ],
    ids=["half a character", "half a key", "endless"],
)
@pytest.mark.parametrize("mode", [None, "expectReplies"])
async def test_what_cannot_be_sent_is_refused_when_it_is_sent(
    room_with: RoomWith, said: Activity, mode: str | None
) -> None:
    """The bot can catch it, and its turn goes on."""
    caught = []

    async def say(context: TurnContext, _storage: Storage) -> None:
        try:
            await context.send_activity(said)
        except StateNotStorable as refusal:
            caught.append(type(refusal))
        await context.send_activity("I cannot say that.")

    room = room_with(say)
    response = await room.hears(deliveryMode=mode)
    texts = room.texts()
    if response is not None:
        texts = [one["text"] for one in response.body["activities"]]

    assert [StateNotStorable] == caught
    assert ["I cannot say that."] == texts
