"""What a turn asks of the store and of the machine: as little as it can."""

import asyncio
import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState

from shared.errors import StateThrottled, StateUnavailable, TurnDeadlineExceeded
from tests.simulation.loop import SimulatedLoop
from tests.unit.turns.conftest import HOME, USER, Room, in_virtual_time, until_quiet

RoomWith = Callable[..., Room]


async def count_and_speak(context: TurnContext, storage: Storage) -> None:
    """Changes the conversation only, reads the user, and says three things."""
    conversation, user = ConversationState(storage), UserState(storage)
    count = conversation.create_property("count")
    await user.create_property("name").get(context)
    await count.set(context, (await count.get(context, 0) or 0) + 1)
    for text in ("one", "two", "three"):
        await context.send_activity(text)
    await conversation.save_changes(context)
    await user.save_changes(context)


async def test_a_turn_costs_two_reads_a_commit_and_a_settle(room_with: RoomWith) -> None:
    """However many replies it has."""
    room = room_with(count_and_speak)
    await room.hears()
    room.storage.reads.clear()
    room.storage.writes.clear()
    await room.hears()
    assert [HOME, USER] == sorted(room.storage.reads)
    assert [HOME, HOME] == room.storage.writes


async def test_the_two_reads_are_one_round_trip(room_with: RoomWith) -> None:
    """The user's document is asked for before the conversation's has arrived."""
    both = asyncio.Barrier(2)

    class Meeting:
        """A storage whose reads wait for each other."""

        async def read(self, keys: list[str]) -> dict[str, object]:
            await both.wait()
            documents: dict[str, object] = await room.storage.read(keys)
            return documents

        async def write(self, changes: dict[str, object]) -> None:
            await room.storage.write(changes)

    room = room_with(count_and_speak)
    room.bot._process.storage = Meeting()  # what the bot was made with, but for the meeting
    async with asyncio.timeout(5):
        await room.hears()
    assert 3 == len(room.texts())


async def test_a_document_that_did_not_change_is_not_written(room_with: RoomWith) -> None:
    """Not even if the bot saves it."""

    async def save_by_force(context: TurnContext, storage: Storage) -> None:
        user = UserState(storage)
        await user.load(context)
        await user.save_changes(context, force=True)
        await context.send_activity("saved")

    room = room_with(save_by_force)
    await room.storage.write({USER: {"name": "Ada"}})
    room.storage.writes.clear()
    await room.hears()
    assert USER not in room.storage.writes


async def test_a_turn_that_does_nothing_writes_nothing(room_with: RoomWith) -> None:
    """Most events of a group chat are such turns."""

    async def look(context: TurnContext, storage: Storage) -> None:
        await ConversationState(storage).load(context)

    room = room_with(look)
    await room.hears()
    assert [] == room.storage.writes


async def test_a_turn_that_only_changes_its_conversation_needs_no_settling(
    room_with: RoomWith,
) -> None:
    """There is nothing left to do after its commit."""

    async def remember(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        await state.create_property("seen").set(context, context.activity.id)
        await state.save_changes(context)

    room = room_with(remember)
    await room.hears()
    assert [HOME] == room.storage.writes


def test_turns_of_one_process_do_not_collide(room_with: RoomWith) -> None:
    """Twenty messages at once are twenty turns, one after the other, without a lost attempt."""
    room = room_with(count_and_speak)

    async def history() -> None:
        await asyncio.gather(*(room.hears() for _ in range(20)))
        assert 20 == (await room.home())["count"]

    in_virtual_time(history())
    assert (20, 40) == (room.runs, len(room.storage.writes))


def test_two_processes_lose_nothing(room_with: RoomWith) -> None:
    """Racing instances run turns again instead of overwriting each other."""
    rooms = [room_with(count_and_speak), room_with(count_and_speak)]

    async def history() -> None:
        await asyncio.gather(*(rooms[n % 2].hears(id=f"n{n}") for n in range(20)))
        await until_quiet(rooms[0])
        assert 20 == (await rooms[0].home())["count"]

    in_virtual_time(history())
    assert 60 == sum(len(room.texts()) for room in rooms)


@pytest.mark.parametrize("fault", [StateUnavailable("simulated"), StateThrottled("simulated", 0.1)])
@pytest.mark.parametrize("request_", [f"read {HOME}", f"read {USER}", f"write {HOME}"])
async def test_a_fault_of_the_store_costs_time_only(
    room_with: RoomWith, request_: str, fault: Exception
) -> None:
    """The request is made again, and the bot and its user see nothing of it."""
    room = room_with(count_and_speak)
    room.storage.faults[request_] = [fault]
    await room.hears()
    assert ["one", "two", "three"] == room.texts()


def test_a_store_that_is_away_fails_the_turn_in_time(room_with: RoomWith) -> None:
    """With nothing changed and nothing said, so that the channel may deliver it again."""
    loop = SimulatedLoop(random.Random(1))
    room = room_with(count_and_speak)
    room.storage.faults[f"write {HOME}"] = [StateUnavailable("simulated") for _ in range(1000)]

    async def hear_in_vain() -> None:
        with pytest.raises(TurnDeadlineExceeded):
            await room.hears()
        room.storage.faults.clear()
        assert ({}, []) == (await room.home(), room.texts())

    loop.run(hear_in_vain())
    assert 11 < loop.time() < 12


@contextmanager
def garbage() -> Iterator[list[Any]]:
    """Collects what only the garbage collector would have found in the block."""
    found: list[Any] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def test_a_turn_leaves_nothing_to_the_garbage_collector(room_with: RoomWith) -> None:
    """It is freed when it is over, with the documents it read, and the next one uses its memory."""
    room = room_with(count_and_speak)
    await room.hears()
    with garbage() as found:
        await room.hears()
    ours = [type(one).__qualname__ for one in found if type(one).__module__.startswith("shared.")]
    assert [] == ours
