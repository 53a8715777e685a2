"""Many messages at once in one conversation: those that wait are accepted together, in order."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from shared.errors import BellUnavailable, InboxFull
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.turns.limits import ANSWER_S
from tests.unit.turns.conftest import (
    HOME,
    CountedStorage,
    Queue,
    Room,
    in_virtual_time,
    until_quiet,
)
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


class SlowStorage(CountedStorage):
    """A store that is busy, or far away."""

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return await super().read(keys)

    async def write(self, changes: dict[str, Any]) -> None:
        await asyncio.sleep(0.1)
        await super().write(changes)


async def in_a_row(room: Room, *messages: dict[str, Any]) -> list["asyncio.Task[Any]"]:
    """Begin to deliver these, one after the other, while none of them has got an answer."""
    tasks = []
    for message in messages:
        tasks.append(begin(room, **message))
        await asyncio.sleep(0.001)
    return tasks


async def accepted_in(room: Room) -> list[str]:
    """The ids of the activities that are accepted and not begun."""
    waiting = (await room.home())["$turns"].get("inbox", [])
    return [json.loads(entry["activity"])["id"] for entry in waiting][1:]


@pytest.mark.parametrize("first", ["0 fast", "20 slow"])
def test_a_crowd_is_answered_in_time_by_a_slow_store(queue: Queue, first: str) -> None:
    """However many they are, they wait for a few writes, not for one each."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)
    took_s: list[float] = []
    crowd: list[asyncio.Task[float]] = []

    async def history() -> None:
        for text in (first, *(f"0 m{n}" for n in range(150))):
            crowd.append(asyncio.create_task(answered(room, text)))
            await asyncio.sleep(0.001)
        took_s.extend(await asyncio.gather(*crowd))
        await until_quiet(room)

    in_virtual_time(history())
    numbers = [int(text.partition(" ")[2]) for text in said(room)]
    texts = [first.partition(" ")[2], *(f"m{n}" for n in range(150))]
    assert (list(range(1, 152)), texts) == (numbers, [one.partition(" ")[0] for one in said(room)])
    assert max(took_s) <= ANSWER_S


def test_those_that_wait_in_line_are_accepted_with_one_write(queue: Queue) -> None:
    """The one at its head takes them along."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)
    names = ["a", "b", "c", "d"]

    async def history() -> None:
        first = begin(room, "20 slow")
        await asyncio.sleep(2)
        room.storage.writes.clear()
        await asyncio.gather(*await in_a_row(room, *({"text": "0 m", "id": n} for n in names)))
        assert ([HOME], names) == (room.storage.writes, await accepted_in(room))
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert 1 + len(names) == len(said(room))


def test_a_message_that_came_twice_is_accepted_once(queue: Queue) -> None:
    """Both requests wait in line, and both are answered."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)

    async def history() -> None:
        first = begin(room, "20 slow")
        await asyncio.sleep(2)
        messages = [{"text": f"0 {name}", "id": name} for name in ("a", "b", "a", "b", "c")]
        await asyncio.gather(*await in_a_row(room, *messages))
        assert ["a", "b", "c"] == await accepted_in(room)
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["slow 1", "a 2", "b 3", "c 4"] == said(room)


def test_an_invoke_in_line_is_not_accepted_for_later(queue: Queue) -> None:
    """Its answer is its response, so it waits for that."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)

    async def history() -> None:
        first = begin(room, "5 slow")
        await asyncio.sleep(2)
        one, invoke, two = await in_a_row(
            room,
            {"text": "0 one", "id": "one"},
            {"text": "0 invoke", "id": "invoke", "type": "invoke", "name": "any"},
            {"text": "0 two", "id": "two"},
        )
        await asyncio.gather(one, two)
        assert ["one", "two"] == await accepted_in(room)
        await asyncio.gather(first, invoke)
        await until_quiet(room)

    in_virtual_time(history())
    assert ["slow 1", "one 2", "two 3", "invoke 4"] == said(room)


def test_what_nobody_waits_for_any_more_is_not_taken_along(queue: Queue) -> None:
    """Its channel has hung up, and delivers it again or not."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)

    async def history() -> None:
        first = begin(room, "20 slow")
        await asyncio.sleep(2)
        messages = await in_a_row(room, *({"text": f"0 {n}", "id": n} for n in ("a", "b", "c")))
        messages[1].cancel()
        await asyncio.gather(*messages, return_exceptions=True)
        assert ["a", "c"] == await accepted_in(room)
        await first
        await until_quiet(room)

    in_virtual_time(history())
    assert ["slow 1", "a 2", "c 3"] == said(room)


def test_only_what_there_is_no_room_for_is_refused(queue: Queue) -> None:
    """Of several in line that are too large together, those that fit are accepted."""
    room = Room(take, SlowStorage(MemoryStorage(DocumentCodec([]))), queue)
    outcomes: list[object] = []

    async def history() -> None:
        first = begin(room, "20 slow")
        await asyncio.sleep(2)
        texts = [f"0 {name}{'x' * 200_000}" for name in "abcde"] + ["0 short"]
        messages = await in_a_row(room, *({"text": text} for text in texts))
        outcomes.extend(await asyncio.gather(*messages, return_exceptions=True))
        await first
        await until_quiet(room)

    in_virtual_time(history())
    refused = [isinstance(outcome, InboxFull) for outcome in outcomes]
    assert [False, False, False, True, True, False] == refused
    assert ["s", "a", "b", "c", "s"] == [text[0] for text in said(room)]


def test_a_queue_that_hangs_makes_nobody_wait_too_long(
    room_with: RoomWith, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each ring takes its time and fails; who waits in line meanwhile is accepted with the next."""
    room = room_with(take)
    took_s: list[float] = []

    async def ring_in_vain(_bell: object, _delay_s: float) -> None:
        await asyncio.sleep(2)
        raise BellUnavailable("away")

    monkeypatch.setattr(queue, "ring", ring_in_vain)

    async def history() -> None:
        first = asyncio.create_task(answered(room, "30 slow"))
        messages = []
        for _ in range(25):
            await asyncio.sleep(1)
            messages.append(asyncio.create_task(answered(room, "0 m")))
        took_s.extend(await asyncio.gather(first, *messages))
        await until_quiet(room)

    in_virtual_time(history())
    assert max(took_s) <= ANSWER_S
    assert 26 == len(said(room))
