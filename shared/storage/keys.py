"""The id that a key's document has in Cosmos DB."""

from shared.errors import StateNotStorable

MAX_ID_BYTES = 1023
"""Cosmos DB's documented limit."""

_ESCAPES = str.maketrans({character: f"*{ord(character)}" for character in "\\?/#\n\r*"})


def document_id(key: str) -> str:
    r"""
    Return the id of the document that is stored under `key`: the SDK's, for any key that has one.

    Like the SDK's `CosmosDbKeyEscape`, it puts `*` and the code point in place of what Cosmos DB
    does not allow in an id. The SDK also does so with tabs, and thereby confuses a tab and "2"
    with a backslash: both are "*92". No channel has tabs in its ids, so they are refused, and no
    two keys share an id.

    Raises:
        StateNotStorable: no document can be stored under `key`.
    """
    escaped = key.translate(_ESCAPES)
    try:
        size = len(escaped.encode())
    except UnicodeEncodeError:
        size = 0
    # "." and ".." are steps in a URL's path.
    if not 0 < size <= MAX_ID_BYTES or "\t" in key or escaped in (".", ".."):
        raise StateNotStorable(
            f"A storage key must have 1 to {MAX_ID_BYTES} bytes when escaped, be valid Unicode "
            "without tabs, and be neither '.' nor '..'."
        )
    return escaped
