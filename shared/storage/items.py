"""A document on its way into Cosmos DB and back: the SDK's envelope around it."""

from typing import Any

from shared.errors import StateUnreadable
from shared.storage.keys import document_id


def item_of(key: str, document: dict[str, Any]) -> dict[str, Any]:
    """
    Return the item that keeps `document`, plain JSON, under `key`.

    Raises:
        StateNotStorable: `key` is empty or is no text.
    """
    return {"id": document_id(key), "realId": key, "document": document}


def document_in(item: dict[str, Any], key: str) -> dict[str, Any]:
    """
    Return what `item_of` was given.

    Raises:
        StateUnreadable: the item is another key's, or has no document in it.
    """
    document = item.get("document")
    if not isinstance(document, dict):
        raise StateUnreadable("The Cosmos DB item has no document in it; who else writes there?")
    if item.get("realId") != key:
        # To the SDK a tab and "2" are a backslash, for example.
        raise StateUnreadable(
            "The Cosmos DB item with the id of this key is another key's; who else writes there?"
        )
    return document
