import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from botbuilder.schema import Activity, Attachment
from hypothesis import example, given
from hypothesis import strategies as st

from shared.storage.cosmos.storage import CosmosStorage
from shared.storage.sizes import from_json, size_beyond, stored_size, to_json
from tests.unit.storage.fake_cosmos import FakeCosmos, item
from tests.unit.storage.test_values import BERLIN, CODEC, MEMBERS, Point

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


async def sent_and_measured(key: str, document: dict[str, Any]) -> tuple[int, int]:
    """How many bytes azure-cosmos sends, by the header that says so, and what we take it for."""
    cosmos = FakeCosmos()
    cosmos.otherwise = item({})
    async with cosmos.serve():
        storage = CosmosStorage(cosmos.settings, CODEC)
        measured = stored_size(key, storage.encode(document))
        await storage.write({key: document})
        await storage.close()
    return int(cosmos.headers[-1]["Content-Length"]), measured


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": '漢🎲é\x7f\n"\\/', "🎲": [1e20, 1e-7, 5e-324, -0.0, 2**53, True, None, {}, []]},
        {
            "$a": [(), Point("漢", {1.5, "b"}), *MEMBERS, b"\x00", UUID(int=7), Decimal("1.50")],
            "b": {1: timedelta(1), (2, "c"): datetime(2026, 1, 31, tzinfo=BERLIN)},
            "c": Activity(text="é", attachments=[Attachment(content={"$type": "a card"})]),
        },
    ],
)
@pytest.mark.parametrize("key", ["msteams/users/29:1 ", "漢" * 300])
async def test_the_size_is_that_of_what_is_sent(key: str, document: dict[str, Any]) -> None:
    """To the byte, envelope and tags included."""
    sent, measured = await sent_and_measured(key, dict(document))

    assert sent == measured


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
