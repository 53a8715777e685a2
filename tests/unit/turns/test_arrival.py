"""What becomes of a message that arrives: it is run, accepted or refused, and never overtakes."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from botbuilder.core import Storage, TurnContext

from shared.errors import (
    InboxFull,
    StateUnavailable,
    TurnDeadlineExceeded,
)
from shared.turns.limits import (
    INBOX,
)
from tests.unit.turns.conftest import HOME, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


def test_requests_of_a_conversation_are_taken_in_order(room_with: RoomWith) -> None:
    """A message that arrives before another one's claim does not overtake it."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "5 first")
        await asyncio.sleep(0.3)
        await room.hears("0 second")
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert (["first 1", "second 2"], 2) == (said(room), room.runs)


def test_a_message_does_not_overtake_an_accepted_one(room_with: RoomWith) -> None:
    """Not even when it comes to another instance just as the one before it is done."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        first = begin(one, "5 first")
        await asyncio.sleep(3)
        await one.hears("3 second")
        await asyncio.sleep(2.1)
        await two.hears("0 third")
        await first
        await until_quiet(one)

    in_virtual_time(history())
    assert ["first 1", "second 2", "third 3"] == said(one, two)


def test_a_run_that_loses_the_race_says_and_stores_nothing(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """Two instances run two messages at once: one is cancelled, and comes second."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        await asyncio.gather(begin(one, "5 one"), begin(two, "5 two"))
        await until_quiet(one)

    with caplog.at_level(logging.INFO):
        in_virtual_time(history())
    assert [1, 2] == sorted(int(text.partition(" ")[2]) for text in said(one, two))
    assert (3, 1) == (one.runs + two.runs, caplog.text.count("turn.raced"))


@pytest.mark.takes_seconds
def test_a_full_inbox_refuses(room_with: RoomWith) -> None:
    """Whoever comes then is told to come again, and nothing has changed."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "100 slow")
        await asyncio.sleep(2)
        await asyncio.gather(*(begin(room, "0 m") for _ in range(INBOX - 1)))
        with pytest.raises(InboxFull):
            await room.hears("0 one too many")
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert INBOX == len(said(room))


def test_the_size_of_an_inbox_is_bounded(room_with: RoomWith) -> None:
    """It shares its document with what the bot keeps."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "20 slow")
        await asyncio.sleep(2)
        for _ in range(3):
            await room.hears("0 " + "x" * 200_000)
        with pytest.raises(InboxFull):
            await room.hears("0 " + "x" * 200_000)
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert 4 == len(said(room))


def test_an_inbox_leaves_the_bots_state_its_room(room_with: RoomWith) -> None:
    """Whatever the bot keeps, what is accepted fits into the document with it."""
    room = room_with(take)

    async def history() -> None:
        await room.storage.write({HOME: {"book": "x" * 1_800_000}})
        first = begin(room, "5 slow")
        await asyncio.sleep(2)
        with pytest.raises(InboxFull):
            await room.hears("0 " + "x" * 200_000)
        await room.hears("0 short")
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["slow 1", "short 2"] == said(room)


def test_a_process_runs_so_many_turns_beyond_their_answers(
    room_with: RoomWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next slow one is accepted, and run by its bell, whose execution the host counts."""
    monkeypatch.setattr("shared.turns.process.OUTLIVING", 1)
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "20 first")
        await asyncio.sleep(2)
        assert await answered(room, "5 second", conversation={"id": "hall"}) < 2
        await asyncio.sleep(10)
        assert ["second 1"] == said(room)
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["second 1", "first 1"] == said(room)


def test_an_accepted_activity_is_the_one_that_came(room_with: RoomWith) -> None:
    """With all that its channel has put into it, half a surrogate pair included."""
    seen = []

    async def look(context: TurnContext, _storage: Storage) -> None:
        seen.append(context.activity.serialize())
        await asyncio.sleep(2)

    room = room_with(look)
    fields = {
        "timestamp": "2026-11-20T17:15:30.123Z",
        "localTimestamp": "2026-11-20T18:15:30.123+01:00",
        "locale": "de-DE",
        "from": {"id": "ada", "name": "Ada", "aadObjectId": "x"},
        "conversation": {"id": "room", "tenantId": "t", "isGroup": True},
        "entities": [{"type": "mention", "mentioned": {"id": "bot"}, "text": "<at>Bot</at>"}],
        "attachments": [{"contentType": "text/html", "content": "<p>hello</p>"}],
        "channelData": {"tenant": {"id": "t"}, "$type": [1, {"py/x": None}]},
        "value": {"choice": 1.5, "name": ["a", None]},
    }

    async def history() -> None:
        await asyncio.gather(*(room.hears("hi \ud83d", id=name, **fields) for name in ("a", "b")))
        await until_quiet(room)

    in_virtual_time(history())
    one, two = ({**activity, "id": ""} for activity in seen)
    assert one == two


def test_a_store_that_is_away_is_no_acceptance(room_with: RoomWith) -> None:
    """Only what is stored is answered as if it were."""
    room = room_with(take)

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [StateUnavailable("away")] * 10_000
        with pytest.raises(TurnDeadlineExceeded):
            await room.hears("5 hello")
        room.storage.faults.clear()
        await asyncio.sleep(60)
        assert {} == await room.home()

    in_virtual_time(history())
    assert [] == said(room)
