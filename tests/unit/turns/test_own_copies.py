"""What a bot is given is its own, and what it has given away it cannot change any more."""

import random
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from botbuilder.core import Storage, TurnContext
from botbuilder.schema import Activity, Attachment
from hypothesis import given
from hypothesis import strategies as st
from msrest.serialization import Model

from shared.errors import StateConflict
from shared.turns.own_copy import own_copy
from tests.simulation.loop import SimulatedLoop
from tests.unit.turns.conftest import HOME, Room, endless
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]


async def test_a_rerun_gets_the_activity_as_it_came(room_with: RoomWith) -> None:
    """A bot that strips a mention from its activity strips it once from each copy."""
    heard = []

    async def strip(context: TurnContext, _storage: Storage) -> None:
        heard.append(context.activity.text)
        context.activity.text = context.activity.text.removeprefix("bot ")
        await context.send_activity(context.activity.text)

    room = room_with(strip)
    room.storage.faults[f"write {HOME}"] = [StateConflict("simulated")]
    await room.hears("bot hi")
    assert (["bot hi", "bot hi"], ["hi"]) == (heard, room.texts())


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
)


@given(PLAIN)
def test_a_copy_of_an_activity_shares_nothing_that_can_be_changed(data: Any) -> None:
    """However deep a bot reaches into it."""
    wire = {
        "type": "message",
        "timestamp": "2026-11-29T12:00:00Z",
        "from": {"id": "ada", "extra": data},
        "attachments": [{"contentType": "any", "content": {"card": data}}],
        "channelData": {"data": data},
        "entities": [{"type": "mention", "mentioned": {"id": "bot"}}],
    }
    activity = Activity.deserialize(wire)
    copied = own_copy(activity)
    assert activity.serialize() == copied.serialize()
    assert type(copied) is Activity
    shared = parts_of(activity).keys() & parts_of(copied).keys()
    assert set() == shared


def parts_of(value: Any) -> dict[int, Any]:
    """All parts of a value that can be changed, by their identity."""
    if isinstance(value, Model):
        return {id(value): value} | parts_of(vars(value))
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return {id(value): value} | {
            key: part for item in items for key, part in parts_of(item).items()
        }
    return {}


def test_an_activity_that_contains_itself_is_copied_all_the_same() -> None:
    """Whatever middleware has put into it."""
    activity = Activity(type="message", channel_data=endless())
    copied = own_copy(activity)
    assert copied.channel_data[0] is copied.channel_data


class Drawing(Attachment):
    """An attachment of a bot's that says itself how it is copied."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Drawing":
        return Drawing(name="a copy")


def test_what_knows_how_to_be_copied_is_asked() -> None:
    """As `deepcopy` asks it."""
    copied = own_copy(Activity(type="message", attachments=[Drawing(name="the drawing")]))
    assert "a copy" == copied.attachments[0].name


async def test_what_was_sent_updated_or_deleted_stays_as_it_was(room_with: RoomWith) -> None:
    """A bot may use its objects again in the same turn."""

    async def use_again(context: TurnContext, _storage: Storage) -> None:
        card = Activity(type="message", text="sent")
        card.id = (await context.send_activity(card)).id
        card.text = "updated"
        await context.update_activity(card)
        reference = TurnContext.get_conversation_reference(context.activity)
        reference.activity_id = card.id
        await context.delete_activity(reference)
        card.text = reference.activity_id = "used again"

    room = room_with(use_again)
    await room.hears()
    assert [
        ("send", "real-0", "sent"),
        ("update", "real-0", "updated"),
        ("delete", "real-0", ""),
    ] == room.channel.log


async def test_the_bot_finds_the_services_of_middleware(room_with: RoomWith) -> None:
    """What middleware has set on its turn context, the bot's own context has too."""
    found = []

    async def look(context: TurnContext, _storage: Storage) -> None:
        found.append(context.get("translator"))

    async def middleware(context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        context.set("translator", "a translator")
        await logic()

    room = room_with(look)
    room.adapter.use(SimpleNamespace(on_turn=middleware))
    await room.hears()
    assert ["a translator"] == found


def test_a_pause_between_replies_is_short(room_with: RoomWith) -> None:
    """A pause of a minute would outlast the lease; one of no length is a second, as in the SDK."""
    loop = SimulatedLoop(random.Random(1))

    async def pause(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(Activity(type="delay", value=60_000))
        await context.send_activity(Activity(type="delay"))
        await context.send_activity("after")

    room = room_with(pause)
    loop.run(room.hears())
    assert (3, ["after"]) == (round(loop.time()), room.texts())


async def test_changes_of_a_refused_activity_do_not_leave(room_with: RoomWith) -> None:
    """The channel does not know it; changes of others do."""

    async def change(context: TurnContext, _storage: Storage) -> None:
        for text in ("refused", "taken"):
            shown = await context.send_activity(text)
            await context.update_activity(Activity(id=shown.id, type="message", text="new"))
            await context.delete_activity(shown.id)

    room = room_with(change)
    room.channel.faults = [refusal(403)]
    await room.hears()
    assert [
        ("send", "real-0", "taken"),
        ("update", "real-0", "new"),
        ("delete", "real-0", ""),
    ] == room.channel.log
