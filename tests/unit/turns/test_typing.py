"""The user sees that something happens while a turn takes long."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import ShowTypingMiddleware, Storage, TurnContext
from botbuilder.schema import Activity

from shared.turns.limits import CLAIM_S, TYPING_S
from tests.unit.turns.conftest import Room, in_virtual_time, now_s, until_quiet
from tests.unit.turns.test_slow_turns import take

RoomWith = Callable[..., Room]


def seen_of(room: Room) -> list[tuple[float, str]]:
    """When what arrived, in seconds and types; filled while the room is alive."""
    seen: list[tuple[float, str]] = []
    take_it = room.channel._take

    def note(verb: str, activity_id: str, activity: Activity | None) -> Any:
        seen.append((now_s(), activity.type if activity else verb))
        return take_it(verb, activity_id, activity)

    room.channel._take = note  # type: ignore[method-assign]
    return seen


def types(room: Room) -> list[str]:
    return [one.type for one in room.channel.activities]


def test_an_indicator_is_shown_again_until_the_answer(room_with: RoomWith) -> None:
    """The first after a second, the next as the channel forgets it, and none after the reply."""
    room = room_with(take)
    seen = seen_of(room)

    async def history() -> None:
        await room.hears("10 hello")
        await asyncio.sleep(30)

    in_virtual_time(history())
    times = [at_s for at_s, kind in seen if kind == "typing"]
    assert CLAIM_S <= times[0] < CLAIM_S + 0.1
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(pauses) >= TYPING_S
    assert max(pauses) <= TYPING_S + CLAIM_S
    assert ("message", "typing") == (seen[-1][1], seen[-2][1])


def test_a_fast_turn_shows_none(room_with: RoomWith) -> None:
    """The answer comes sooner."""
    room = room_with(take)

    async def history() -> None:
        await room.hears("0.9 hello")
        await asyncio.sleep(10)

    in_virtual_time(history())
    assert ["message"] == types(room)


def test_a_queued_turn_shows_one_as_well(room_with: RoomWith) -> None:
    """Whoever waits for a second answer sees that it is being made."""
    room = room_with(take)

    async def history() -> None:
        await asyncio.gather(room.hears("5 one"), room.hears("5 two"))
        await until_quiet(room)

    in_virtual_time(history())
    first, second = (n for n, kind in enumerate(types(room)) if kind == "message")
    assert "typing" in types(room)[first + 1 : second]


def test_who_loses_the_race_for_a_turn_shows_none(room_with: RoomWith) -> None:
    """The other instance's answer may have come by then."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        await asyncio.gather(one.hears("1.5 hello", id="a"), two.hears("1.5 hello", id="a"))
        await until_quiet(one)

    in_virtual_time(history())
    assert [[], ["typing", "message"]] == sorted([types(one), types(two)])


def test_the_sdks_indicator_is_not_doubled(room_with: RoomWith) -> None:
    """A bot that shows one by itself is left to it."""
    middleware = ShowTypingMiddleware()

    async def show_and_take(context: TurnContext, storage: Storage) -> None:
        await middleware.on_turn(context, lambda: take(context, storage))

    room = room_with(show_and_take)
    seen = seen_of(room)

    async def history() -> None:
        await room.hears("10 hello")

    in_virtual_time(history())
    times = [at_s for at_s, kind in seen if kind == "typing"]
    assert [0.5, 2.5, 4.5, 6.5, 8.5] == [round(at_s, 1) for at_s in times]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "invoke"},
        {"type": "event"},
        {"type": "conversationUpdate"},
        {"deliveryMode": "expectReplies"},
        {"channelId": "email"},
        {"channelId": "sms"},
    ],
    ids=str,
)
def test_there_is_none_where_it_makes_no_sense(room_with: RoomWith, fields: dict[str, Any]) -> None:
    """Where nobody looks at the chat for an answer, or each activity is a letter."""

    async def take_five(context: TurnContext, _storage: Storage) -> None:
        await asyncio.sleep(5)

    room = room_with(take_five)

    async def history() -> None:
        await room.hears("hello", **fields)

    in_virtual_time(history())
    assert "typing" not in types(room)


def test_a_channel_that_takes_no_indicator_delays_nothing(room_with: RoomWith) -> None:
    """It may fail or hang; what is lost with it is nothing."""
    room = room_with(take)
    room.channel.faults = [OSError(), OSError()]

    async def history() -> None:
        await room.hears("5.5 hello")

    in_virtual_time(history())
    assert ["hello 1"] == room.texts()


def test_one_that_is_on_its_way_arrives_before_the_answer(room_with: RoomWith) -> None:
    """The answer waits for it, a second at most."""
    room = room_with(take)
    seen = seen_of(room)
    room.channel.delay_s = 0.8

    async def history() -> None:
        await room.hears("1.2 hello")

    in_virtual_time(history())
    assert ["typing", "message"] == [kind for _, kind in seen]
