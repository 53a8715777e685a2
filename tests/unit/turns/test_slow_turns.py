"""No turn is too slow: what the user sees of bots that take longer than a channel waits."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext

from shared.errors import StateUnavailable
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns.limits import ANSWER_S, BEAT_S, CLAIM_S, LOOK_S
from tests.unit.turns.conftest import HOME, Queue, Room, in_virtual_time, now_s, until_quiet

RoomWith = Callable[..., Room]


async def take(context: TurnContext, storage: Storage) -> None:
    """Take as many seconds as the first word says, count the message, and say it again."""
    seconds, _, text = context.activity.text.partition(" ")
    state = ConversationState(storage)
    count = state.create_property("count")
    number = (await count.get(context, 0) or 0) + 1
    await asyncio.sleep(float(seconds))
    await count.set(context, number)
    await state.save_changes(context)
    await context.send_activity(f"{text} {number}")


async def answered(room: Room, text: str, **fields: Any) -> float:
    """How long the answer to the request took."""
    began_s = now_s()
    await room.hears(text, **fields)
    return now_s() - began_s


def begin(room: Room, text: str, **fields: Any) -> "asyncio.Task[Any]":
    return asyncio.create_task(room.hears(text, **fields))


def said(*rooms: Room) -> list[str]:
    """What the user has seen of answers, in whatever room they were made."""
    return [text for room in rooms for text in room.texts()]


def test_a_message_to_another_instance_waits_for_a_slow_turn(room_with: RoomWith) -> None:
    """Both requests are answered in time, and both answers arrive in order."""
    one, two = room_with(take), room_with(take)
    took_s = []

    async def history() -> None:
        first = asyncio.create_task(answered(one, "14 first"))
        await asyncio.sleep(3)
        took_s.append(await answered(two, "0 second"))
        took_s.append(await first)
        await until_quiet(one)

    in_virtual_time(history())
    assert ["first 1", "second 2"] == said(one)
    assert (1 + 1, []) == (one.runs + two.runs, said(two))
    assert max(took_s) <= ANSWER_S


def test_a_message_to_the_same_instance_waits_for_a_slow_turn(room_with: RoomWith) -> None:
    """It is accepted at once, and runs when the slow one is done."""
    room = room_with(take)
    took_s = []

    async def history() -> None:
        first = asyncio.create_task(answered(room, "20 first"))
        await asyncio.sleep(3)
        took_s.append(await answered(room, "0 second"))
        took_s.append(await first)
        await until_quiet(room)

    in_virtual_time(history())
    assert ["first 1", "second 2"] == said(room)
    assert took_s[0] < 1
    assert took_s[1] <= ANSWER_S


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_an_answered_request_holds_nobody_up(room_with: RoomWith, is_cancelled: bool) -> None:
    """It may have to note what it has done, and to run what others have accepted meanwhile."""
    room, other = room_with(take), room_with(take)
    write, times = room.storage._inner.write, iter(("commit", "settle"))
    took_s: list[float] = []

    async def settle_slowly(changes: dict[str, Any]) -> None:
        if HOME in changes and next(times, "") == "settle":
            await asyncio.sleep(ANSWER_S + 1)
            raise StateUnavailable("no answer")
        await write(changes)

    room.storage._inner.write = settle_slowly

    async def history() -> None:
        first = begin(room, "0 first")
        await asyncio.sleep(2)
        await other.hears("60 second")
        if is_cancelled:
            first.cancel()
        await asyncio.sleep(ANSWER_S)
        took_s.append(await answered(room, "0 third"))
        await until_quiet(room)

    in_virtual_time(history())
    assert ["first 1", "second 2", "third 3"] == said(room, other)
    assert took_s[0] <= 3


@pytest.mark.parametrize("after_s", [0.5, 5, 15, 25])
def test_a_redelivery_does_not_run_a_slow_bot_again(room_with: RoomWith, after_s: float) -> None:
    """Wherever it goes to and whenever it comes, the model is paid once."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        first = asyncio.create_task(answered(one, "20 hello", id="a"))
        await asyncio.sleep(after_s)
        assert await answered(two, "20 hello", id="a") <= ANSWER_S
        await first
        await until_quiet(one)

    in_virtual_time(history())
    assert ["hello 1"] == said(one, two)
    # Before the claim two may run at once: one of them loses, and stores and says nothing.
    assert (1 if after_s > CLAIM_S else 2) == one.runs + two.runs


def test_a_fast_turn_asks_for_nothing_more(room_with: RoomWith, queue: Queue) -> None:
    """Two reads and two writes, and no bell."""
    room = room_with(take)

    async def history() -> None:
        await room.hears("0.9 hello")

    in_virtual_time(history())
    assert ([HOME, HOME], []) == (room.storage.writes, queue.rung)
    assert 2 == len(room.storage.reads)


@pytest.mark.takes_seconds
def test_a_crowd_is_accepted(room_with: RoomWith) -> None:
    """A hundred and fifty messages behind a slow turn: all answered in time, all in order."""
    room = room_with(take)
    took_s: list[float] = []

    async def history() -> None:
        first = asyncio.create_task(answered(room, "30 slow"))
        await asyncio.sleep(2)
        crowd = [asyncio.create_task(answered(room, f"0 m{n}")) for n in range(150)]
        took_s.extend(await asyncio.gather(first, *crowd))
        await until_quiet(room)

    in_virtual_time(history())
    numbers = [int(text.partition(" ")[2]) for text in said(room)]
    assert (list(range(1, 152)), 152) == (numbers, 1 + len({*said(room)}))
    assert max(took_s) <= ANSWER_S


def test_an_owner_that_dies_is_replaced(room_with: RoomWith, queue: Queue) -> None:
    """A bell sees no beat of it in two looks, and another instance runs what was accepted."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        asyncio.create_task(one.hears("40 first"))  # noqa: RUF006
        await asyncio.sleep(3)
        await two.hears("0 second")
        await asyncio.sleep(17)
        one.dies()
        await asyncio.sleep(2 * LOOK_S)
        assert 1 == two.runs
        await until_quiet(two)

    in_virtual_time(history())
    assert ["first 1", "second 2"] == said(one, two)
    assert (1, 2) == (one.runs, two.runs)


def test_an_owner_that_stood_still_says_nothing_any_more(room_with: RoomWith) -> None:
    """It finds that the conversation is somebody else's by now, whatever its own write came to."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        asyncio.create_task(one.hears("100 first"))  # noqa: RUF006
        await asyncio.sleep(10)
        one.pauses(70)
        await until_quiet(two)

    in_virtual_time(history())
    assert (["first 1"], []) == (said(two), said(one))


def test_a_bell_leaves_a_living_owner_alone(room_with: RoomWith, queue: Queue) -> None:
    """However long the bot takes, one bell looks after it, and the bot runs once."""
    one, two = room_with(take), room_with(take)

    async def history() -> None:
        asyncio.create_task(one.hears("300 first"))  # noqa: RUF006
        await until_quiet(two)

    in_virtual_time(history())
    assert (["first 1"], 1, 0) == (said(one), one.runs, two.runs)
    assert 300 / LOOK_S - 2 <= len(queue.rung) <= 300 / LOOK_S + 2
    assert 1 == len({bell.token for _, bell in queue.rung})
    assert len(one.storage.writes) <= 300 / (BEAT_S - 1) + 4


def test_a_turn_that_outlives_its_answer_is_logged(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator sees how many run where the host does not count them."""
    room = room_with(take)

    async def history() -> None:
        await room.hears("20 first")
        await until_quiet(room)

    with caplog.at_level(logging.INFO):
        in_virtual_time(history())
    assert 1 == sum(line.startswith("turn.outlived turn=") for line in caplog.messages)


class SlowBeats(MemoryStorage):
    """A store that takes some seconds for every write after the claim."""

    def __init__(self) -> None:
        super().__init__(DocumentCodec([]))
        self._writes = 0

    async def write(self, changes: dict[str, Any]) -> None:
        self._writes += 1
        if self._writes > 1:
            await asyncio.sleep(4)
        await super().write(changes)


def test_nothing_is_added_while_a_beat_is_under_way(room_with: RoomWith) -> None:
    """The turn is over once the bot has returned, even if its owner is busy showing a beat."""
    refused: list[Exception] = []
    tasks: list[asyncio.Task[None]] = []

    async def leave_a_task(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        late = state.create_property("late")
        await late.get(context)

        async def write() -> None:
            await asyncio.sleep(BEAT_S + 3)
            try:
                await late.set(context, True)
                await state.save_changes(context, force=True)
            except RuntimeError as error:
                refused.append(error)

        tasks.append(asyncio.create_task(write()))
        await asyncio.sleep(BEAT_S + 1.5)
        await context.send_activity("Done.")

    room = room_with(leave_a_task)
    room.bot._process.storage = SlowBeats()

    async def history() -> None:
        await room.hears("go")
        await asyncio.sleep(30)

    in_virtual_time(history())
    assert (["Done."], 1) == (said(room), len(refused))
