"""Activities that arrive at the same time, or more than once, on two instances."""

import asyncio
import json
from itertools import cycle

import pytest

from tests.bots.counting import answered_in, replies_to, replies_to_all
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instance
from tests.end_to_end.treatment import Treatment

Two = tuple[Instance, Instance]


# On a fast channel turns meet while they are committed, on a slow one while they are delivered.
@pytest.mark.parametrize("reply_s", [0.0, 0.01], ids=["fast channel", "slow channel"])
async def test_none_of_twenty_racing_messages_is_lost(
    channel: FakeChannel, two_instances: Two, reply_s: float
) -> None:
    """Each counts once and gets its replies, and no turn comes between those of another."""
    messages = [f"m{number}" for number in range(20)]
    # An instance that is still getting ready would leave the race to the other.
    for instance in two_instances:
        await channel.says("hello", conversation="another", to=instance.url)
    channel.usual_treatment = Treatment(delay_s=reply_s)

    statuses = await asyncio.gather(
        *(
            channel.says(message, to=instance.url)
            for message, instance in zip(messages, cycle(two_instances), strict=False)
        )
    )

    assert [200] * 20 == statuses
    # Whoever has waited for a second is accepted, and answered after that.
    for _ in range(600):
        if len(channel.replies()) >= 3 * len(messages):
            break
        await asyncio.sleep(0.05)
    answered = answered_in(channel.replies())
    assert sorted(messages) == sorted(answered)
    assert replies_to_all(answered) == channel.replies()


async def test_both_of_two_racing_first_messages_are_kept(
    channel: FakeChannel, two_instances: Two
) -> None:
    """Neither instance finds a document of the conversation, and both turns are in the one made."""
    one, two = two_instances
    conversations = [f"c{number}" for number in range(10)]

    await asyncio.gather(
        *(
            channel.says("hello", user=user, conversation=conversation, to=instance.url)
            for conversation in conversations
            for user, instance in (("ada", one), ("grace", two))
        )
    )

    first, second = replies_to("hello", 1, of_user=1), replies_to("hello", 2, of_user=1)
    for conversation in conversations:
        assert first + second == channel.replies(conversation)


async def test_a_user_may_begin_many_conversations_at_once(
    channel: FakeChannel, two_instances: Two
) -> None:
    """What each of them remembers about the user stays, though all write one document."""
    one, two = two_instances
    conversations = [f"c{number}" for number in range(10)]

    for text in ("hello", "hello again"):
        await asyncio.gather(
            *(
                channel.says(text, conversation=conversation, to=instance.url)
                for conversation, instance in zip(conversations, cycle((one, two)), strict=False)
            )
        )

    for conversation in conversations:
        expected = replies_to_all(["hello", "hello again"])
        assert expected == channel.replies(conversation)


async def test_an_activity_delivered_again_and_again_takes_effect_once(
    channel: FakeChannel, two_instances: Two
) -> None:
    """Every delivery is taken, and only the first one is answered and counted."""
    one, two = two_instances

    statuses = [
        await channel.says("hello", activity_id="a", to=instance.url)
        for instance in (one, two, one)
    ]
    await channel.says("bye", to=two.url)

    assert [200] * 3 == statuses
    assert replies_to_all(["hello", "bye"]) == channel.replies()


async def test_an_activity_delivered_six_times_at_once_takes_effect_once(
    channel: FakeChannel, two_instances: Two
) -> None:
    """Whichever delivery comes first has the turn; the others find that it has happened."""
    one, two = two_instances

    statuses = await asyncio.gather(
        *(
            channel.says("hello", activity_id="a", to=instance.url)
            for instance in (one, two, one, two, one, two)
        )
    )
    await channel.says("bye", to=two.url)

    assert [200] * 6 == statuses
    assert replies_to_all(["hello", "bye"]) == channel.replies()


async def test_expected_replies_are_the_answer_to_every_delivery(
    channel: FakeChannel, two_instances: Two
) -> None:
    """Who asks again, because the answer was lost, gets the same one from any instance."""
    activity = channel.activity("message", "ada", "c1", text="hello", deliveryMode="expectReplies")

    first, second = [await channel.posts(activity, to=one.url) for one in two_instances]

    texts = [reply["text"] for reply in json.loads(first.body)["activities"]]
    assert replies_to("hello", 1) == texts
    assert first == second
