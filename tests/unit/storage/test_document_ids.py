import re

import pytest
from azure.cosmos._base import _validate_resource
from botbuilder.azure import CosmosDbKeyEscape
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.errors import StateNotStorable
from shared.storage.document_ids import MAX_ID_CHARACTERS, document_id

# Rich in what is escaped, in escapes, and in digits that could be taken for parts of them.
CHARACTERS = st.sampled_from("*0123456789/\\?#\t\n\r. axhf\x00\x1f\x7f\x9f") | st.characters(
    codec="utf-8"
)
KEYS = st.text(CHARACTERS, min_size=1, max_size=12)
REPEATED = st.builds(lambda key, times: key * times, KEYS, st.integers(20, 100))
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def id_of_the_sdk(key: str, compatibility_mode: bool = False) -> str:
    escaped: str = CosmosDbKeyEscape.sanitize_key(key, compatibility_mode=compatibility_mode)
    return escaped


def key_of(document_id_: str) -> str:
    """Read an id that has no hash in it: the proof that no two keys share one."""

    def character(match: re.Match[str]) -> str:
        decimal, hexadecimal, tab = match.groups()
        return "\t" if tab else chr(int(hexadecimal, 16)) if hexadecimal else chr(int(decimal))

    return re.sub(r"\*(?:(92|[0-8]\d)|x([0-9a-f]{2})|(9))", character, document_id_)


@given(KEYS)
@example("msteams/users/29:1a?b#c")
@example("msteams/users/a\tb\n\r")
@example("x" * MAX_ID_CHARACTERS)
def test_ids_are_those_of_the_sdk(key: str) -> None:
    """An existing container of the SDK's can be pointed at."""
    id_ = id_of_the_sdk(key)
    assume(len(id_) <= MAX_ID_CHARACTERS and not id_.endswith(" ") and id_ not in (".", ".."))
    assume("\t2" not in key and not CONTROL.search(id_))
    assert id_ == document_id(key)


@given(KEYS, st.integers(256, 600))
@example("msteams/conversations/19:x@thread.v2;messageid=1", 385)
def test_long_ids_are_those_of_the_sdks_compatibility_mode(key: str, length: int) -> None:
    """It has no others for them: without the mode azure-cosmos refuses an id of 256 characters."""
    key = (key * length)[:length]
    assume("\t2" not in key and not CONTROL.search(id_of_the_sdk(key)))
    assert id_of_the_sdk(key, compatibility_mode=True) == document_id(key)


@given(KEYS | REPEATED)
@example("x" * 255)
@example(" ")
@example("a  ")
@example(".")
@example("..")
@example("\t2")
@example("\t\t2\t\\")
@example("𝄞" * 255)
def test_every_text_has_an_id_that_can_be_sent(key: str) -> None:
    """azure-cosmos takes it, Cosmos DB's length and its gateway do, and no path is shortened."""
    id_ = document_id(key)
    _validate_resource({"id": id_})
    assert len(id_.encode()) <= 1023
    assert id_ not in ("", ".", "..")
    assert not CONTROL.search(id_)


@given(KEYS)
@example("*47")
@example("*42")
@example("\t2")
@example("*92")
@example("..")
@example("*x7f")
@example(" *32 ")
def test_an_id_says_whose_it_is(key: str) -> None:
    """So nobody can get at another's state by a clever user id."""
    id_ = document_id(key)
    assume(len(id_) < MAX_ID_CHARACTERS)
    assert key == key_of(id_)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x" * 300, "x" * 301),
        ("x" * 255 + " ", "x" * 255 + "*32"),
        ("x" * 300 + "\t2", "x" * 300 + "\\"),
        ("x" * 300 + "\x01", "x" * 300 + "*01"),
        ("/" * 128, "*47" * 128),
    ],
)
def test_no_two_long_keys_share_an_id(one: str, other: str) -> None:
    """The hash tells them apart wherever they differ."""
    assert document_id(one) != document_id(other)


@given(KEYS.map(lambda key: (key * 300)[:300]))
def test_nobody_can_choose_the_id_of_a_long_key(key: str) -> None:
    """A short key that is spelled like a long key's id has another id."""
    id_ = document_id(key)
    assert id_ != document_id(id_)
    assert id_ != document_id(key_of(id_))


@pytest.mark.parametrize("key", ["", "\ud800", "a\udfff" * 200])
def test_what_is_no_text_has_no_id(key: str) -> None:
    """The error says what is wrong, and not with whom."""
    with pytest.raises(StateNotStorable, match=r"^A storage key (must be a string|has half of)"):
        document_id(key)
