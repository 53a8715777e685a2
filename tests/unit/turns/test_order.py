"""Turns of several conversations that change one document."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import Storage, TurnContext, UserState

from shared.errors import (
    StateForbidden,
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
)
from shared.turns import Apologies
from shared.turns.limits import (
    FRUITLESS_PASSING_S,
    FRUITLESS_UNCERTAIN_S,
)
from tests.unit.turns.conftest import HOME, USER, Room, in_virtual_time, now_s, until_quiet

RoomWith = Callable[..., Room]

ELSEWHERE: dict[str, Any] = {"conversation": {"id": "hall"}}


async def remember(context: TurnContext, storage: Storage) -> None:
    """Puts "name value" into the user's state, removes "name", or does nothing for "look"."""
    name, _, value = context.activity.text.partition(" ")
    state = UserState(storage)
    await state.load(context)
    if name == "look":
        return
    if value:
        await state.create_property(name).set(context, value)
    else:
        await state.create_property(name).delete(context)
    await state.save_changes(context)
    await context.send_activity(f"{name} is {value or 'forgotten'}.")


async def leave_unapplied(room: Room, text: str) -> None:
    """A turn that is committed, and of which nobody hears before the next message."""
    room.storage.faults[f"write {USER}"] = [StateUnavailable("away")] * 1000
    room.queue.is_away = True
    await room.hears(text)
    room.queue.is_away = False
    room.storage.faults.clear()


def test_an_old_change_does_not_replace_a_newer_one(room_with: RoomWith) -> None:
    """It is applied late, by the conversation's next turn: the later of the two turns wins."""
    room = room_with(remember)
    user: dict[str, Any] = {}

    async def history() -> None:
        await leave_unapplied(room, "name Old")
        await asyncio.sleep(7 * 24 * 3600)
        await room.hears("name New", **ELSEWHERE)
        await room.hears("colour blue", **ELSEWHERE)
        await room.hears("look")
        await until_quiet(room)
        user.update(await room.document(USER))

    in_virtual_time(history())
    assert ("New", "blue") == (user["name"], user["colour"])


def test_a_late_change_keeps_what_nobody_changed_since(room_with: RoomWith) -> None:
    """The order is one of properties: a later change of one does not undo another."""
    room = room_with(remember)
    user: dict[str, Any] = {}

    async def history() -> None:
        await leave_unapplied(room, "shoe 39")
        for number in range(100):
            await room.hears(f"name n{number}", conversation={"id": f"hall {number}"})
        await room.hears("look")
        await until_quiet(room)
        user.update(await room.document(USER))

    in_virtual_time(history())
    assert ("39", "n99") == (user["shoe"], user["name"])


def test_what_was_removed_since_does_not_come_back(room_with: RoomWith) -> None:
    """A removal is a change like others."""
    room = room_with(remember)
    user: dict[str, Any] = {}

    async def history() -> None:
        await room.hears("name First")
        await leave_unapplied(room, "name Old")
        await room.hears("name", **ELSEWHERE)
        await room.hears("look")
        await until_quiet(room)
        user.update(await room.document(USER))

    in_virtual_time(history())
    assert "name" not in user


def test_a_turn_that_knows_of_another_is_later_whatever_its_clock_says(
    room_with: RoomWith,
) -> None:
    """An instance whose clock is an hour behind still changes what it has read."""
    ahead = room_with(remember, now_s=lambda: 1_800_003_600.0)
    behind = room_with(remember, now_s=lambda: 1_800_000_000.0)
    user: dict[str, Any] = {}

    async def history() -> None:
        await ahead.hears("name First")
        await behind.hears("name Second", **ELSEWHERE)
        user.update(await ahead.document(USER))

    in_virtual_time(history())
    assert "Second" == user["name"]


def test_a_document_that_was_deleted_does_not_block_its_conversation(room_with: RoomWith) -> None:
    """Somebody erased it, or its time was up: it is read as it is after a few seconds."""
    room = room_with(remember)
    took_s = []

    async def history() -> None:
        await room.hears("name Ada")
        await room.hears("name Eve")
        await room.storage.delete([USER])
        for text in ("shoe 39", "shoe 40"):
            began_s = asyncio.get_running_loop().time()
            await room.hears(text)
            took_s.append(asyncio.get_running_loop().time() - began_s)

    in_virtual_time(history())
    assert ["name is Ada.", "name is Eve.", "shoe is 39.", "shoe is 40."] == room.texts()
    assert 5 < took_s[0] < 10
    assert took_s[1] < 1


@pytest.mark.parametrize(
    "fault", [StateTooLarge("full"), StateUnreadable("damaged")], ids=lambda one: type(one).__name__
)
def test_a_change_that_can_never_be_applied_is_said_once(
    room_with: RoomWith, fault: Exception
) -> None:
    """The reply names what was not kept, and the conversation goes on."""
    room = room_with(remember, apologies=Apologies(not_kept="Not kept: {names}."))

    async def history() -> None:
        room.storage.faults[f"write {USER}"] = [fault]
        await room.hears("name Ada", id="a")
        await room.hears("name Ada", id="a")
        await room.hears("shoe 39")

    in_virtual_time(history())
    assert ["name is Ada.", "Not kept: name.", "shoe is 39."] == room.texts()


def test_what_was_not_kept_is_said_in_the_response_too(room_with: RoomWith) -> None:
    """Where the replies are the HTTP response, it is one of them, for each delivery."""
    room = room_with(remember, apologies=Apologies(not_kept="Not kept: {names}."))
    said = []

    async def history() -> None:
        room.storage.faults[f"write {USER}"] = [StateTooLarge("full")]
        for _ in range(2):
            response = await room.hears("name Ada", id="a", deliveryMode="expectReplies")
            assert response is not None
            said.append([reply["text"] for reply in response.body["activities"]])

    in_virtual_time(history())
    assert [["name is Ada.", "Not kept: name."]] * 2 == said
    assert [] == room.texts()


@pytest.mark.parametrize(
    "fault",
    [StateForbidden("no"), ValueError("bad id"), RuntimeError("closed"), KeyError("x")],
    ids=lambda one: type(one).__name__,
)
def test_a_change_that_fails_for_no_passing_reason_is_given_up(
    room_with: RoomWith, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """After a few tries in two minutes, with an error in the log and a word to the user."""
    room = room_with(remember)

    async def history() -> None:
        room.storage.faults[f"write {USER}"] = [fault] * 10_000
        await room.hears("name Ada", id="a")
        with caplog.at_level(logging.ERROR):
            await until_quiet(room)
        assert FRUITLESS_UNCERTAIN_S < now_s() < 2 * FRUITLESS_UNCERTAIN_S
        room.storage.faults.clear()
        await room.hears("shoe 39")

    in_virtual_time(history())
    expected = ["name is Ada.", "Sorry, I could not remember this: name.", "shoe is 39."]
    assert expected == room.texts()
    assert "is given up after" in caplog.text


def test_an_outage_of_minutes_loses_no_change(room_with: RoomWith) -> None:
    """A store that is away for one document is asked again for ten minutes."""
    room = room_with(remember)
    user: dict[str, Any] = {}

    async def history() -> None:
        room.storage.faults[f"write {USER}"] = [StateUnavailable("away")] * 10_000
        await room.hears("name Ada", id="a")
        await asyncio.sleep(FRUITLESS_PASSING_S - 60)
        room.storage.faults.clear()
        await until_quiet(room)
        user.update(await room.document(USER))

    in_virtual_time(history())
    assert (["name is Ada."], "Ada") == (room.texts(), user["name"])


def test_changes_of_one_process_to_one_document_do_not_collide(room_with: RoomWith) -> None:
    """Fifty conversations of one user at once: hardly a write is in vain."""
    room = room_with(remember)

    async def history() -> None:
        await asyncio.gather(
            *(room.hears(f"p{n} x", conversation={"id": f"hall {n}"}) for n in range(50))
        )

    in_virtual_time(history())
    assert 50 <= room.storage.writes.count(USER) < 60


def test_a_turn_that_has_waited_reads_the_user_again(room_with: RoomWith) -> None:
    """Turns of other conversations may have changed it since the turn arrived."""
    read = []

    async def ask(context: TurnContext, storage: Storage) -> None:
        if context.activity.text == "ask":
            read.append(await UserState(storage).create_property("name").get(context))
        await context.send_activity("done")

    owner, waiting, hall = room_with(ask), room_with(ask), room_with(remember)
    owner.channel.delay_s = 3

    async def history() -> None:
        await hall.hears("name Ada", **ELSEWHERE)
        turns = [asyncio.create_task(owner.hears(id="first"))]
        await asyncio.sleep(1)
        turns.append(asyncio.create_task(waiting.hears("ask", id="second")))
        await asyncio.sleep(1)
        await hall.hears("name Eve", **ELSEWHERE)
        await asyncio.gather(*turns)
        await until_quiet(owner)

    in_virtual_time(history())
    assert ["Eve"] == read


def test_a_large_conversation_beside_a_large_user_is_told(room_with: RoomWith) -> None:
    """The commit would carry both: nothing of it happens, and the user hears why."""

    async def hoard(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("hoard").set(context, "x" * 1_200_000)
        await state.save_changes(context)

    room = room_with(hoard, apologies=Apologies(too_large="Too much."))

    async def history() -> None:
        await room.storage.write({HOME: {"book": "x" * 1_000_000}})
        await room.hears()

    in_virtual_time(history())
    assert (["Too much."], [HOME, HOME, HOME]) == (room.texts(), room.storage.writes)
