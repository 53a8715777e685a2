import pytest
from botbuilder.azure import CosmosDbKeyEscape
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.errors import StateNotStorable
from shared.storage.keys import MAX_ID_BYTES, document_id

# Rich in what is escaped, in escapes, and in digits that could be taken for parts of them.
KEYS = st.text(st.sampled_from("*0123456789/\\?#\n\ra") | st.characters(codec="utf-8")).filter(
    lambda key: key not in ("", ".", "..") and "\t" not in key
)


@given(KEYS)
@example("msteams/users/29:1a?b#c")
def test_ids_are_those_of_the_sdk(key: str) -> None:
    """An existing container of the SDK's can be pointed at."""
    assert CosmosDbKeyEscape.sanitize_key(key, compatibility_mode=False) == document_id(key)


@given(KEYS, KEYS)
@example("*47", "/")
@example("*42", "*")
@example("*4" + "7", "*" + "47")
def test_no_two_keys_share_an_id(one: str, other: str) -> None:
    """Nobody can get at another's state by a clever user id."""
    assume(one != other)
    assert document_id(one) != document_id(other)


def test_the_keys_that_the_sdk_confuses_are_refused() -> None:
    """To the SDK a tab and "2" are a backslash."""
    confused = CosmosDbKeyEscape.sanitize_key("\t2", compatibility_mode=False)
    assert confused == document_id("\\")
    with pytest.raises(StateNotStorable, match="without tabs"):
        document_id("\t2")


@pytest.mark.parametrize("key", ["", ".", "..", "\ud800", "x" * (MAX_ID_BYTES + 1), "/" * 400])
def test_keys_without_a_place_in_cosmos_are_refused(key: str) -> None:
    """They would be answered by something else than a document, or not at all."""
    with pytest.raises(StateNotStorable, match="A storage key must have"):
        document_id(key)
