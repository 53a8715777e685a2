"""The conversation, from the user's words over HTTP to the replies, on every host."""

import json
import re

import pytest

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instance

pytestmark = pytest.mark.usefixtures("bot")


async def introduce(channel: FakeChannel, name: str, **who: str) -> None:
    """Say hello and answer the bot's question."""
    assert 200 == await channel.says("hello", **who)
    assert 200 == await channel.says(name, **who)


async def test_whoever_joins_is_welcomed(channel: FakeChannel) -> None:
    """A user who is added to the conversation is told what to do."""
    status = await channel.joins("ada")

    assert 200 == status
    assert ["Welcome to State Bot Sample. Type anything to get started."] == channel.replies()


async def test_the_name_is_asked_for_once(channel: FakeChannel) -> None:
    """The first message is answered with a question, and the second one is its answer."""
    await introduce(channel, "Ada")

    assert [
        "What is your name?",
        "Thanks Ada. To see conversation data, type anything.",
    ] == channel.replies()


async def test_a_message_is_answered_with_what_when_and_where(channel: FakeChannel) -> None:
    """Once the name is known, a message gets three replies, in their order."""
    await introduce(channel, "Ada")

    await channel.says("a fine day")

    what, when, where = channel.replies()[2:]
    assert "Ada sent: a fine day" == what
    assert re.fullmatch(r"Message received at: \d\d:\d\d:\d\d .+ UTC", when)
    assert f"Message received from: {channel.channel_id}" == where


async def test_a_name_holds_in_every_conversation_of_the_user(channel: FakeChannel) -> None:
    """User state belongs to the user, whatever conversation it was learned in."""
    await introduce(channel, "Ada", conversation="c1")

    await channel.says("hello again", conversation="c2")

    assert "Ada sent: hello again" == channel.replies("c2")[0]


async def test_users_of_one_conversation_have_their_own_names(channel: FakeChannel) -> None:
    """What one member of a group says is never taken for another one's."""
    await introduce(channel, "Ada", user="ada")
    await introduce(channel, "Grace", user="grace")

    await channel.says("good morning", user="ada")
    await channel.says("good evening", user="grace")

    echoes = [reply for reply in channel.replies() if " sent: " in reply]
    assert ["Ada sent: good morning", "Grace sent: good evening"] == echoes


async def test_expected_replies_are_the_answer_itself(channel: FakeChannel) -> None:
    """With deliveryMode expectReplies the replies are in the HTTP body, and only there."""
    answer = await channel.asks("hello")

    assert 200 == answer.status
    texts = [activity["text"] for activity in json.loads(answer.body)["activities"]]
    assert ["What is your name?"] == texts
    assert [] == channel.replies()


async def test_letters_of_all_languages_arrive(channel: FakeChannel) -> None:
    """Text passes the host, the bot and the channel unchanged."""
    await introduce(channel, "Ада 🌻")

    assert "Thanks Ада 🌻. To see conversation data, type anything." == channel.replies()[1]


async def test_nothing_that_was_said_is_logged(channel: FakeChannel, bot: Instance) -> None:
    """Neither a user's name nor a message's text reaches the log."""
    await introduce(channel, "Wilhelmina")
    await channel.says("something confidential")

    assert "Wilhelmina" not in bot.printed()
    assert "confidential" not in bot.printed()
