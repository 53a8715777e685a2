"""Two users of one group who speak at once, to two instances."""

import asyncio

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instances


async def test_two_who_introduce_themselves_at_once_are_both_known(
    channel: FakeChannel, instances: Instances, cosmos_settings: dict[str, str]
) -> None:
    """The article's bot asks both for their names, and remembers both."""
    one, two = instances.start(cosmos_settings), instances.start(cosmos_settings)
    for of_ada, of_grace in (
        ("hello", "hello"),
        ("Ada", "Grace"),
        ("a fine day", "a rainy day"),
    ):
        await asyncio.gather(
            channel.says(of_ada, user="ada", to=one.url),
            channel.says(of_grace, user="grace", to=two.url),
        )

    replies = channel.replies()
    greeting = "Thanks {}. To see conversation data, type anything."
    assert ["What is your name?"] * 2 == replies[:2]
    assert {greeting.format("Ada"), greeting.format("Grace")} == set(replies[2:4])
    assert {"Ada sent: a fine day", "Grace sent: a rainy day"} == set(replies[4::3])
