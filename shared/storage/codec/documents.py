"""
Documents to plain JSON and back.

A document is a dictionary, by property name, of what JSON can say, of values of the standard
library (see tagged_values), of the SDK's data (see sdk_types) and of registered objects (see
state_types), at any depth; or one such object. What cannot come back equal is refused
when it is written. A property that cannot be read is kept as it is (see opaque).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.storage.codec.decoding import Decoder
from shared.storage.codec.encoding import Encoder
from shared.storage.codec.plain import MAX_DEPTH, MAX_SAFE_INTEGER, Document
from shared.storage.codec.registry import Registry
from shared.storage.codec.state_types import Schema

__all__ = ["MAX_DEPTH", "MAX_SAFE_INTEGER", "Document", "DocumentCodec"]


class DocumentCodec:
    """Writes and reads documents with objects of `types` in them."""

    def __init__(self, types: Iterable[type | Schema]) -> None:
        """
        Check the types as a whole.

        Raises:
            TypeError: one is not registered, or has a field of a type that cannot be stored.
            ValueError: two have the same name, present or former.
        """
        self._registry = Registry(types)
        self._encoder = Encoder(self._registry)

    def encode(self, document: Document) -> dict[str, Any]:
        """
        Return `document` as plain JSON that shares nothing with it, without its e_tag.

        Only what it has of values that cannot be read, which nobody changes, is shared.

        Raises:
            StateNotStorable: it holds something that would not come back equal.
        """
        return self._encoder.encode(document)

    def decode(self, stored: Mapping[str, Any]) -> Document:
        """
        Return the document that `stored` was made of, without an e_tag.

        A property that is not what this or an older version of the app wrote is an `Opaque`.

        Raises:
            StateUnreadable: the document is one object, and cannot be read.
        """
        return Decoder(self._registry, stored).decode()
