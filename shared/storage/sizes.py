"""
How large a document is where Cosmos DB measures it: as it is sent.

azure-cosmos sends JSON in ASCII, in which a character of Chinese takes 6 bytes and an emoji 12,
where UTF-8 has 3 and 4.
"""

import json
import re
from typing import Any

import msgspec

from shared.storage.document_ids import document_id

MAX_ITEM_BYTES = 2 * 1024 * 1024
"""Cosmos DB's documented limit, envelope included."""

_MAX_GROWTH = 6
"""Bytes sent for one byte in UTF-8, at most: U+007F is sent as a backslash, "u" and four digits."""

_ENVELOPE_BYTES_A_CHARACTER = 100
"""Per character of the key, and once more: at least what is sent in addition to the document."""

# Where msgspec's JSON is not what is sent, though both are ASCII: U+007F, and 1e20 for 1e+20.
_DELETE = b"\x7f"
# It begins with one letter, for which `re` looks many times faster than for a class of them.
_EXPONENT = re.compile(rb"e(?<=[0-9]e)[-0-9]")


def to_json(value: Any) -> bytes:
    """Return plain JSON as text in UTF-8; in ASCII if it has half a surrogate pair in it."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return _as_sent(value)


def from_json(text: bytes) -> Any:
    """Undo `to_json`."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def stored_size(key: str, document: bytes) -> int:
    """Return the bytes of the item that is sent for `document`, which is its JSON in UTF-8."""
    if not document.isascii() or _DELETE in document or _EXPONENT.search(document):
        document = _as_sent(from_json(document))
    return _envelope_size(key) + len(document)


def size_beyond(limit: int, key: str, document: bytes) -> int | None:
    """
    Return the size of the item that is sent for `document`, if it is more than `limit`.

    Costs next to nothing for a document that is far below the limit, which nearly all are.
    """
    if is_far_below(limit, key, len(document)):
        return None
    size = stored_size(key, document)
    return size if size > limit else None


def is_far_below(limit: int, key: str, document_bytes: int) -> bool:
    """Whether the item for a document of so many bytes in UTF-8 has at most `limit` in any case."""
    return _MAX_GROWTH * document_bytes + _ENVELOPE_BYTES_A_CHARACTER * (len(key) + 1) <= limit


def _envelope_size(key: str) -> int:
    return len(_as_sent({"id": document_id(key), "realId": key, "document": 0})) - 1


def _as_sent(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
