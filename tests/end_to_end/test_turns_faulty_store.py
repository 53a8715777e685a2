"""Turns on a store that refuses, fails, or carries a write out and loses the answer."""

import asyncio
import random
from itertools import cycle

import pytest

from tests.bots.counting import answered_in, replies_to, replies_to_all
from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.faulty_store import FaultyStore
from tests.end_to_end.instances import Instances, settings_for
from tests.end_to_end.treatment import ANSWER_LOST, LOST, WELL, Treatment, refused

# A host has no part in what a turn asks of the store, so one is enough.
pytestmark = pytest.mark.parametrize("host", ["embedded host"], indirect=True)

THROTTLED = refused(429, retry_after_s=0.02)
FAULTS = {
    "throttled": [THROTTLED],
    "throttled for longer than one request's patience": [THROTTLED] * 7,
    "unavailable": [refused(503)],
    "stored, then unavailable": [Treatment(503)],
    "dropped before it was stored": [LOST],
    "dropped after it was stored": [ANSWER_LOST],
    "stored, and then lost": [ANSWER_LOST, LOST, refused(503)],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_no_write_of_a_turn_may_fail_it(
    channel: FakeChannel,
    counting_instances: Instances,
    faulty_store: FaultyStore,
    faults: list[Treatment],
) -> None:
    """Whichever of its three writes meets the fault, the turn happens once, and its replies."""
    channel.bot_url = counting_instances.start(settings_for(faulty_store.settings)).url
    faulty_store.treats_writes("conversations/commit", *faults)
    faulty_store.treats_writes("users/apply", *faults)
    faulty_store.treats_writes("conversations/settle", WELL, *faults)

    for name in ("commit", "apply", "settle"):
        for text in ("hello", "bye"):
            assert 200 == await channel.says(text, user=name, conversation=name)

        expected = replies_to_all(["hello", "bye"])
        assert expected == await channel.hears(expected[-1], name)
    assert 3 * len(faults) == len(faulty_store.treated)


async def test_a_turn_that_cannot_be_stored_in_time_has_not_happened(
    channel: FakeChannel, counting_instances: Instances, faulty_store: FaultyStore
) -> None:
    """Nothing has been said or counted, and the redelivery is as good as new."""
    channel.bot_url = counting_instances.start(settings_for(faulty_store.settings)).url
    faulty_store.treats_writes("conversations/c1", refused(429, retry_after_s=60))

    assert 503 == await channel.says("hello", activity_id="a")
    assert [] == channel.replies()

    assert 200 == await channel.says("hello", activity_id="a")
    assert replies_to("hello", 1) == channel.replies()


async def test_none_of_twenty_racing_messages_is_lost_on_a_faulty_store(
    channel: FakeChannel, counting_instances: Instances, faulty_store: FaultyStore
) -> None:
    """Each counts once and gets its replies once, though every third write goes wrong."""
    chance = random.Random(20)
    kinds = [THROTTLED, refused(503), Treatment(503), LOST, ANSWER_LOST]
    for document in ("conversations/c1", "users/ada"):
        faulty_store.treats_writes(document, *chance.choices([WELL] * 2 * len(kinds) + kinds, k=60))
    settings = settings_for(faulty_store.settings)
    two = [counting_instances.start(settings), counting_instances.start(settings)]
    messages = [f"m{number}" for number in range(20)]

    statuses = await asyncio.gather(
        *(
            channel.says(message, to=instance.url)
            for message, instance in zip(messages, cycle(two), strict=False)
        )
    )

    replies = await channel.hears("message 20, 20 of them yours (3/3)")

    assert [200] * 20 == statuses
    answered = answered_in(replies)
    assert sorted(messages) == sorted(answered)
    assert replies_to_all(answered) == replies
