"""
The store that all instances share: conditional writes, old versions for whoever lags, ids.
"""

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from shared.errors import StateConflict, StateTooLarge
from shared.sdk_json import to_plain_json
from shared.storage.document_ids import document_id

Document = dict[str, Any]

_VALID_ID = re.compile(r"[^/\\#?\t\r\n]{0,255}")
"""azure.cosmos._base, 4.7.0: `_VALID_COSMOS_RESOURCE`."""


class Codec(Protocol):
    """What makes plain JSON of a document; none is needed where it is that already."""

    def encode(self, document: Any) -> Any: ...

    def decode(self, stored: Any) -> Any: ...


@dataclass(frozen=True)
class Version:
    """What a document was from some time on."""

    since_s: float
    e_tag: str
    content: bytes | None
    """None: it was deleted."""


class SimulatedStore:
    """What is stored, for all instances; and how it came about."""

    def __init__(
        self,
        tell: Callable[[str, str, Document], None] | None = None,
        codec: Codec | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self._codec = codec
        self._versions: dict[str, list[Version]] = {}
        self._keys: dict[str, str] = {}
        self._writes = 0
        self._tell = tell or (lambda _key, _e_tag, _document: None)
        self._max_bytes = max_bytes

    def read(self, key: str, not_after_s: float) -> tuple[Document, str] | None:
        """The document as it was then."""
        for version in reversed(self._versions.get(key, [])):
            if version.since_s <= not_after_s:
                if version.content is None:
                    return None
                content = pickle.loads(version.content)
                return (self._codec.decode(content) if self._codec else content), version.e_tag
        return None

    def current(self, key: str) -> Document | None:
        """The document without its ETag, as it is now."""
        found = self.read(key, float("inf"))
        return found[0] if found else None

    def all_keys(self) -> list[str]:
        return sorted(self._versions)

    def written_s(self, key: str) -> float:
        """When the document was written last."""
        return self._versions[key][-1].since_s

    def e_tag(self, key: str) -> str | None:
        """The ETag of the document, if there is one now."""
        versions = self._versions.get(key)
        return versions[-1].e_tag if versions and versions[-1].content is not None else None

    def write(self, key: str, document: Document, now_s: float) -> str:
        """
        Write if the condition in the document's "e_tag" holds; returns the new ETag.

        Raises:
            StateConflict: it does not.
            StateTooLarge: the store takes less.
            ValueError: the client library does not take the id of the document.
        """
        item_id = _cosmos_id(key)
        if self._keys.setdefault(item_id, key) != key:
            raise AssertionError(f"{key!r} and {self._keys[item_id]!r} share an id")
        expected = document.get("e_tag")
        if expected not in ("*", self.e_tag(key)):
            raise StateConflict(f"{key}: expected {expected}")
        content = {name: value for name, value in document.items() if name != "e_tag"}
        encoded = self._codec.encode(content) if self._codec else content
        if self._max_bytes is not None:
            size = len(msgspec.json.encode(encoded, enc_hook=to_plain_json))
            if size > self._max_bytes:
                raise StateTooLarge(f"{key} has {size} bytes")
        e_tag = self._append(key, now_s, pickle.dumps(encoded))
        self._tell(key, e_tag, content)
        return e_tag

    def delete(self, key: str, now_s: float) -> None:
        """Remove the document; whoever lags still sees it."""
        self._append(key, now_s, None)

    def restore(self, key: str, now_s: float, age: int) -> bool:
        """Put back what the document was so many versions ago, if there were so many."""
        versions = self._versions.get(key, [])
        if len(versions) <= age or versions[-1 - age].content is None:
            return False
        self._append(key, now_s, versions[-1 - age].content)
        return True

    def replace(self, key: str, document: Document, now_s: float) -> None:
        """Write as somebody would who is no instance of the app."""
        self._append(key, now_s, pickle.dumps(document))

    def _append(self, key: str, now_s: float, content: bytes | None) -> str:
        self._writes += 1
        e_tag = f"e{self._writes}"
        self._versions.setdefault(key, []).append(Version(now_s, e_tag, content))
        return e_tag


@lru_cache(4096)
def _cosmos_id(key: str) -> str:
    """The id under which Cosmos DB has the document, if azure-cosmos takes it."""
    item_id = document_id(key)
    if not _VALID_ID.fullmatch(item_id):
        raise ValueError("Id contains illegal chars")
    if item_id[-1] in (" ", "\n"):
        raise ValueError("Id ends with a space or newline.")
    return item_id
