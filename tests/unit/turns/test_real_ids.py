"""Ids of sent activities that a bot keeps: in its next turn they are the channel's."""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.schema import Activity, ConversationReference

from tests.unit.turns.conftest import HOME, Profile, Room

RoomWith = Callable[..., Room]


class Sent(NamedTuple):
    """What a bot may keep of an activity."""

    id: str
    text: str


class Kind(Enum):
    """Has attributes of its own, which are not the bot's."""

    CARD = "card"


KEPT: list[tuple[Callable[[str], Any], Any]] = [
    (lambda given: given, "real-0"),
    (lambda given: [{"card": given}], [{"card": "real-0"}]),
    (lambda given: {given: 1, 5: given}, {"real-0": 1, 5: "real-0"}),
    (lambda given: (given, {given}, Kind.CARD), ("real-0", {"real-0"}, Kind.CARD)),
    (lambda given: Sent(given, "hi"), Sent("real-0", "hi")),
    (lambda given: Profile(given, 1), Profile("real-0", 1)),
    (lambda given: Activity(id=given).as_dict(), {"id": "real-0"}),
    (
        lambda given: ConversationReference(activity_id=given),
        ConversationReference(activity_id="real-0"),
    ),
    (lambda given: f"not only {given}", None),
]


@pytest.mark.parametrize("kind", [ConversationState, UserState])
@pytest.mark.parametrize(("keep", "expected"), KEPT)
async def test_an_id_that_a_bot_has_kept_is_the_channels_in_the_next_turn(
    room_with: RoomWith, kind: Any, keep: Callable[[str], Any], expected: Any
) -> None:
    """Wherever it stands by itself in a state property, as a key too; other texts stay."""
    found: list[Any] = []
    given: list[str] = []

    async def show(context: TurnContext, storage: Storage) -> None:
        state = kind(storage)
        kept = state.create_property("kept")
        if context.activity.text == "show":
            sent = await context.send_activity("card")
            given.append(sent.id)
            await kept.set(context, keep(sent.id))
            await state.save_changes(context)
        else:
            found.append(await kept.get(context))

    room = room_with(show)
    await room.hears("show")
    await room.hears("what?")

    assert [keep(given[0]) if expected is None else expected] == found


async def test_a_reaction_is_to_the_activity_that_a_bot_has_kept(room_with: RoomWith) -> None:
    """The channel names it by its own id, and so does the state; nothing is written for that."""

    async def ask(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        kept = state.create_property("kept")
        if context.activity.type == "message":
            await kept.set(context, (await context.send_activity("Do you like it?")).id)
        elif context.activity.reply_to_id == await kept.get(context):
            await context.send_activity("I am glad.")
        await state.save_changes(context)

    room = room_with(ask)
    await room.hears("hello")
    await room.hears(type="messageReaction", replyToId="real-7")
    writes = room.storage.writes.count(HOME)
    await room.hears(type="messageReaction", replyToId="real-0")

    assert ["Do you like it?", "I am glad."] == room.texts()
    assert 2 == writes
