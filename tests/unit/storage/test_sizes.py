import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.storage.codec.documents import DocumentCodec
from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.sizes import from_json, size_beyond, stored_size, to_json
from tests.unit.storage.fake_cosmos import FakeCosmos, item

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8") | st.sampled_from('\x00\x1f\x7f"\\/é漢🎲'), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from("a\x7fé🎲"), max_size=3), inner, max_size=3)
    ),
    max_leaves=9,
)
KEYS = st.text(st.sampled_from("a/*\t 漢🎲"), min_size=1, max_size=9)


async def sent(key: str, document: dict[str, Any]) -> int:
    """How many bytes azure-cosmos sends, by the header that says so."""
    cosmos = FakeCosmos()
    cosmos.otherwise = item(document)
    async with cosmos.serve():
        storage = CosmosStorage(cosmos.settings, DocumentCodec([]))
        await storage.write({key: document})
        await storage.close()
    return int(cosmos.headers[-1]["Content-Length"])


@pytest.mark.parametrize(
    "document",
    [{}, {"a": '漢🎲é\x7f\n"\\/', "🎲": [1e20, 1e-7, 5e-324, -0.0, 2**53, True, None, {}, []]}],
)
@pytest.mark.parametrize("key", ["msteams/users/29:1 ", "漢" * 300])
async def test_the_size_is_that_of_what_is_sent(key: str, document: dict[str, Any]) -> None:
    """To the byte, envelope included."""
    assert await sent(key, dict(document)) == stored_size(key, to_json(document))


@given(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), st.integers(-3, 3))
@example("🎲" * 300, {"a": "\x7f" * 100}, 0)
def test_no_document_beyond_the_limit_is_taken_for_a_smaller_one(
    key: str, document: dict[str, Any], more: int
) -> None:
    """The quick answer, for what is far below the limit, is never wrong."""
    text = to_json(document)
    size = stored_size(key, text)
    assert (size if more < 0 else None) == size_beyond(size + more, key, text)


@given(VALUES)
@example("\ud800")
@example({"\udfff": [2**70, 9007199254740993]})
def test_any_json_comes_back_equal(value: Any) -> None:
    """Also what only another writer may have left there, such as half a surrogate pair."""
    assert json.dumps(value) == json.dumps(from_json(to_json(value)))
