"""What becomes of what a bot says in an atomic turn."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import SimpleNamespace

import aiohttp
import pytest
from botbuilder.core import (
    ConversationState,
    InvokeResponse,
    MemoryTranscriptStore,
    Storage,
    TranscriptLoggerMiddleware,
    TurnContext,
)
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    Attachment,
    ChannelAccount,
    ErrorResponseException,
    Mention,
)

from shared.errors import MalformedActivity, StateUnavailable, StateUnreadable
from shared.turns import Apologies, TransactionalBot
from tests.unit.turns.conftest import (
    HOME,
    USER,
    Awkward,
    Queue,
    Room,
    endless,
    in_virtual_time,
    until_quiet,
)

RoomWith = Callable[..., Room]


def refusal(status: int, retry_after: str = "0") -> ErrorResponseException:
    """The error that the SDK raises for an answer of the channel."""
    response = SimpleNamespace(
        status_code=status, headers={"Retry-After": retry_after}, raise_for_status=lambda: None
    )
    return ErrorResponseException(lambda *_: None, response)


async def echo(context: TurnContext, _storage: Storage) -> None:
    await context.send_activity(f"You said {context.activity.text}.")


async def test_replies_leave_in_order_after_the_commit(room_with: RoomWith) -> None:
    """When the first reply leaves, the turn is in the store; when all have left, no reply is."""
    committed = []

    async def say_three(context: TurnContext, _storage: Storage) -> None:
        await context.send_activities(
            [Activity(type="message", text=text) for text in ("one", "two")]
        )
        await context.send_activity("three")

    room = room_with(say_three)
    take = room.channel._take

    def spy(verb: str, activity_id: str, activity: Activity | None) -> object:
        committed.append(len(room.storage.writes))
        return take(verb, activity_id, activity)

    room.channel._take = spy  # type: ignore[method-assign]  # looks on, no more
    await room.hears()
    assert ["one", "two", "three"] == room.texts()
    assert [1, 1, 1] == committed
    assert "last" not in (await room.home())["$turns"]


async def test_a_reply_is_addressed_as_the_sdk_does(room_with: RoomWith) -> None:
    """It answers the activity, and goes to whoever sent that."""
    room = room_with(echo)
    await room.hears("hi", id="a7", **{"from": {"id": "ada"}})
    (reply,) = room.channel.activities
    assert ("a7", "ada", "bot", "room") == (
        reply.reply_to_id,
        reply.recipient.id,
        reply.from_property.id,
        reply.conversation.id,
    )


async def test_a_redelivered_activity_is_not_run_again(room_with: RoomWith) -> None:
    """It is answered as if it had been, and nothing is said twice."""
    room = room_with(echo)
    await room.hears("hi", id="a")
    await room.hears("hi", id="a")
    assert (1, ["You said hi."]) == (room.runs, room.texts())


async def test_an_activity_without_an_id_is_a_turn(room_with: RoomWith) -> None:
    """It runs each time, because nobody can tell that it is the same."""
    room = room_with(echo)
    await room.hears("hi", id=None)
    await room.hears("hi", id=None)
    assert ["You said hi."] * 2 == room.texts()


async def test_an_edit_of_a_message_is_not_its_redelivery(room_with: RoomWith) -> None:
    """Teams gives an edited message the id of the message, each time it is edited."""
    room = room_with(echo)
    await room.hears("hi", id="a")
    for minute in (1, 2, 2):
        when = f"2026-11-20T12:0{minute}:00Z"
        await room.hears("ho", id="a", type="messageUpdate", timestamp=when)
    assert 3 == room.runs


async def test_a_bot_that_raises_changes_nothing_and_apologises_once(
    room_with: RoomWith, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither what it saved nor what it said happens; the log names the activity, not the text."""

    async def save_and_raise(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        await state.create_property("value").set(context, 1)
        await state.save_changes(context)
        await context.send_activity("Saved!")
        raise RuntimeError(context.activity.text)

    room = room_with(save_and_raise, apologies=Apologies(bot_failed="Oh no."))
    await room.hears("private", id="a")
    await room.hears("private", id="a")
    assert (1, ["Oh no."]) == (room.runs, room.texts())
    assert {"$turns", "e_tag"} == (await room.home()).keys()
    assert "activity a:" in caplog.text
    assert "private" not in caplog.text


class Markup(str):
    """Text that has a class of its own."""


async def test_a_reply_may_be_text_with_a_class_of_its_own(room_with: RoomWith) -> None:
    """Template engines make such text; the user sees it as any other."""

    async def say_markup(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(Activity(type="message", text=Markup("<b>hi</b>")))

    room = room_with(say_markup)
    await room.hears()
    assert ["<b>hi</b>"] == room.texts()


@pytest.mark.parametrize(
    "part", ["half: \ud800", endless(), Awkward()], ids=["text", "loop", "object"]
)
@pytest.mark.parametrize("field", ["text", "channel_data"])
async def test_a_reply_that_is_no_json_is_apologised_for(
    room_with: RoomWith, field: str, part: object
) -> None:
    """It can neither be stored nor sent: the user hears of the failure, and that is the end."""

    async def say_it(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(Activity(type="message", **{field: part}))

    room = room_with(say_it, apologies=Apologies(bot_failed="Oh no."))
    await room.hears(id="a")
    await room.hears(id="a")
    assert (1, ["Oh no."]) == (room.runs, room.texts())


async def test_user_state_that_cannot_be_read_is_told_once(room_with: RoomWith) -> None:
    """The document is left as it is, and a redelivery says nothing."""

    async def read_user(_context: TurnContext, storage: Storage) -> None:
        await storage.read([USER])

    room = room_with(read_user)
    room.storage.faults[f"read {USER}"] = [StateUnreadable("damaged")] * 4
    await room.hears(id="a")
    await room.hears(id="a")
    assert ["Sorry, what I remember about you could not be read."] == room.texts()
    assert USER not in room.storage.writes


async def test_a_conversation_that_cannot_be_read_is_told(room_with: RoomWith) -> None:
    """The home document is left as it is; the activity counts as handled."""
    room = room_with(echo)
    room.storage.faults[f"read {HOME}"] = [StateUnreadable("damaged")]
    await room.hears()
    assert ["Sorry, what I remember about you could not be read."] == room.texts()
    assert [] == room.storage.writes


async def test_typing_leaves_at_once(room_with: RoomWith) -> None:
    """The user sees the indicator while the bot is at work, even if the turn fails then."""
    seen: list[str] = []

    async def work(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(Activity(type=ActivityTypes.typing))
        seen.extend(one.type for one in room.channel.activities)
        raise RuntimeError

    room = room_with(work)
    await room.hears()
    assert ["typing"] == seen


async def test_a_sent_activity_may_be_changed_in_its_turn(room_with: RoomWith) -> None:
    """The id that the bot gets at once becomes the channel's when both have left."""

    async def change(context: TurnContext, _storage: Storage) -> None:
        draft = await context.send_activity("draft")
        await context.update_activity(Activity(id=draft.id, type="message", text="final"))
        gone = await context.send_activity("gone")
        await context.delete_activity(gone.id)

    room = room_with(change)
    await room.hears()
    assert [
        ("send", "real-0", "draft"),
        ("update", "real-0", "final"),
        ("send", "real-2", "gone"),
        ("delete", "real-2", ""),
    ] == room.channel.log


@pytest.mark.parametrize("kind", [str, Markup])
async def test_a_sent_activity_may_be_changed_in_a_later_turn(
    room_with: RoomWith, kind: type[str]
) -> None:
    """A bot that stored the id finds its activity again."""

    async def keep_card(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        card = state.create_property("card")
        if context.activity.text == "show":
            response = await context.send_activity("card")
            await card.set(context, kind(response.id))
            await state.save_changes(context)
        else:
            shown = await card.get(context)
            await context.update_activity(Activity(id=shown, type="message", text="new card"))

    room = room_with(keep_card)
    await room.hears("show")
    await room.hears("refresh")
    assert [("send", "real-0", "card"), ("update", "real-0", "new card")] == room.channel.log


async def test_expected_replies_are_the_response(room_with: RoomWith) -> None:
    """Nothing goes to the channel, and a redelivery gets the same response."""
    room = room_with(echo)
    responses = [await room.hears("hi", id="a", deliveryMode="expectReplies") for _ in range(2)]
    for response in responses:
        assert response is not None
        assert ["You said hi."] == [reply["text"] for reply in response.body["activities"]]
    assert (1, []) == (room.runs, room.texts())


async def test_an_invoke_is_answered_and_may_speak_too(room_with: RoomWith) -> None:
    """The response is the bot's, again for a redelivery; messages go to the channel, once."""

    async def submit(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity("Thank you.")
        response = InvokeResponse(status=200, body={"task": [1]})
        await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=response))

    room = room_with(submit)
    responses = [await room.hears(type="invoke", id="a") for _ in range(2)]
    for response in responses:
        assert response is not None
        assert (200, {"task": [1]}) == (response.status, response.body)
    assert (1, ["Thank you."]) == (room.runs, room.texts())


async def test_an_invoke_that_raises_is_answered_with_500(room_with: RoomWith) -> None:
    """A card or a dialog box in the client waits for a status, not for a message."""

    async def fail(_context: TurnContext, _storage: Storage) -> None:
        raise RuntimeError

    room = room_with(fail)
    response = await room.hears(type="invoke")
    assert response is not None
    assert (HTTPStatus.INTERNAL_SERVER_ERROR, []) == (response.status, room.texts())


async def test_middleware_sees_what_was_really_sent(room_with: RoomWith) -> None:
    """A transcript has each reply once, with its text."""
    transcript = MemoryTranscriptStore()
    room = room_with(echo)
    room.adapter.use(TranscriptLoggerMiddleware(transcript))
    await room.hears("hi", id="a")
    await room.hears("hi", id="a")
    page = await transcript.get_transcript_activities("test", "room")
    assert ["hi", "You said hi.", "hi"] == [activity.text for activity in page.items]


async def test_middleware_sees_what_the_bot_left_in_the_turn(room_with: RoomWith) -> None:
    """And the bot what middleware put there."""
    seen = []

    async def leave(context: TurnContext, _storage: Storage) -> None:
        seen.append(context.turn_state["before"])
        context.turn_state["after"] = "bot"

    async def middleware(context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        context.turn_state["before"] = "middleware"
        await logic()
        seen.append(context.turn_state["after"])

    room = room_with(leave)
    room.adapter.use(SimpleNamespace(on_turn=middleware))
    await room.hears()
    assert ["middleware", "bot"] == seen


async def test_proactive_turns_are_turns(storage: Storage, queue: Queue) -> None:
    """`continue_conversation` with the bot as its logic stores state and sends replies."""

    async def notify(context: TurnContext) -> None:
        await context.send_activity(f"News for {context.activity.conversation.id}")

    adapter = TestAdapter()
    bot = TransactionalBot(
        lambda _: SimpleNamespace(on_turn=notify), storage, bells=queue, contexts=SimpleNamespace()
    )
    reference = TestAdapter.create_conversation_reference("room")
    await adapter.continue_conversation(reference, bot.on_turn)
    assert ["News for room"] == [one.text for one in adapter.activity_buffer]


async def test_the_adapter_looks_like_the_real_one_to_the_bot(room_with: RoomWith) -> None:
    """The SDK asks an adapter what it can do by its class."""
    seen = []

    async def ask(context: TurnContext, _storage: Storage) -> None:
        adapter = context.adapter
        seen.append((isinstance(adapter, type(room.adapter)), adapter.on_turn_error))

    room = room_with(ask)
    await room.hears()
    assert [(True, None)] == seen


async def test_an_activity_of_no_conversation_is_malformed(room_with: RoomWith) -> None:
    """There is no place for its state."""
    room = room_with(echo)
    with pytest.raises(MalformedActivity):
        await room.hears(conversation={})
    assert 0 == room.runs


@pytest.mark.parametrize("status", [400, 403, 404, 413])
async def test_a_reply_that_is_refused_is_dropped(room_with: RoomWith, status: int) -> None:
    """The turn is settled, and the other replies arrive."""

    async def say_two(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity("refused")
        await context.send_activity("taken")

    room = room_with(say_two)
    room.channel.faults = [refusal(status)]
    await room.hears()
    assert ["taken"] == room.texts()
    assert "last" not in (await room.home())["$turns"]


@pytest.mark.parametrize("fault", [refusal(429), aiohttp.ConnectionTimeoutError()])
async def test_a_reply_that_was_not_sent_is_sent_again(
    room_with: RoomWith, fault: Exception
) -> None:
    """A throttling channel, or no connection, costs time and nothing else."""
    room = room_with(echo)
    room.channel.faults = [fault, None]
    await room.hears("hi")
    assert ["You said hi."] == room.texts()


@pytest.mark.parametrize("fault", [refusal(502), TimeoutError(), aiohttp.ServerDisconnectedError()])
def test_a_delivery_without_an_answer_is_finished_without_a_redelivery(
    room_with: RoomWith, fault: Exception
) -> None:
    """It goes on from the reply that is in doubt, without running the bot."""

    async def say_three(context: TurnContext, _storage: Storage) -> None:
        for text in ("one", "two", "three"):
            await context.send_activity(text)

    room = room_with(say_three)

    async def history() -> None:
        room.channel.faults = [None, fault]
        await room.hears(id="a")
        assert ["one"] == room.texts()
        await until_quiet(room)

    in_virtual_time(history())
    assert (1, ["one", "two", "three"]) == (room.runs, room.texts())


def test_the_next_turn_waits_for_the_one_before_it(room_with: RoomWith) -> None:
    """Replies keep their order, and each is addressed to whoever it was for."""
    room = room_with(echo)

    async def history() -> None:
        room.channel.faults = [refusal(500)]
        await room.hears("first", id="a", **{"from": {"id": "bob"}})
        await room.hears("second", deliveryMode="expectReplies")

    in_virtual_time(history())
    (reply,) = room.channel.activities
    assert ("You said first.", "bob", "a") == (reply.text, reply.recipient.id, reply.reply_to_id)


def test_what_is_recovered_is_what_would_have_been_sent(room_with: RoomWith) -> None:
    """Mentions, attachments and channel data survive the journal."""
    reply = Activity(
        type="message",
        text="hello",
        entities=[Mention(mentioned=ChannelAccount(id="ada"), text="<at>Ada</at>", type="mention")],
        attachments=[Attachment(content_type="card", content={"$type": "x", "py/object": None})],
        channel_data={"$type": [1, {"py/x": True}]},
    )

    async def say(context: TurnContext, _storage: Storage) -> None:
        await context.send_activity(reply)

    room = room_with(say)

    async def history() -> None:
        await room.hears(id="a")
        room.channel.faults = [refusal(500)]
        await room.hears(id="b")
        await until_quiet(room)

    in_virtual_time(history())
    sent, recovered = (one.serialize() for one in room.channel.activities)
    assert sent | {"replyToId": "b"} == recovered


async def test_a_lost_answer_to_the_commit_is_no_second_run(room_with: RoomWith) -> None:
    """The store took the write and then the connection broke: the turn knows its own commit."""
    room = room_with(echo)
    write = room.storage._inner.write

    async def write_and_lose(changes: dict[str, object]) -> None:
        room.storage._inner.write = write
        await write(changes)
        raise StateUnavailable("no answer")

    room.storage._inner.write = write_and_lose
    await room.hears("hi")
    assert (1, ["You said hi."]) == (room.runs, room.texts())
