"""The ETag that a document carries on its way between the bot and the store."""

from shared.errors import StateNotStorable
from shared.storage.codec.documents import Document
from shared.storage.codec.sdk_types import schema_of_class
from shared.storage.codec.state_types import E_TAG

ANY_E_TAG = "*"
"""Write whatever is there."""

CONFLICT = "Another turn wrote the document first; read it again and run the turn again."
"""What a StateConflict says."""


def e_tag_of(document: Document) -> str | None:
    """
    Return the version that `document` was read as; None: it must not exist yet.

    Raises:
        StateNotStorable: it has no place for an ETag, or one that cannot be.
    """
    kind: type = type(document)
    if isinstance(document, dict):
        e_tag = document.get(E_TAG)
    elif hasattr(document, E_TAG) or schema_of_class(kind) is not None:
        # The SDK's own, a ConversationReference say, has no such field, and takes one.
        e_tag = getattr(document, E_TAG, None)
    else:
        raise StateNotStorable(
            f"A {type(document).__name__} cannot be a document by itself; keep it in a state "
            "property, or give its class the field `e_tag: str | None = None`."
        )
    if e_tag is not None and (not isinstance(e_tag, str) or not e_tag):
        raise StateNotStorable("A document's e_tag must be a string or None; leave it as it is.")
    return e_tag


def set_e_tag(document: Document, e_tag: str) -> None:
    """Note that `document` is what the store has as `e_tag`."""
    if isinstance(document, dict):
        document[E_TAG] = e_tag
    else:
        document.e_tag = e_tag
