"""What travels in the queue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bells.base import Bell
from shared.errors import MalformedBell

PULSES = st.none() | st.tuples(st.text(), st.integers(0, 2**52))


@given(st.builds(Bell, st.text(), st.text(), PULSES))
def test_a_bell_survives_its_way_as_text(bell: Bell) -> None:
    """What is read from the text of a bell is equal to the bell."""
    assert bell == Bell.from_text(bell.to_text())


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "hello", '{"conversation": 5, "token": "t"}', b"\xff"]
)
def test_what_is_no_bell_is_an_error(text: str | bytes) -> None:
    """A message of somebody else's raises an error of this app's."""
    with pytest.raises(MalformedBell):
        Bell.from_text(text)
