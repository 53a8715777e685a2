"""A conversation, from the user's words over HTTP to the replies, on every host."""

import json

import pytest

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instance

pytestmark = pytest.mark.usefixtures("bot")


async def test_a_message_gets_its_replies_in_their_order(channel: FakeChannel) -> None:
    """All that the bot says arrives, in the order in which it was said."""
    assert 200 == await channel.says("a fine day")

    assert [
        "Somebody said: a fine day",
        "That was message 1 here.",
        f"It came from {channel.channel_id}.",
    ] == channel.replies()


async def test_user_state_holds_in_every_conversation(channel: FakeChannel) -> None:
    """It belongs to the user; what is counted belongs to the conversation."""
    await channel.says("I am Ada", conversation="c1")
    await channel.says("hello again", conversation="c2")

    assert ["Ada said: hello again", "That was message 1 here."] == channel.replies("c2")[:2]


async def test_users_of_one_conversation_have_their_own_state(channel: FakeChannel) -> None:
    """What one member of a group says is never taken for another one's."""
    await channel.says("I am Ada", user="ada")
    await channel.says("I am Grace", user="grace")
    await channel.says("good morning", user="ada")
    await channel.says("good evening", user="grace")

    assert ["Ada said: good morning", "Grace said: good evening"] == channel.replies()[6::3]


async def test_expected_replies_are_the_answer_itself(channel: FakeChannel) -> None:
    """With deliveryMode expectReplies the replies are in the HTTP body, and only there."""
    answer = await channel.asks("hello")

    assert 200 == answer.status
    texts = [activity["text"] for activity in json.loads(answer.body)["activities"]]
    assert "Somebody said: hello" == texts[0]
    assert [] == channel.replies()


async def test_what_is_not_an_activity_is_refused_in_one_line(channel: FakeChannel) -> None:
    """A malformed body is answered with 400 and one line that says why."""
    answer = await channel.posts(b"{")

    assert 400 == answer.status
    assert 1 == len(answer.body.splitlines())


async def test_letters_of_all_languages_arrive(channel: FakeChannel) -> None:
    """Text passes the host, the bot and the channel unchanged."""
    await channel.says("I am Ада 🌻")

    assert "Ада 🌻 said: I am Ада 🌻" == channel.replies()[0]


async def test_nothing_that_was_said_is_logged(channel: FakeChannel, bot: Instance) -> None:
    """Neither a user's name nor a message's text reaches the log."""
    await channel.says("I am Wilhelmina")
    await channel.says("something confidential")

    assert "Wilhelmina" not in bot.printed()
    assert "confidential" not in bot.printed()
