"""The id that a key's document has in Cosmos DB."""

import hashlib
import re
from functools import lru_cache

from shared.errors import StateNotStorable

MAX_ID_CHARACTERS = 255
"""What azure-cosmos sends. Cosmos DB takes 1,023 bytes: 255 characters have at most 1,020."""

_DIGEST_CHARACTERS = 64
"""Of SHA-256 in hexadecimal."""

_SDK_ESCAPES = str.maketrans({character: f"*{ord(character)}" for character in "\\?/#\n\r*"})

# The gateway of Cosmos DB answers 400 to a path with a control character in it (U+0000 to U+001F,
# U+007F to U+009F): the SDK could create such a document, and never read it.
_CONTROLS = {
    code: f"*{code:02}" if code < 0x20 else f"*x{code:x}"
    for code in (*range(0x20), *range(127, 160))
}
_LOOKS_HASHED = re.compile(f".*[0-9a-f]{{{_DIGEST_CHARACTERS}}}", re.DOTALL)


@lru_cache(maxsize=1024)  # A turn asks four times, for its two keys.
def document_id(key: str) -> str:
    r"""
    Return the id of the document that is stored under `key`: the SDK's, for any key that has one.

    Like the SDK's `CosmosDbKeyEscape`, it puts `*` and the code point in place of what Cosmos DB
    does not allow in an id, and in place of the rest of a long id a hash, as the SDK does in its
    compatibility mode. No two keys share an id, and every text has one, where the SDK

    - makes "*9" of a tab, and so of a tab and "2" what it makes of a backslash: here "*092";
    - leaves what cannot be an id as it is: here a space at the end is "*32", "." is "*46", and
      other control characters have two digits, or an "x" and hexadecimal ones;
    - lets an id of 255 characters look like one with a hash: here it gets a hash of its own.

    Raises:
        StateNotStorable: `key` is empty or not a text.
    """
    _check(key)
    named = key.translate(_SDK_ESCAPES)
    if "\t" in named:
        named = named.replace("\t2", "*092").replace("\t", "*9")
    escaped = named
    if not escaped.isprintable():  # Controls are not, and little else.
        escaped = escaped.translate(_CONTROLS)
    if escaped[-1] == " ":
        escaped = f"{escaped[:-1]}*32"
    elif escaped in (".", ".."):  # Steps in a URL's path.
        escaped = f"{escaped[:-1]}*46"
    length = len(escaped)
    if length < MAX_ID_CHARACTERS or (
        # Otherwise a chosen key could have the id that another, long key is shortened to.
        length == MAX_ID_CHARACTERS and not _LOOKS_HASHED.fullmatch(escaped)
    ):
        return escaped
    digest = hashlib.sha256(named.encode()).hexdigest()
    return escaped[: MAX_ID_CHARACTERS - _DIGEST_CHARACTERS] + digest


def _check(key: str) -> None:
    if not key:
        raise StateNotStorable("A storage key must be a string that is not empty.")
    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise StateNotStorable(
                "A storage key has half of a surrogate pair, which is not a character; remove it."
            ) from error
