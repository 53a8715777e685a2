"""Activities as JSON: what the SDK makes of them, only faster."""

import pytest
from botbuilder.schema import Activity
from hypothesis import given
from hypothesis import strategies as st

from shared.turns.wire import activity_from_wire
from shared.wire import to_wire
from tests.unit.test_wire import ACTIVITIES

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("activity", ACTIVITIES.values(), ids=ACTIVITIES.keys())
def test_what_was_stored_is_sent_in_full(activity: Activity) -> None:
    """An activity that was read back has the same JSON, by the SDK's own serializer."""
    assert activity.serialize() == activity_from_wire(to_wire(activity)).serialize()


@given(value=json_values, data=json_values)
def test_any_json_in_an_activity_survives(value: object, data: object) -> None:
    """Values and channel data are the bot's and the channel's own business."""
    wire = to_wire(Activity(type="event", value=value, channel_data=data))
    again = activity_from_wire(wire)
    assert (value, data) == (again.value, again.channel_data)
