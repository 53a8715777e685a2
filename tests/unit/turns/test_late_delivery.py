"""Replies that take long, or that nobody seems to deliver."""

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from shared import stray_lines
from shared.bells.base import Bell
from shared.turns.identity import TurnIdentity
from shared.turns.limits import ANSWER_S, LOOK_S
from shared.turns.state.journal import digest
from tests.unit.turns.conftest import HOME, ROOM, Queue, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_replies import refusal
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


def test_a_delivery_that_drags_gets_a_bell(room_with: RoomWith, queue: Queue) -> None:
    """A fast turn with slow replies is none: others are accepted, and it is answered in time."""
    room = room_with(take)
    room.channel.delay_s = 15
    took_s = []

    async def history() -> None:
        first = asyncio.create_task(answered(room, "0 first"))
        await asyncio.sleep(3)
        assert 1 == len(queue.rung)
        took_s.append(await answered(room, "0 second"))
        took_s.append(await first)
        await until_quiet(room)

    in_virtual_time(history())
    assert ["first 1", "second 2"] == said(room)
    assert took_s[0] < 2
    assert took_s[1] <= ANSWER_S


def test_a_redelivery_of_what_nobody_delivers_rings(room_with: RoomWith, queue: Queue) -> None:
    """Its process died after the commit, and nothing else would ever say it."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s = 100

    async def history() -> None:
        begin(one, "0 hello", id="a")
        await asyncio.sleep(0.5)
        one.dies()
        assert await answered(two, "0 hello", id="a") < 1
        assert 1 == len(queue.rung)
        await until_quiet(two)

    in_virtual_time(history())
    assert (["hello 1"], 0) == (said(two), two.runs)


def test_lines_about_a_late_delivery_name_its_turn(room_with: RoomWith) -> None:
    """Whoever delivers it; those about what arrives meanwhile name that."""
    room = room_with(take)
    names = []

    class Names(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "did not reach" in record.getMessage():
                names.append(stray_lines._turn.get())

    async def history() -> None:
        room.channel.faults = [refusal(502)] * 3
        await room.hears("0 first", id="a")
        await room.hears("0 second", id="b")
        await until_quiet(room)

    logger = logging.getLogger("shared.turns")
    handler = Names()
    logger.addHandler(handler)
    try:
        in_virtual_time(history())
    finally:
        logger.removeHandler(handler)
    assert ["first 1", "second 2"] == said(room)
    first = TurnIdentity.of(room.activity(id="a")).turn_id
    assert [digest(first or "")] * 3 == names


def test_the_sweep_finds_what_nobody_rang_for(
    monkeypatch: pytest.MonkeyPatch, room_with: RoomWith, queue: Queue
) -> None:
    """A fast turn rings nothing: one whose process dies before its delivery is found."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s = 100

    async def history() -> None:
        begin(one, "0 hello")
        await asyncio.sleep(0.5)
        one.dies()
        await two.bot.sweep()
        assert [(0.0, HOME)] == [(delay, bell.conversation) for delay, bell in queue.rung]
        await until_quiet(two)

    two_finds: list[float] = []

    async def find(_path: tuple[str, ...], unchanged_s: float) -> list[str]:
        two_finds.append(unchanged_s)
        return [HOME]

    monkeypatch.setattr(two.storage, "find", find)
    in_virtual_time(history())
    assert (["hello 1"], 0) == (said(two), two.runs)
    assert two_finds[0] > LOOK_S


def test_a_document_that_vanishes_during_a_delivery_ends_it(room_with: RoomWith) -> None:
    """Somebody erased the conversation: it begins anew, and nothing is raised."""
    room = room_with(take)
    room.channel.delay_s = 6

    async def history() -> None:
        first = begin(room, "0 first")
        await asyncio.sleep(0.5)
        await room.storage.delete([HOME])
        await first
        room.channel.delay_s = 0
        await room.hears("0 second")
        await until_quiet(room)

    in_virtual_time(history())
    assert "second" in said(room)[-1]


def test_an_owner_whose_document_vanished_leaves_the_next_one_alone(
    room_with: RoomWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds another's turn where its own was: that goes on, and its own begins again."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s, two.channel.delay_s = 1000, 5
    write, by_one = one.storage.write, count(1)

    async def write_slowly(changes: dict[str, Any]) -> None:
        if ROOM.get() is one and next(by_one) == 2:
            await asyncio.sleep(2)
        await write(changes)

    monkeypatch.setattr(one.storage, "write", write_slowly)

    async def history() -> None:
        begin(one, "0 first")
        await asyncio.sleep(2)
        await one.storage.delete([HOME])
        await two.hears("0 second")
        await until_quiet(two)

    in_virtual_time(history())
    assert ([], ["second 1", "first 2"]) == (said(one), said(two))


def test_what_is_left_while_the_queue_is_away_is_for_any_bell(
    room_with: RoomWith, queue: Queue
) -> None:
    """No bell is said to be in charge of it: the one of the claim may have come and gone."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "3 hello")
        await asyncio.sleep(2)
        queue.is_away = True
        room.channel.faults = [refusal(429)] * 10_000
        for _ in range(1000):
            journal = (await room.home())["$turns"]
            if "last" in journal and "running" not in journal:
                break
            await asyncio.sleep(0.1)
        assert "watch" not in journal
        room.channel.faults.clear()
        queue.is_away = False
        await room.bot.on_bell(Bell(HOME, "any"))
        await first

    in_virtual_time(history())
    assert ["hello 1"] == said(room)
