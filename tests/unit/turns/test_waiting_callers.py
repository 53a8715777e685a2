"""Requests whose response is the answer: they wait, but not for ever."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import Storage, TurnContext, UserState
from botbuilder.schema import Activity

from shared.errors import StateTooLarge, StateUnavailable, TurnDeadlineExceeded
from shared.turns import Apologies
from shared.turns.limits import WAITING_POLL_MAX_S, WAITING_S
from tests.unit.turns.conftest import HOME, USER, Room, in_virtual_time, now_s, until_quiet
from tests.unit.turns.test_slow_turns import answered, begin, said, take

RoomWith = Callable[..., Room]


async def answer_invoke(context: TurnContext, _storage: Storage) -> None:
    """Takes as many seconds as the text says, and answers with it."""
    await asyncio.sleep(float(context.activity.text))
    value = {"status": 200, "body": context.activity.text}
    await context.send_activity(Activity(type="invokeResponse", value=_Response(**value)))


class _Response:
    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self.body = body


@pytest.mark.parametrize("fields", [{"type": "invoke"}, {"deliveryMode": "expectReplies"}], ids=str)
def test_what_waits_for_its_answer_gets_it_late(
    room_with: RoomWith, fields: dict[str, Any]
) -> None:
    """Its response is the answer, so there is none before that."""
    room = room_with(answer_invoke)
    responses = []

    async def history() -> None:
        responses.append(await room.hears("40", **fields))

    in_virtual_time(history())
    assert responses[0] is not None
    assert "'value'" in str(responses[0].body) or "40" == responses[0].body


def test_what_waits_for_its_answer_does_not_wait_for_ever(room_with: RoomWith) -> None:
    """It ends with an error in time, its run is stopped, and it has no effect."""
    room = room_with(answer_invoke)

    async def history() -> None:
        with pytest.raises(TurnDeadlineExceeded):
            await room.hears("300", type="invoke")
        assert WAITING_S == now_s()
        await asyncio.sleep(3)
        journal = (await room.home())["$turns"]
        assert ([], []) == (journal.get("inbox", []), journal.get("done", []))

    in_virtual_time(history())


def test_what_waits_long_asks_the_store_seldom(room_with: RoomWith) -> None:
    """Each look costs a request unit."""
    room = room_with(take)

    async def history() -> None:
        first = begin(room, "60 slow")
        await asyncio.sleep(2)
        room.storage.reads.clear()
        await begin(room, "0 invoke", type="invoke", name="any")
        await first

    in_virtual_time(history())
    assert ["slow 1", "invoke 2"] == said(room)
    # The pauses are jittered: three quarters of the longest, on average.
    assert 60 / WAITING_POLL_MAX_S < len(room.storage.reads) < 2 * 60 / WAITING_POLL_MAX_S


def test_what_waits_for_its_answer_holds_nobody_up(room_with: RoomWith) -> None:
    """Those behind it in line are accepted, and it comes when the conversation is free."""
    room = room_with(take)
    took_s = []

    async def history() -> None:
        first = begin(room, "20 first")
        await asyncio.sleep(2)
        waiting = begin(room, "0 waiting", deliveryMode="expectReplies")
        await asyncio.sleep(1)
        took_s.append(await answered(room, "0 second"))
        response = await waiting
        assert response is not None
        assert ["waiting 3"] == [one["text"] for one in response.body["activities"]]
        await first

    in_virtual_time(history())
    assert took_s[0] < 2
    assert ["first 1", "second 2"] == said(room)


def test_an_invoke_behind_a_dead_owner_needs_no_sweep(room_with: RoomWith) -> None:
    """A fast turn has no bell, so who can only wait for it rings when its owner falls silent."""
    one, two = room_with(take), room_with(take)
    one.channel.delay_s = 3

    async def history() -> None:
        begin(one, "0 first")
        await asyncio.sleep(0.5)
        one.dies()
        response = await two.hears("0 second", deliveryMode="expectReplies")
        assert response is not None
        assert ["second 2"] == [reply["text"] for reply in response.body["activities"]]

    in_virtual_time(history())
    assert ["first 1"] == said(two)


def test_an_owner_that_dies_with_an_invoke_leaves_nothing_to_run(room_with: RoomWith) -> None:
    """Nobody waits for the answer any more."""
    one, two = room_with(answer_invoke), room_with(answer_invoke)

    async def history() -> None:
        begin(one, "60", type="invoke")
        await asyncio.sleep(5)
        one.dies()
        await until_quiet(two)

    in_virtual_time(history())
    assert (1, 0) == (one.runs, two.runs)


def test_an_owner_that_stood_still_stands_in_line_again(room_with: RoomWith) -> None:
    """Of two deliveries of an invoke to one process, one at a time is run."""
    at_once = most_at_once = 0

    async def count_at_once(context: TurnContext, storage: Storage) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        try:
            await answer_invoke(context, storage)
        finally:
            at_once -= 1

    one, two = room_with(count_at_once), room_with(count_at_once)

    async def history() -> None:
        first = one.begin(one.hears("60", type="invoke", id="a"))
        await asyncio.sleep(3)
        one.pauses(60)
        again = one.begin(one.hears("60", type="invoke", id="a"))
        await until_quiet(two)
        await asyncio.wait([first, again])

    in_virtual_time(history())
    assert (1, True) == (most_at_once, one.runs > 1)


def test_what_was_answered_is_not_run_again_where_its_document_goes_back(
    room_with: RoomWith,
) -> None:
    """An operator has restored it: nobody waits for that answer any more."""
    texts = []

    async def note(context: TurnContext, storage: Storage) -> None:
        texts.append(context.activity.text)
        await take(context, storage)

    room = room_with(note)

    async def history() -> None:
        invoke = begin(room, "3 invoke", type="invoke", name="any")
        await asyncio.sleep(1.5)
        begin(room, "20 after")
        await asyncio.sleep(1)
        before = await room.home()
        assert 2 == len(before["$turns"]["inbox"])
        await invoke
        await asyncio.sleep(2)
        await room.storage.write({HOME: {**before, "e_tag": "*"}})
        await until_quiet(room)

    in_virtual_time(history())
    assert ["3 invoke", "20 after", "20 after"] == texts


def test_an_answer_waits_for_what_it_may_have_to_tell(room_with: RoomWith) -> None:
    """A change that is given up after a while is told where the replies are the response."""

    async def remember(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("name").set(context, "Ada")
        await state.save_changes(context)
        await context.send_activity("done")

    room = room_with(remember, apologies=Apologies(not_kept="Not kept: {names}."))
    responses = []

    async def history() -> None:
        room.storage.faults[f"write {USER}"] = [StateUnavailable("away")] * 10_000
        request = begin(room, "hello", deliveryMode="expectReplies")
        await asyncio.sleep(20)
        room.storage.faults[f"write {USER}"] = [StateTooLarge("full")]
        responses.append(await request)

    in_virtual_time(history())
    assert responses[0] is not None
    said = [one["text"] for one in responses[0].body["activities"]]
    assert ["done", "Not kept: name."] == said
