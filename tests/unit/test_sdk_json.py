"""Activities as JSON and back: what the SDK makes of them, only faster."""

from datetime import UTC, datetime

import pytest
from botbuilder.core import CardFactory
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    AttachmentLayoutTypes,
    CardAction,
    ChannelAccount,
    ConversationAccount,
    HeroCard,
    Mention,
    SuggestedActions,
)
from hypothesis import given
from hypothesis import strategies as st

from shared.sdk_json import activity_from_json, to_plain_json

ACTIVITIES = {
    "plain": Activity(type=ActivityTypes.message, text="hi"),
    "addressed": Activity(
        type="message",
        from_property=ChannelAccount(id="bot", name="Bot"),
        conversation=ConversationAccount(id="room", is_group=True),
        reply_to_id="a1",
        service_url="https://channel.example",
    ),
    "cards": Activity(
        type="message",
        attachment_layout=AttachmentLayoutTypes.carousel,
        attachments=[
            CardFactory.hero_card(HeroCard(title="T", buttons=[CardAction(title="B", value=1)])),
            CardFactory.adaptive_card({"$schema": "s", "body": [{"text": None}]}),
        ],
    ),
    "suggestions": Activity(
        type="message",
        suggested_actions=SuggestedActions(actions=[CardAction(title="A", value={"x": [1]})]),
    ),
    "mention": Activity(
        type="message",
        entities=[Mention(mentioned=ChannelAccount(id="ada"), text="<at>A</at>", type="mention")],
    ),
    "times": Activity(type="message", timestamp=datetime(2026, 11, 20, 12, 30, 1, 5000, UTC)),
    "event": Activity(type="event", name="n", value={"a": [True, None, 1.5]}),
}


@pytest.mark.parametrize("activity", ACTIVITIES.values(), ids=ACTIVITIES.keys())
def test_the_json_is_that_of_the_sdk(activity: Activity) -> None:
    """A channel cannot tell the difference."""
    assert activity.serialize() == to_plain_json(activity)


class Markup(str):
    """Text with a class of its own, as template engines make it."""


class Count(int):
    """A number with one."""


class Share(float):
    """Another."""


@pytest.mark.parametrize("value", [Markup("hi"), Count(3), Share(0.5)])
def test_values_with_a_class_of_their_own_are_plain(value: object) -> None:
    """What is JSON in all but its class becomes what it equals."""
    wire = to_plain_json(Activity(type="event", value=value))["value"]

    assert value == wire
    assert type(value).__base__ is type(wire)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("activity", ACTIVITIES.values(), ids=ACTIVITIES.keys())
def test_what_was_stored_is_sent_in_full(activity: Activity) -> None:
    """An activity that was read back has the same JSON, by the SDK's own serializer."""
    assert activity.serialize() == activity_from_json(to_plain_json(activity)).serialize()


@given(value=json_values, data=json_values)
def test_any_json_in_an_activity_survives(value: object, data: object) -> None:
    """Values and channel data are the bot's and the channel's own business."""
    wire = to_plain_json(Activity(type="event", value=value, channel_data=data))
    again = activity_from_json(wire)
    assert (value, data) == (again.value, again.channel_data)
