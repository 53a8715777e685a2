"""Values that JSON does not know, in state that atomic turns keep."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from botbuilder.core import ConversationState, MessageFactory, Storage, TurnContext, UserState
from botbuilder.dialogs import DialogInstance, DialogState, PromptOptions
from botbuilder.schema import ChannelAccount

from tests.unit.storage.shapes import exact_shape
from tests.unit.turns.conftest import USER, Room
from tests.unit.turns.test_state import RoomWith


class Mixed(Enum):
    PAIR = (1, "a")
    HALF = 0.5


class Day(Flag):
    MONDAY = 1
    TUESDAY = 2


class Point(NamedTuple):
    x: Any
    y: Any


async def kept(room_with: RoomWith, *values: Any) -> tuple[Any, Any, Room]:
    """Set a property of both states to one value after the other; what is stored at the end."""
    left = list(values)

    async def remember(context: TurnContext, storage: Storage) -> None:
        value = left.pop(0)
        for state in (ConversationState(storage), UserState(storage)):
            await state.create_property("value").set(context, value)
            await state.save_changes(context)
        await context.send_activity("Kept.")

    room = room_with(remember)
    for _ in values:
        await room.hears()
    assert ["Kept."] * len(values) == room.texts()
    return (await room.home())["value"], (await room.document(USER))["value"], room


@pytest.mark.parametrize(
    "value",
    [
        {(1, 2): 3, None: 1, 1.5: 2, "text": 4},
        {Mixed.HALF: [Mixed.PAIR], Day(3): {Point(1, 2): {frozenset([1]), b"x"}}},
        [Decimal("sNaN"), Decimal("NaN"), Decimal("1E+999999")],
        [ZoneInfo("Europe/Berlin"), timezone(timedelta(seconds=1), "odd"), timedelta(-1)],
    ],
)
async def test_a_turn_keeps_any_value(room_with: RoomWith, value: Any) -> None:
    """In the conversation's document, and in the user's, to which it comes by the journal."""
    home, user, _ = await kept(room_with, value)

    assert exact_shape(value) == exact_shape(home) == exact_shape(user)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Decimal("1.0"), Decimal("1.00")),
        (
            datetime(2026, 1, 1, 12, tzinfo=UTC),
            datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
        ),
        ({1, "a"}, {True, "a"}),
        ({1: "a"}, {True: "a"}),
        ((1,), (1.5,)),
        (Point(1, 2), Point(1, True)),
        (timezone(timedelta(0), "a"), timezone(timedelta(0), "b")),
        (ChannelAccount(id="1", name="Ada"), ChannelAccount(id="1", name="Grace")),
        (DialogState([DialogInstance("a")]), DialogState([DialogInstance("b")])),
    ],
)
async def test_an_equal_value_is_a_change_if_it_is_stored_otherwise(
    room_with: RoomWith, one: Any, other: Any
) -> None:
    """To Python 1 and True are equal, and noon in London and one o'clock in Paris."""
    home, user, _ = await kept(room_with, one, other)

    assert exact_shape(other) == exact_shape(home) == exact_shape(user)


async def test_the_same_dialogs_are_no_change(room_with: RoomWith) -> None:
    """The SDK's classes do not say when two are equal; a turn that leaves them writes nothing."""

    def dialogs() -> DialogState:
        options = PromptOptions(MessageFactory.text("Which?"))
        return DialogState([DialogInstance("choice", {"options": options, "state": {}})])

    async def remember(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("dialogs").set(context, dialogs())
        await state.save_changes(context, True)

    room = room_with(remember)
    await room.hears()
    await room.hears()

    assert 1 == room.storage.writes.count(USER)


async def test_an_id_in_a_dialogs_state_is_the_channels(room_with: RoomWith) -> None:
    """A step that remembers the id of its card can change the card in a later turn."""

    async def change_the_card(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        accessor = state.create_property("DialogState")
        dialogs: DialogState = await accessor.get(context, DialogState)
        if not dialogs.dialog_stack:
            said: Any = await context.send_activity("first")
            dialogs.dialog_stack.append(DialogInstance("main", {"values": {"card": said.id}}))
        else:
            changed = MessageFactory.text("second")
            changed.id = dialogs.dialog_stack[0].state["values"]["card"]
            await context.update_activity(changed)
        await state.save_changes(context)

    room = room_with(change_the_card)
    await room.hears()
    await room.hears()

    sent, updated = room.channel.log[0], room.channel.log[-1]
    assert ("update", "second") == (updated[0], updated[2])
    assert sent[1] == updated[1]


async def test_an_object_of_the_sdks_is_a_document_in_a_turn(room_with: RoomWith) -> None:
    """A bot writes it under a key of its own, and changes it in a later turn."""
    seen = []

    async def count(_context: TurnContext, storage: Storage) -> None:
        account = (await storage.read(["account"])).get("account") or ChannelAccount(id="0")
        account.id = str(int(account.id) + 1)
        seen.append(account.id)
        await storage.write({"account": account})

    room = room_with(count)
    for _ in range(3):
        await room.hears()

    assert ["1", "2", "3"] == seen
