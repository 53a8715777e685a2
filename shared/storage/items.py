"""A document on its way into Cosmos DB and back: the SDK's envelope around it."""

from typing import Any

from shared.errors import StateTooLarge, StateUnreadable
from shared.storage.document_ids import document_id
from shared.storage.sizes import MAX_ITEM_BYTES, size_beyond, to_json


def item_of(key: str, document: dict[str, Any]) -> dict[str, Any]:
    """
    Return the item that keeps `document`, plain JSON, under `key`.

    Raises:
        StateTooLarge: it has more than the 2 MB that Cosmos DB takes.
        StateNotStorable: `key` is empty or not a text.
    """
    item_id = document_id(key)
    refuse_too_large(key, to_json(document))
    return {"id": item_id, "realId": key, "document": document}


def document_in(item: dict[str, Any], key: str) -> dict[str, Any]:
    """
    Return what `item_of` was given.

    Raises:
        StateUnreadable: the item is another key's, or has no document in it.
    """
    document = item.get("document")
    if not isinstance(document, dict):
        raise StateUnreadable("The Cosmos DB item holds no document; does another app write there?")
    if item.get("realId") != key:
        # To the SDK a tab and "2" are a backslash, for example.
        raise StateUnreadable(
            "The Cosmos DB item with this key's id has another key; does another app write there?"
        )
    return document


def refuse_too_large(key: str, document: bytes) -> None:
    """
    Do nothing if Cosmos DB takes `document`, which is its JSON in UTF-8.

    Raises:
        StateTooLarge: it does not.
    """
    size = size_beyond(MAX_ITEM_BYTES, key, document)
    if size is not None:
        raise StateTooLarge(
            f"A document has {size:,} bytes as it is sent to Cosmos DB, which takes at most "
            f"{MAX_ITEM_BYTES:,}; keep less in it."
        )
