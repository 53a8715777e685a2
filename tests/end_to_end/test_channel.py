"""The fake channel behaves as the Bot Connector does, well and badly."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from tests.end_to_end.channel import Activity, FakeChannel
from tests.end_to_end.treatment import ANSWER_LOST, refused

HELLO: Activity = {"type": "message", "text": "hello"}


@pytest.fixture
async def bot(channel: FakeChannel) -> AsyncIterator[ClientSession]:
    """What a bot speaks to the channel with."""
    async with ClientSession(base_url=channel.service_url) as session:
        yield session


async def test_replies_are_in_their_order_and_conversation(
    channel: FakeChannel, bot: ClientSession
) -> None:
    """Each conversation has the texts that were sent to it, and its message ids are its own."""
    ids = []
    for conversation, text in (("c1", "one"), ("c2", "two"), ("c1", "three")):
        path = f"v3/conversations/{conversation}/activities"
        async with bot.post(path, json={"type": "message", "text": text}) as response:
            ids.append((await response.json())["id"])

    assert ["one", "three"] == channel.replies("c1")
    assert ["two"] == channel.replies("c2")
    assert 3 == len(set(ids))


async def test_typing_updates_and_deletions_are_no_replies(
    channel: FakeChannel, bot: ClientSession
) -> None:
    """Whatever is not a new message is recorded only as a request."""
    await bot.post("v3/conversations/c1/activities", json={"type": "typing"})
    await bot.put("v3/conversations/c1/activities/r1", json=HELLO)
    await bot.delete("v3/conversations/c1/activities/r1")

    assert [] == channel.replies()
    requests = [(request.method, request.activity_id) for request in channel.requests]
    assert [("POST", ""), ("PUT", "r1"), ("DELETE", "r1")] == requests


async def test_refused_message_does_not_arrive(channel: FakeChannel, bot: ClientSession) -> None:
    """An error status means that nothing happened; the next request is treated well again."""
    channel.treats_next(refused(429, retry_after_s=2))

    throttled = await bot.post("v3/conversations/c1/activities/a1", json=HELLO)
    accepted = await bot.post("v3/conversations/c1/activities/a1", json=HELLO)

    assert (429, "2") == (throttled.status, throttled.headers["Retry-After"])
    assert 201 == accepted.status
    assert ["hello"] == channel.replies()


async def test_message_whose_answer_is_lost_has_arrived(
    channel: FakeChannel, bot: ClientSession
) -> None:
    """A dropped connection leaves the sender not knowing that the user sees the message."""
    channel.treats_next(ANSWER_LOST)

    with pytest.raises(ServerDisconnectedError):
        await bot.post("v3/conversations/c1/activities/a1", json=HELLO)

    assert ["hello"] == channel.replies()


async def test_no_answer_of_the_bot_is_no_status(channel: FakeChannel) -> None:
    """A bot that is not there has answered nothing, and that is no error of the test."""
    channel.bot_url = "http://127.0.0.1:1/api/messages"

    assert await channel.says("hello") is None
