"""Replies on their way through a channel that refuses, fails, or loses the answer."""

import asyncio

import pytest

from tests.bots.counting import replies_to, replies_to_all
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instance
from tests.end_to_end.treatment import ANSWER_LOST, LOST, WELL, Treatment, refused

# A host has no part in how a reply is delivered, so one is enough.
pytestmark = pytest.mark.parametrize("host", ["embedded host"], indirect=True)

Two = tuple[Instance, Instance]


@pytest.fixture
def channel(channel: FakeChannel, two_instances: Two) -> FakeChannel:
    """A channel that speaks to the first instance, unless told otherwise."""
    channel.bot_url = two_instances[0].url
    return channel


async def arrived(channel: FakeChannel, count: int) -> list[str]:
    """What the user has read once there are so many replies, or after a while."""
    for _ in range(600):
        if len(channel.replies()) >= count:
            break
        await asyncio.sleep(0.05)
    return channel.replies()


async def test_a_reply_that_came_too_soon_is_sent_again_when_the_channel_says(
    channel: FakeChannel,
) -> None:
    """A 429 with Retry-After delays a reply and those after it; all arrive once."""
    channel.treats_next(WELL, refused(429, retry_after_s=1))

    assert 200 == await channel.says("hello")

    assert replies_to("hello", 1) == channel.replies()
    assert 4 == len(channel.requests)


@pytest.mark.parametrize(
    "fault",
    [refused(503), refused(429, retry_after_s=60), LOST],
    ids=["unavailable", "busy for long", "dropped before it arrived"],
)
async def test_a_reply_that_did_not_arrive_is_sent_again(
    channel: FakeChannel, two_instances: Two, fault: Treatment
) -> None:
    """The turn goes on where it got stuck, wherever it is delivered again, and counts once."""
    channel.treats_next(WELL, fault)

    assert 200 == await channel.says("hello", activity_id="a")
    assert 200 == await channel.says("hello", activity_id="a", to=two_instances[1].url)
    assert 200 == await channel.says("bye")

    assert replies_to_all(["hello", "bye"]) == await arrived(channel, 6)


@pytest.mark.parametrize(
    "fault", [Treatment(500), ANSWER_LOST], ids=["error", "dropped after it arrived"]
)
async def test_only_a_reply_in_doubt_arrives_twice(
    channel: FakeChannel, two_instances: Two, fault: Treatment
) -> None:
    """Nobody can know that it has arrived; those before it are known and not repeated."""
    channel.treats_next(WELL, fault)

    assert 200 == await channel.says("hello", activity_id="a")
    assert 200 == await channel.says("hello", activity_id="a", to=two_instances[1].url)
    assert 200 == await channel.says("bye")

    first, second, third = replies_to("hello", 1)
    expected = [first, second, second, third, *replies_to("bye", 2)]
    assert expected == await arrived(channel, len(expected))


async def test_the_next_message_brings_the_replies_of_the_one_before(
    channel: FakeChannel, two_instances: Two
) -> None:
    """A channel that never delivers again loses nothing either, and the order holds."""
    channel.treats_next(refused(503))

    assert 200 == await channel.says("hello")
    assert 200 == await channel.says("bye", to=two_instances[1].url)

    assert replies_to_all(["hello", "bye"]) == await arrived(channel, 6)


async def test_a_reply_refused_for_good_does_not_hold_up_the_others(
    channel: FakeChannel, two_instances: Two
) -> None:
    """What the channel will never take is dropped and logged, and the turn is complete."""
    channel.treats_next(WELL, refused(403))
    logged = len(two_instances[0].printed())

    assert 200 == await channel.says("hello")

    first, _, third = replies_to("hello", 1)
    assert [first, third] == channel.replies()
    assert "A reply did not reach the channel: refused" in two_instances[0].printed()[logged:]
