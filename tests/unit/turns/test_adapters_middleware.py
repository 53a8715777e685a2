"""What the adapter's middleware and an atomic turn see of each other."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext
from botbuilder.schema import Activity

from tests.unit.turns.conftest import HOME, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]
Logic = Callable[[], Awaitable[None]]


async def count(context: TurnContext, storage: Storage) -> None:
    """Counts its turns in conversation state, and says the count."""
    state = ConversationState(storage)
    count = state.create_property("count")
    number = (await count.get(context) or 0) + 1
    await count.set(context, number)
    await state.save_changes(context)
    await context.send_activity(str(number))


async def test_state_that_middleware_has_read_is_not_what_the_bot_sees(
    room_with: RoomWith,
) -> None:
    """The bot reads the store: what middleware keeps in the turn context may be old by then."""

    async def read_too_early(context: TurnContext, logic: Logic) -> None:
        await ConversationState(room.storage).load(context)
        await room.storage.write({HOME: {**await room.home(), "count": 41}})
        await logic()

    room = room_with(count)
    room.adapter.use(SimpleNamespace(on_turn=read_too_early))
    await room.storage.write({HOME: {"count": 6}})
    await room.hears()
    assert ["42"] == room.texts()


async def test_middleware_may_save_state_after_the_turn(room_with: RoomWith) -> None:
    """It finds what the turn has stored, not the bot's copy, whose ETag the store does not know."""

    async def add_afterwards(context: TurnContext, logic: Logic) -> None:
        await logic()
        state = ConversationState(room.storage)
        await state.create_property("seen").set(context, True)
        await state.save_changes(context)

    room = room_with(count)
    room.adapter.use(SimpleNamespace(on_turn=add_afterwards))
    await room.hears()
    await room.hears()
    home = await room.home()
    assert (["1", "2"], 2, True) == (room.texts(), home["count"], home["seen"])


@pytest.mark.parametrize("is_listening", [False, True])
@pytest.mark.parametrize(("kind", "responded"), [("message", True), ("trace", False)])
async def test_middleware_knows_whether_the_bot_responded(
    room_with: RoomWith, kind: str, responded: bool, is_listening: bool
) -> None:
    """As in the SDK a trace is no response, whether somebody listens to what is sent or not."""
    seen = []

    async def pass_on(_context: TurnContext, _activities: list[Activity], send: Logic) -> Any:
        return await send()

    async def look(context: TurnContext, logic: Logic) -> None:
        if is_listening:
            context.on_send_activities(pass_on)
        await logic()
        seen.append(context.responded)

    async def say(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(Activity(type=kind))

    room = room_with(say)
    room.adapter.use(SimpleNamespace(on_turn=look))
    # To other channels the SDK's adapter sends no traces.
    await room.hears(channelId="emulator")
    assert ([responded], 1) == (seen, len(room.channel.activities))


def test_what_is_recovered_keeps_its_place_under_middleware(room_with: RoomWith) -> None:
    """The SDK addresses a reply by the activity at hand, which is made up by then."""

    async def pass_on(_context: TurnContext, _activities: list[Activity], send: Logic) -> Any:
        return await send()

    async def listen(context: TurnContext, logic: Logic) -> None:
        context.on_send_activities(pass_on)
        await logic()

    async def greet(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity("hello")

    room = room_with(greet)
    room.adapter.use(SimpleNamespace(on_turn=listen))
    room.channel.faults = [refusal(500)]
    first: dict[str, Any] = {
        "serviceUrl": "https://first.example",
        "locale": "de-DE",
        "from": {"id": "bob"},
        "recipient": {"id": "bot", "name": "then"},
        "conversation": {"id": "room", "name": "then"},
    }

    async def history() -> None:
        await room.hears(id="a", **first)
        await room.hears(id="b", locale="en-GB")
        await until_quiet(room)

    in_virtual_time(history())
    recovered, own = room.channel.activities
    assert ("b", "ada", "https://channel.example", "en-GB", None, None) == place_of(own)
    assert ("a", "bob", "https://first.example", "de-DE", "then", "then") == place_of(recovered)


def place_of(reply: Activity) -> tuple[str | None, ...]:
    """Where a reply goes, and from whom."""
    return (
        reply.reply_to_id,
        reply.recipient.id,
        reply.service_url,
        reply.locale,
        reply.from_property.name,
        reply.conversation.name,
    )
