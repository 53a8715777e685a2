"""Replies leave once and in order, whatever the channel and the store do meanwhile."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import ConversationState, InvokeResponse, Storage, TurnContext, UserState
from botbuilder.schema import Activity, ResourceResponse

from shared.bells.base import Bell
from shared.errors import (
    StateForbidden,
    StateNotStorable,
    StateTooLarge,
    StateUnavailable,
    TurnDeadlineExceeded,
)
from shared.turns.limits import FRUITLESS_PASSING_S, LAST_LOOK_S, LEASE_S, RETRIES_S
from shared.turns.mailbox.bell import SWEEP
from tests.unit.turns.conftest import HOME, USER, Queue, Room, in_virtual_time, until_quiet
from tests.unit.turns.test_recovery import say_ten
from tests.unit.turns.test_replies import refusal

RoomWith = Callable[..., Room]

TEN = [str(number) for number in range(10)]


async def say_two(context: TurnContext, _storage: Storage) -> None:
    await context.send_activity("one")
    await context.send_activity("two")


async def remember_and_say(context: TurnContext, storage: Storage) -> None:
    state = ConversationState(storage)
    await state.create_property("value").set(context, context.activity.text)
    await state.save_changes(context)
    await context.send_activity("Got it.")


def test_a_slow_channel_gets_each_reply_once(room_with: RoomWith) -> None:
    """The lease is renewed while a reply takes longer than it."""
    room, redelivery = room_with(say_ten), room_with(say_ten)
    room.channel.delay_s = 7

    async def history() -> None:
        delivery = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(15)
        await redelivery.hears(id="a")
        await delivery
        await until_quiet(room)

    in_virtual_time(history())
    assert (TEN, []) == (room.texts(), redelivery.texts())


@pytest.mark.parametrize("fault", [StateUnavailable("away"), StateForbidden("no"), OSError()])
@pytest.mark.parametrize("requests", [1, 3, 9])
def test_a_renewal_that_fails_repeats_no_reply(
    room_with: RoomWith, fault: Exception, requests: int
) -> None:
    """How far the delivery came is noted as soon as the store can be written again."""
    room = room_with(say_ten)
    room.channel.delay_s = 1.5

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, *[fault] * requests]
        await room.hears(id="a")
        await until_quiet(room)

    in_virtual_time(history())
    assert TEN == room.texts()


@pytest.mark.parametrize("fault", [StateUnavailable("away"), StateForbidden("no"), OSError()])
def test_a_settle_that_fails_is_tried_again(room_with: RoomWith, fault: Exception) -> None:
    """Whatever the store says: the next turn must not send the replies once more."""
    room = room_with(say_two)

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, fault, fault]
        await room.hears()
        await room.hears()

    in_virtual_time(history())
    assert ["one", "two", "one", "two"] == room.texts()


def test_a_turn_that_has_not_said_all_is_finished_without_a_redelivery(
    room_with: RoomWith,
) -> None:
    """Neither channel nor store answer after the commit: it is said when they are back."""
    room = room_with(remember_and_say)

    async def history() -> None:
        room.channel.faults = [refusal(500)]
        room.storage.faults[f"write {HOME}"] = [None, *[StateUnavailable("away")] * 1000]
        await room.hears("Ada", id="a")
        assert [] == room.texts()
        room.storage.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    assert (["Got it."], 1) == (room.texts(), room.runs)


def test_a_turn_that_has_said_all_is_answered_as_done(room_with: RoomWith) -> None:
    """Even if the store does not take the note of it: nothing is left to do."""
    room = room_with(remember_and_say)

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, *[StateUnavailable("away")] * 1000]
        await room.hears("Ada", id="a")

    in_virtual_time(history())
    assert ["Got it."] == room.texts()


def test_a_throttled_reply_is_not_dropped(room_with: RoomWith) -> None:
    """It was not sent for certain, so it waits much longer than one that may have been."""
    room = room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(429)] * 10_000
        await room.hears(id="a")
        await asyncio.sleep(FRUITLESS_PASSING_S - 60)
        room.channel.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


def test_a_reply_waits_for_as_long_as_the_channel_asks(room_with: RoomWith) -> None:
    """Earlier it would only be refused again."""
    room = room_with(say_two)
    took_s = []

    async def history() -> None:
        room.channel.faults = [refusal(429, "7")]
        await room.hears()
        took_s.append(asyncio.get_running_loop().time())

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()
    assert 7 <= took_s[0] < 8


def test_a_turn_that_is_left_to_others_is_theirs_at_once(room_with: RoomWith) -> None:
    """The next message does not wait for a bell, nor for a lease that nobody uses."""
    room, other = room_with(say_two), room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(500)]
        await room.hears(id="a")
        await other.hears(id="b")
        await asyncio.sleep(0.5)

    in_virtual_time(history())
    assert ["one", "two", "one", "two"] == other.texts()


def test_a_channel_that_throttles_for_ever_stops_no_conversation(
    room_with: RoomWith, queue: Queue
) -> None:
    """After ten minutes each reply is given up, the log says so, and nothing rings any more."""
    room = room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(429)] * 10_000
        await room.hears(id="a")
        await until_quiet(room)
        await asyncio.sleep(60)
        rung = len(queue.rung)
        await asyncio.sleep(600)
        assert rung == len(queue.rung)

    in_virtual_time(history())
    assert [] == room.texts()
    # Each delivery rings for the next one, and for whoever is to take over from it.
    assert len(queue.rung) <= 2 * (2 * FRUITLESS_PASSING_S / RETRIES_S[-1] + len(RETRIES_S))


def test_a_channel_that_fails_for_a_minute_loses_nothing(room_with: RoomWith) -> None:
    """It may have taken what it answered with 503, so it is asked seldom, but not given up."""
    room = room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(503)] * 10_000
        await room.hears(id="a")
        await asyncio.sleep(60)
        room.channel.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


def test_an_old_turn_is_not_given_up_at_once(room_with: RoomWith, queue: Queue) -> None:
    """What counts is the time since the first try in vain, not since the commit."""
    room = room_with(say_two)

    async def history() -> None:
        queue.is_away = True
        room.channel.faults = [refusal(500)]
        await room.hears(id="a")
        await asyncio.sleep(24 * 3600)
        queue.is_away = False
        room.channel.faults = [refusal(500)] * 2
        await room.bot.on_bell(Bell(HOME, SWEEP))
        await until_quiet(room)

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


@pytest.mark.parametrize("id_", [5, None, "", [], {"id": 1}, "\ud800", "x" * 10_000, "a\nb", True])
async def test_any_id_of_the_channels_is_survived(room_with: RoomWith, id_: Any) -> None:
    """An activity whose id cannot be kept has been sent all the same."""

    async def say_and_edit(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        card = await context.send_activity("card")
        await state.create_property("card").set(context, card.id)
        await state.save_changes(context)
        await context.update_activity(Activity(id=card.id, type="message", text="new"))

    room = room_with(say_and_edit)
    take = room.channel._take

    def answer(verb: str, activity_id: str, activity: Activity | None) -> ResourceResponse:
        take(verb, activity_id, activity)
        return ResourceResponse(id=id_)

    room.channel._take = answer  # type: ignore[method-assign]
    await room.hears()
    await room.hears()
    assert ["card", "card"] == room.texts()
    assert "last" not in (await room.home())["$turns"]


@pytest.mark.parametrize(
    "damaged",
    ["", "nonsense", "[]", "{}", '{"verb": "sing"}', '{"verb": "send", "id": "", "subject": 5}'],
)
def test_a_stored_reply_that_cannot_be_read_is_left_out(
    room_with: RoomWith, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are sent, the conversation goes on, and the log tells."""
    room = room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(500)]
        await room.hears(id="a")
        home = await room.home()
        home["$turns"]["last"]["replies"][0] = damaged
        await room.storage.write({HOME: home})
        await until_quiet(room)

    with caplog.at_level(logging.ERROR):
        in_virtual_time(history())
    assert ["two"] == room.texts()
    assert "cannot be read" in caplog.text


async def test_an_answer_that_arrived_while_the_loop_was_blocked_counts(
    room_with: RoomWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that blocks everybody for longer than a lease makes no reply uncertain."""
    monkeypatch.setattr("shared.turns.mailbox.ownership.LEASE_S", 0.5)
    monkeypatch.setattr("shared.turns.mailbox.lease.SEND_S", 0.2)
    room = room_with(say_two)
    room.channel.delay_s = 0.1

    async def block() -> None:
        await asyncio.sleep(0.05)
        time.sleep(0.8)  # noqa: ASYNC251  (what is tried here)

    await asyncio.gather(room.hears(id="a"), block())
    assert ["one", "two"] == room.texts()


def test_an_adapter_that_cancels_itself_leaves_the_reply_in_doubt(room_with: RoomWith) -> None:
    """It is no cancellation of the request: a bell goes on from there."""
    room = room_with(say_two)

    async def history() -> None:
        room.channel.faults = [asyncio.CancelledError()]  # type: ignore[list-item]
        await room.hears(id="a")
        await until_quiet(room)

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


async def test_answers_are_repeated_after_other_turns(room_with: RoomWith) -> None:
    """A redelivery may come when the user has already gone on."""
    room = room_with(say_two)
    await room.hears(id="a", deliveryMode="expectReplies")
    for _ in range(3):
        await room.hears()
    response = await room.hears(id="a", deliveryMode="expectReplies")
    assert response is not None
    assert ["one", "two"] == [reply["text"] for reply in response.body["activities"]]


class SlowToRenew(Storage):
    """Somebody's way to the store, on which every write after the first takes some seconds."""

    def __init__(self, storage: Storage, delay_s: float = 10) -> None:
        self._storage = storage
        self._delay_s = delay_s
        self._writes = 0

    async def read(self, keys: Any) -> Any:
        return await self._storage.read(keys)

    async def write(self, changes: Any) -> None:
        self._writes += 1
        if self._writes > 1:
            await asyncio.sleep(self._delay_s)
        await self._storage.write(changes)

    async def delete(self, keys: Any) -> None:
        await self._storage.delete(keys)


def test_nothing_is_sent_after_the_lease_while_its_renewal_hangs(room_with: RoomWith) -> None:
    """Another instance has taken the turn over by then, and sends the reply itself."""
    owner, other = room_with(say_two), room_with(say_two)
    owner.bot._process.storage = SlowToRenew(owner.storage)

    async def history() -> None:
        owner.channel.faults = [refusal(429)] * 4
        delivery = asyncio.create_task(owner.hears(id="a"))
        await until_quiet(other)
        await delivery

    in_virtual_time(history())
    assert ["one", "two"] == [*owner.texts(), *other.texts()]


def test_a_renewal_may_take_as_long_as_the_lease_lasts(room_with: RoomWith) -> None:
    """A reply that is on its way meanwhile is not in doubt."""
    room = room_with(say_two)
    room.bot._process.storage = SlowToRenew(room.storage, 1.5)
    room.channel.delay_s = 7

    async def history() -> None:
        await room.hears()
        await until_quiet(room)

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


def test_a_reply_on_its_way_does_not_outlast_the_lease(room_with: RoomWith) -> None:
    """While the renewal hangs it is given up, and whoever takes the turn over sends it."""
    # The bells are heard by the first of them.
    other, owner = room_with(say_two), room_with(say_two)
    owner.bot._process.storage = SlowToRenew(owner.storage)
    owner.channel.delay_s = LEASE_S + 1

    async def history() -> None:
        delivery = asyncio.create_task(owner.hears(id="a"))
        await until_quiet(other)
        await delivery

    in_virtual_time(history())
    assert ([], ["one", "two"]) == (owner.texts(), other.texts())


def test_a_reply_is_not_sent_again_in_the_last_moment_of_the_lease(room_with: RoomWith) -> None:
    """There is no time for an answer, and another instance may send it in a moment."""
    # The bells are heard by the first of them.
    other, owner = room_with(say_two), room_with(say_two)
    owner.bot._process.storage = SlowToRenew(owner.storage)

    async def history() -> None:
        owner.channel.faults = [refusal(429, str(LEASE_S - LAST_LOOK_S / 2))]
        delivery = asyncio.create_task(owner.hears(id="a"))
        await until_quiet(other)
        await delivery

    in_virtual_time(history())
    assert ([], ["one", "two"]) == (owner.texts(), other.texts())


def test_a_process_that_stands_still_while_a_reply_waits_leaves_no_doubt(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """The channel has refused it, and nothing was sent since."""
    other, room = room_with(say_two), room_with(say_two)

    async def history() -> None:
        room.channel.faults = [refusal(429, "4")] * 10
        begin = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(2)
        room.pauses(40)
        await begin
        await until_quiet(other)

    in_virtual_time(history())
    assert ["one", "two"] == [*room.texts(), *other.texts()]
    assert "unknown" not in caplog.text


@pytest.mark.parametrize("fault", [StateNotStorable("no"), StateTooLarge("full")])
def test_a_settle_that_the_store_refuses_undoes_nothing(
    room_with: RoomWith, fault: Exception
) -> None:
    """What is committed and said is no failure of the turn's; the sweep finds what is left."""
    room = room_with(say_two)

    async def history() -> None:
        room.storage.faults[f"write {HOME}"] = [None, fault]
        await room.hears(id="a")
        await asyncio.sleep(60)
        assert ["one", "two"] == room.texts()
        assert len(room.storage.writes) == 2
        await room.bot.on_bell(Bell(HOME, SWEEP))
        await until_quiet(room)

    in_virtual_time(history())
    assert set(room.texts()) == {"one", "two"}


def test_a_reply_that_waits_when_the_lease_ends_is_not_in_doubt(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """The channel has refused it and it was not on its way: it is not given up for that."""
    room = room_with(say_two)
    room.bot._process.storage = SlowToRenew(room.storage, LEASE_S + 1)

    async def history() -> None:
        room.channel.faults = [refusal(429, "4")] * 10_000
        begin = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(FRUITLESS_PASSING_S / 2)
        room.channel.faults.clear()
        await until_quiet(room)
        await begin

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()
    assert "given up" not in caplog.text


def test_a_request_that_is_cancelled_while_it_sends_is_sent_to_its_end(room_with: RoomWith) -> None:
    """What is committed happens, and once, whether or not somebody waits for it."""
    room = room_with(say_two)
    room.channel.delay_s = 1

    async def history() -> None:
        request = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(1.5)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert ["one"] == room.texts()
        await until_quiet(room)
        await room.hears(id="a")

    in_virtual_time(history())
    assert ["one", "two"] == room.texts()


def test_a_slow_answer_of_the_store_may_be_old_by_now(room_with: RoomWith) -> None:
    """A document is taken for deleted only if it is asked for after the longest lag."""

    async def count(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        number = state.create_property("count")
        await number.set(context, (await number.get(context) or 0) + 1)
        await state.save_changes(context)

    room = room_with(count)
    user: dict[str, Any] = {}
    read = room.storage._inner.read

    async def history() -> None:
        await room.hears()
        old = await room.document(USER)
        await room.hears()
        lagging = [old, old]

        async def lag(keys: list[str]) -> dict[str, Any]:
            if keys == [USER] and lagging:
                document = dict(lagging.pop())
                await asyncio.sleep(6 if not lagging else 0)
                return {USER: document}
            return await read(keys)  # type: ignore[no-any-return]

        room.storage._inner.read = lag
        await room.hears()
        user.update(await room.document(USER))

    in_virtual_time(history())
    assert 3 == user["count"]


async def test_an_invoke_whose_settle_is_refused_is_answered_when_it_comes_again(
    room_with: RoomWith,
) -> None:
    """Its turn has happened, and its answer is kept with it."""

    async def say_and_answer(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity("one")
        answer = InvokeResponse(status=200, body={"done": True})
        await context.send_activity(Activity(type="invokeResponse", value=answer))

    room = room_with(say_and_answer)
    room.storage.faults[f"write {HOME}"] = [None, StateNotStorable("no")]

    with pytest.raises(TurnDeadlineExceeded):
        await room.hears(id="a", type="invoke", name="any")
    response = await room.hears(id="a", type="invoke", name="any")

    assert response is not None
    assert ({"done": True}, 1) == (response.body, room.runs)
