"""However a bot ends, or does not: its turn ends, and its conversation goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.schema import Activity

from shared.errors import (
    StateForbidden,
    StateUnavailable,
    StateUnreadable,
    TurnDeadlineExceeded,
)
from shared.turns import Apologies
from shared.turns.limits import CLAIM_S, LOOK_S, LOOKS_WITHOUT_STORE, RUN_GRACE_S, RUN_S, WAITING
from tests.unit.turns.conftest import HOME, USER, Queue, Room, in_virtual_time, now_s, until_quiet

RoomWith = Callable[..., Room]


class Sudden(BaseException):
    """What no `except Exception` sees."""


async def be_cancelled() -> None:
    raise asyncio.CancelledError


async def exit_the_process() -> None:
    raise SystemExit(1)


async def be_sudden() -> None:
    raise Sudden


async def cancel_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def never_return() -> None:
    await asyncio.sleep(1e9)


async def swallow_cancellation() -> None:
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            continue


@pytest.mark.parametrize(
    "ending",
    [
        be_cancelled,
        exit_the_process,
        be_sudden,
        cancel_itself,
        never_return,
        swallow_cancellation,
    ],
)
def test_a_bot_that_does_not_return_has_failed(
    room_with: RoomWith, ending: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    """The user gets one apology, the log a line, and the next message is heard."""

    async def end(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        await state.create_property("value").set(context, context.activity.text)
        await state.save_changes(context)
        await context.send_activity("Saved!")
        if context.activity.text == "end":
            await ending()

    room = room_with(end, apologies=Apologies(bot_failed="Oh no."))

    async def history() -> None:
        await room.hears("end", id="a")
        await until_quiet(room)
        assert now_s() <= RUN_S + RUN_GRACE_S + 4
        await room.hears("end", id="a")
        assert "value" not in await room.home()
        await room.hears("hello")

    with caplog.at_level(logging.ERROR):
        in_virtual_time(history())
    assert ["Oh no.", "Saved!"] == room.texts()
    assert "The bot failed at activity a" in caplog.text


def test_a_request_that_is_cancelled_takes_its_bot_with_it(room_with: RoomWith) -> None:
    """It is no failure of the bot's, and the activity is heard when it comes again."""
    stopped: list[bool] = []

    async def wait(context: TurnContext, _storage: Storage) -> None:
        if context.activity.id == "a" and not stopped:
            try:
                await asyncio.sleep(60)
            finally:
                stopped.append(True)
        await context.send_activity("done")

    room = room_with(wait)

    async def history() -> None:
        request = asyncio.create_task(room.hears(id="a"))
        await asyncio.sleep(CLAIM_S / 2)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert [] == room.texts()
        await room.hears(id="a")

    in_virtual_time(history())
    assert ([True], ["done"]) == (stopped, room.texts())


@pytest.mark.parametrize("mode", [None, "expectReplies"])
@pytest.mark.parametrize(
    "what", ["send", "typing", "update", "delete", "read", "save", "write", "remove"]
)
async def test_nothing_can_be_done_after_the_turn(
    room_with: RoomWith, mode: str | None, what: str
) -> None:
    """A task that the bot started and forgot gets an error, and says nothing that is not so."""
    may_go_on = asyncio.Event()
    tasks: list[asyncio.Task[Any]] = []

    async def begin(context: TurnContext, storage: Storage) -> None:
        states = ConversationState(storage), UserState(storage)
        for state in states:
            # The SDK would read an empty one again, and that alone would be refused.
            await state.create_property("begun").set(context, True)
        card = await context.send_activity("I am at it.")

        async def go_on() -> None:
            await may_go_on.wait()
            for state in states:
                await state.create_property("done").set(context, True)
            reference = TurnContext.get_conversation_reference(context.activity)
            reference.activity_id = "x"
            await {
                "send": lambda: context.send_activity("It is done."),
                "typing": lambda: context.send_activity(Activity(type="typing")),
                "update": lambda: context.update_activity(Activity(id=card.id, text="done")),
                "delete": lambda: context.delete_activity(reference),
                "read": lambda: storage.read(["another"]),
                "save": lambda: states[1].save_changes(context),
                "write": lambda: storage.write({USER: {"done": True}}),
                "remove": lambda: storage.delete([USER]),
            }[what]()

        tasks.append(asyncio.create_task(go_on()))

    room = room_with(begin)
    await room.hears(deliveryMode=mode)
    said, stored = room.texts(), await room.home()
    may_go_on.set()
    (outcome,) = await asyncio.gather(*tasks, return_exceptions=True)
    assert "The turn is over" in str(outcome)
    assert (said, stored, {}) == (room.texts(), await room.home(), await room.document(USER))


@pytest.mark.parametrize("what", ["write", "delete"])
async def test_after_the_turn_a_bot_is_told_that_first(room_with: RoomWith, what: str) -> None:
    """It is not told what is wrong with the document, which is not even looked at."""
    may_go_on = asyncio.Event()
    tasks: list[asyncio.Task[Any]] = []

    async def begin(_context: TurnContext, storage: Storage) -> None:
        async def go_on() -> None:
            await may_go_on.wait()
            await {
                "write": lambda: storage.write({"board": {"done": True}}),
                "delete": lambda: storage.delete(["board"]),
            }[what]()

        tasks.append(asyncio.create_task(go_on()))

    room = room_with(begin)
    room.storage.faults["read board"] = [StateUnreadable("broken")]
    await room.hears()
    may_go_on.set()
    (outcome,) = await asyncio.gather(*tasks, return_exceptions=True)
    assert "The turn is over" in str(outcome)


async def test_a_read_that_outlasts_the_turn_ends_with_it(room_with: RoomWith) -> None:
    """Whatever the store says of it then: nothing can come of it any more."""
    tasks: list[asyncio.Task[Any]] = []

    async def begin(_context: TurnContext, storage: Storage) -> None:
        tasks.append(asyncio.create_task(storage.read(["board"])))
        await asyncio.sleep(0)

    room = room_with(begin)
    room.storage.faults["read board"] = [StateUnavailable("away"), StateUnreadable("broken")]
    await room.hears()
    (outcome,) = await asyncio.gather(*tasks, return_exceptions=True)
    assert "The turn is over" in str(outcome)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "event", "name": "application/vnd.microsoft.readReceipt"},
        {"type": "typing"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}]},
        {"type": "installationUpdate", "action": "remove"},
        {"type": "conversationUpdate", "membersAdded": [{"id": "bob"}]},
        {"type": "messageUpdate"},
        {"type": "messageDelete"},
        {"type": "endOfConversation"},
        {"type": "trace"},
        {"type": "handoff"},
        {"type": "somethingNew"},
        {"type": "event", "deliveryMode": "expectReplies"},
    ],
    ids=lambda fields: fields["type"],
)
async def test_only_messages_are_apologised_for(
    room_with: RoomWith, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever said nothing is told nothing: an apology would be read, and beget a receipt."""

    async def fail(_context: TurnContext, _storage: Storage) -> None:
        raise RuntimeError

    room = room_with(fail)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            await room.hears(id="e", **fields)
    assert ([], 1) == (room.texts(), room.runs)
    assert "The bot failed at activity e" in caplog.text


async def test_an_invoke_that_raises_is_answered_alike_each_time(room_with: RoomWith) -> None:
    """Where the replies are the HTTP response, the answer is one of them."""

    async def fail(_context: TurnContext, _storage: Storage) -> None:
        raise RuntimeError

    room = room_with(fail)
    answers = []
    for _ in range(2):
        response = await room.hears(id="a", type="invoke", deliveryMode="expectReplies")
        assert response is not None
        answers.append((response.status, [one["value"] for one in response.body["activities"]]))
    assert [(200, [{"status": 500}])] * 2 == answers


def test_a_bot_whose_document_raises_something_unknown_has_failed(room_with: RoomWith) -> None:
    """A storage of somebody else's may raise anything: the user hears that something is wrong."""

    async def read_user(context: TurnContext, storage: Storage) -> None:
        await UserState(storage).load(context)

    room = room_with(read_user, apologies=Apologies(bot_failed="Oh no."))

    async def history() -> None:
        room.storage.faults[f"read {USER}"] = [ValueError("bad id")] * 1000
        await room.hears()

    in_virtual_time(history())
    assert ["Oh no."] == room.texts()


def test_a_store_that_is_away_is_no_failure_of_the_bot(room_with: RoomWith) -> None:
    """The activity is accepted and runs when the document can be read; nobody apologises."""

    async def read_user(context: TurnContext, storage: Storage) -> None:
        await UserState(storage).load(context)
        await context.send_activity("done")

    room = room_with(read_user)

    async def history() -> None:
        room.storage.faults[f"read {USER}"] = [StateUnavailable("away")] * 10_000
        await room.hears()
        await asyncio.sleep(120)
        room.storage.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    assert ["done"] == room.texts()


def test_a_document_that_can_never_be_read_stops_no_conversation(
    room_with: RoomWith, queue: Queue
) -> None:
    """After ten minutes its user hears that something is wrong, and what is behind it runs."""

    async def read_user(context: TurnContext, storage: Storage) -> None:
        if context.activity.text == "read":
            await storage.read(["broken"])
        await context.send_activity("done")

    room = room_with(read_user, apologies=Apologies(bot_failed="Oh no."))

    async def history() -> None:
        room.storage.faults["read broken"] = [StateUnavailable("away")] * 10_000
        await room.hears("read")
        await room.hears("look")
        await until_quiet(room)

    in_virtual_time(history())
    assert ["Oh no.", "done"] == room.texts()
    assert len(queue.rung) <= 3 * LOOKS_WITHOUT_STORE


@pytest.mark.parametrize("away_s", [120, 1200])
def test_a_bot_does_not_run_while_its_document_is_away(room_with: RoomWith, away_s: float) -> None:
    """A run may take minutes and cost money: its document is looked for before the next one."""
    began: list[float] = []

    async def think(context: TurnContext, storage: Storage) -> None:
        began.append(now_s())
        await asyncio.sleep(20)
        await storage.read(["board"])
        await context.send_activity("done")

    room = room_with(think, apologies=Apologies(bot_failed="Oh no."))

    async def history() -> None:
        room.storage.faults["read board"] = [StateUnavailable("away")] * 100_000
        await room.hears()
        await asyncio.sleep(away_s)
        room.storage.faults.clear()
        await until_quiet(room)

    in_virtual_time(history())
    gives_up = away_s > LOOK_S * LOOKS_WITHOUT_STORE
    assert (["Oh no."] if gives_up else ["done"]) == room.texts()
    assert (1 if gives_up else 2) == len(began)
    assert began[-1] < away_s + 2 * LOOK_S


@pytest.mark.parametrize(
    ("fault", "said"),
    [(StateUnreadable("broken"), "I cannot read it."), (ValueError("bad id"), "Oh no.")],
)
def test_a_document_that_is_away_may_turn_out_to_be_broken(
    room_with: RoomWith, fault: Exception, said: str
) -> None:
    """The turn does not wait for it any longer: that will not pass."""

    async def read(context: TurnContext, storage: Storage) -> None:
        await asyncio.sleep(2)
        try:
            await storage.read(["board"])
        except StateUnreadable:
            await context.send_activity("I cannot read it.")

    room = room_with(read, apologies=Apologies(bot_failed="Oh no."))

    async def history() -> None:
        room.storage.faults["read board"] = [StateUnavailable("away")] * 100_000
        await room.hears()
        await asyncio.sleep(60)
        room.storage.faults["read board"] = [fault] * 100_000
        await until_quiet(room)

    in_virtual_time(history())
    assert [said] == room.texts()


def test_a_store_that_refuses_the_bot_is_no_failure_of_the_bot(room_with: RoomWith) -> None:
    """Somebody has to give it its role again; until then nobody apologises for it."""

    async def read_user(context: TurnContext, storage: Storage) -> None:
        await UserState(storage).load(context)

    room = room_with(read_user)
    refused = StateForbidden("no role")
    # What Cosmos DB's client said.
    refused.__cause__ = OSError()

    async def history() -> None:
        room.storage.faults[f"read {USER}"] = [refused] * 1000
        with pytest.raises(StateForbidden):
            await room.hears()

    in_virtual_time(history())
    assert ([], []) == (room.texts(), room.storage.writes)


@pytest.mark.takes_seconds
def test_a_crowd_in_one_conversation_does_not_hold_the_others_up(room_with: RoomWith) -> None:
    """So many wait in line; who comes then is sent away at once, to come again."""

    async def take_long(context: TurnContext, _storage: Storage) -> None:
        await asyncio.sleep(3)
        await context.send_activity("done")

    room = room_with(take_long)
    crowd_of = WAITING + 50

    async def history() -> None:
        crowd = [asyncio.create_task(room.hears()) for _ in range(crowd_of)]
        await asyncio.sleep(0.5)
        refused = [one.exception() for one in crowd if one.done()]
        assert crowd_of - 1 - WAITING == len(refused)
        assert {TurnDeadlineExceeded} == {type(error) for error in refused}
        await asyncio.gather(*crowd, return_exceptions=True)
        await until_quiet(room)

    in_virtual_time(history())
    assert WAITING - 2 <= len(room.texts()) <= WAITING + 1


def test_an_unknown_error_of_the_commit_is_no_second_run_if_it_was_stored(
    room_with: RoomWith,
) -> None:
    """Of an error that is none of ours nobody knows whether the write has happened."""

    async def echo(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity("hi")

    room = room_with(echo)
    write = room.storage._inner.write

    async def write_and_break(changes: dict[str, Any]) -> None:
        room.storage._inner.write = write
        await write(changes)
        raise OSError("broken pipe")

    room.storage._inner.write = write_and_break
    in_virtual_time(_hear(room))
    assert (1, ["hi"]) == (room.runs, room.texts())
    assert [HOME, HOME] == room.storage.writes


async def _hear(room: Room) -> None:
    await room.hears()
