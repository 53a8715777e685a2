"""
Whether a document can be stored, before it is tried.
"""

from typing import Any

import msgspec

from shared.errors import StateNotStorable, StateTooLarge
from shared.sdk_json import to_plain_json
from shared.storage.codec.opaque import Opaque
from shared.storage.sizes import size_beyond
from shared.turns.limits import DOCUMENT_BYTES
from shared.turns.state.journal import RESERVED
from shared.turns.state.stored_document import StoredDocument


def check_size(document: StoredDocument, also: Any = None) -> None:
    """
    Refuse a document that the store would not take.

    `also` is what else will be in it.

    Raises:
        StateTooLarge: forget something, or keep it elsewhere.
        StateNotStorable: the document has no end, or keys that are not text.
    """
    whole = {**document.properties, RESERVED: document.journal.to_json()}
    if also is not None:
        whole["also"] = [whole.get("also"), also]
    size = size_beyond(DOCUMENT_BYTES, document.key, as_json(whole))
    if size is not None:
        raise StateTooLarge(
            f"The document {document.key!r} would have {size:,} bytes, and at most "
            f"{DOCUMENT_BYTES:,} can be stored. Keep less in it, or say less in one turn."
        )


def as_json(value: Any) -> bytes:
    """About the text that a value has when it is stored."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except Exception as error:
        # It has no end, say, or an object of the bot's in it whose own code fails.
        raise StateNotStorable(f"A value cannot be stored ({type(error).__name__}).") from error


def _plain(value: Any) -> Any:
    return Opaque.stored(value) if type(value) is Opaque else to_plain_json(value)
