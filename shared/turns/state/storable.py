"""
Whether a document can be stored, before one tries to store it.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from shared.errors import StateNotStorable, StateTooLarge
from shared.storage.codec.opaque import Opaque
from shared.storage.sizes import is_far_below, size_beyond
from shared.turns.limits import DOCUMENT_BYTES
from shared.turns.state.journal import RESERVED
from shared.turns.state.stored_document import StoredDocument

Encode = Callable[[Any], bytes]
"""Makes of a document what the store keeps of it; raises StateNotStorable."""


def check_size(document: StoredDocument, encode: Encode, also: Any = None) -> None:
    """
    Refuse a document that is larger than turns may write, as the store measures it.

    `also` is what else will be in it.

    Raises:
        StateTooLarge: forget something, or keep it elsewhere.
        StateNotStorable: a value in it cannot be stored.
    """
    whole = {**document.properties, RESERVED: document.journal.to_json()}
    if also is not None:
        whole["also"] = [whole.get("also"), also]
    size = size_beyond(DOCUMENT_BYTES, document.key, encode(whole))
    if size is not None:
        raise StateTooLarge(
            f"The document {document.key!r} would have {size:,} bytes, but at most "
            f"{DOCUMENT_BYTES:,} can be stored. Keep less in it, or say less in one turn."
        )


def is_small(document: StoredDocument, values_bytes: int) -> bool:
    """
    Whether `check_size` would certainly let a document through, at a tenth of its cost.

    `values_bytes` is at least what the bot's own values in it have in UTF-8, be they
    properties or changes to other documents.
    """
    # What the bot's values have in here may be more or less; it comes on top.
    journal = as_json(document.journal.to_json())
    return is_far_below(DOCUMENT_BYTES, document.key, values_bytes + len(journal))


def as_json(value: Any) -> bytes:
    """About the text that a value has when it is stored."""
    try:
        try:
            return msgspec.json.encode(value, enc_hook=_plain)
        except TypeError:  # A key, or the value of an Enum, that msgspec does not take.
            return msgspec.json.encode(_plain_throughout(value))
    except Exception as error:
        # It has no end, say, or contains an object of the bot's whose own code fails.
        raise StateNotStorable(f"A value cannot be stored ({type(error).__name__}).") from error


def _plain(value: Any) -> Any:
    if type(value) is Opaque:
        return Opaque.stored(value)
    if isinstance(value, str):
        return str.__str__(value)
    base: Any
    for base in (dict, list, int, float):
        if isinstance(value, base):
            return base(value)
    if hasattr(value, "__dict__"):
        return {name: inner for name, inner in vars(value).items() if inner is not None}
    return str(value)


def _plain_throughout(value: Any) -> Any:
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return [[_plain_throughout(key), _plain_throughout(value[key])] for key in value]
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_throughout(inner) for inner in value]
    return _plain_throughout(_plain(value))
