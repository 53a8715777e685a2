"""No turn needs anything that the process of an earlier one had in memory."""

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instances


async def test_conversation_goes_on_though_every_instance_dies(
    channel: FakeChannel, instances: Instances, cosmos_settings: dict[str, str]
) -> None:
    """Each turn is served by a new process, the one before it having been killed."""
    for text in ("hello", "I am Ada", "a fine day"):
        instance = instances.start(cosmos_settings)
        assert 200 == await channel.says(text, to=instance.url)
        instance.kill()

    replies = channel.replies()
    assert [
        "Somebody said: hello",
        "Ada said: I am Ada",
        "Ada said: a fine day",
    ] == replies[::3]
    assert "That was message 3 here." == replies[7]


async def test_two_instances_serve_one_conversation_in_turns(
    channel: FakeChannel, instances: Instances, cosmos_settings: dict[str, str]
) -> None:
    """What one living instance has learned, another one knows, and neither remembers it."""
    one, two = instances.start(cosmos_settings), instances.start(cosmos_settings)

    await channel.says("hello", to=one.url)
    await channel.says("I am Ada", to=two.url)
    await channel.says("a fine day", to=one.url)

    assert "Ada said: a fine day" == channel.replies()[6]
