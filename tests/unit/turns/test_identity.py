"""Which activities are one turn."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import InvokeResponse, Storage, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from shared.turns.identity import TurnIdentity
from tests.unit.turns.conftest import HOME, Room

RoomWith = Callable[..., Room]

NOON = "2026-11-20T12:00:00Z"


def turn_id(**fields: Any) -> str | None:
    wire = {
        "type": "message",
        "id": "a",
        "channelId": "test",
        "from": {"id": "ada"},
        "conversation": {"id": "room"},
    }
    return TurnIdentity.of(Activity.deserialize(wire | fields)).turn_id


@pytest.mark.parametrize(
    "other",
    [
        {"id": "b"},
        {"from": {"id": "bob"}},
        {"from": None},
        {"type": "invoke"},
        {"id": "da", "from": {"id": "a"}},
        {"type": "messageUpdate"},
        {"type": "messageReaction"},
    ],
)
def test_sender_and_type_belong_to_a_turn(other: dict[str, Any]) -> None:
    """Two senders may choose one id, and so may a message and an invoke."""
    assert turn_id() != turn_id(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"reactionsAdded": [{"type": "like"}]}, {"reactionsAdded": [{"type": "heart"}]}),
        ({"reactionsAdded": [{"type": "like"}]}, {"reactionsRemoved": [{"type": "like"}]}),
        ({"timestamp": NOON}, {"timestamp": "2026-11-20T12:00:00.001Z"}),
    ],
)
@pytest.mark.parametrize("when", [{}, {"timestamp": NOON}])
def test_two_reactions_to_one_message_are_two_turns(
    one: dict[str, Any], other: dict[str, Any], when: dict[str, Any]
) -> None:
    """Even in one millisecond, or where the channel gives no time."""
    reaction = {"type": "messageReaction", **when}
    assert turn_id(**(reaction | one)) != turn_id(**(reaction | other))
    assert turn_id(**(reaction | one)) == turn_id(**(reaction | one))


def test_two_edits_of_one_message_are_two_turns() -> None:
    """They say something else."""
    edits = {turn_id(type="messageUpdate", text=text) for text in ("one", "two")}
    assert 2 == len(edits)


def test_a_redelivery_may_differ_in_what_is_not_its_name() -> None:
    """Channels note the time of each delivery, say."""
    assert turn_id(text="hi", localTimestamp=NOON) == turn_id(text="hi")


@pytest.mark.parametrize("id_", ["x" * 5000, "\ud800", " a ", "a\nb", "日本"])
def test_any_id_names_a_turn(id_: str) -> None:
    """In a few characters, whatever a sender chose."""
    assert 16 == len(turn_id(id=id_) or "")


async def test_two_senders_with_one_id_are_answered_each(room_with: RoomWith) -> None:
    """Neither is given the other's answer."""

    async def greet(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(f"Hello {context.activity.from_property.id}.")

    room = room_with(greet)
    said = []
    for user in ("ada", "bob", "ada"):
        fields: dict[str, Any] = {"from": {"id": user}, "deliveryMode": "expectReplies"}
        response = await room.hears(id="a", **fields)
        assert response is not None
        said += [reply["text"] for reply in response.body["activities"]]
    assert ["Hello ada.", "Hello bob.", "Hello ada."] == said
    assert 2 == room.runs


async def test_an_invoke_is_not_the_message_with_its_id(room_with: RoomWith) -> None:
    """It gets the answer that the bot gives to it."""

    async def answer(context: TurnContext, _storage: Storage) -> None:
        if context.activity.type == ActivityTypes.invoke:
            response = InvokeResponse(status=202)
            await context.send_activity(Activity(type="invokeResponse", value=response))
        else:
            await context.send_activity("hi")

    room = room_with(answer)
    await room.hears(id="a")
    response = await room.hears(id="a", type="invoke")
    assert (202, ["hi"]) == (response and response.status, room.texts())


@pytest.mark.parametrize(
    ("id_", "entry"),
    [
        ("1600000000000", "t1 1600000000000"),
        ("x" * 81, f"t1 {hashlib.sha256(b'x' * 81).hexdigest()}"),
    ],
)
async def test_turns_of_an_earlier_version_are_recognised(
    room_with: RoomWith, id_: str, entry: str
) -> None:
    """After an upgrade the channel may still repeat what was done before it."""

    async def never(_context: TurnContext, _storage: Storage) -> None:
        raise AssertionError

    room = room_with(never)
    await room.storage.write({HOME: {"$turns": {"version": 3, "stamp": 5, "done": [entry]}}})
    await room.hears(id=id_)
    assert (0, []) == (room.runs, room.texts())
