"""State in the memory of one process: for a developer's machine and for tests."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from shared.errors import StateConflict
from shared.storage.accessor import tell_unreadable
from shared.storage.base import StateStorage
from shared.storage.codec.documents import Document, DocumentCodec
from shared.storage.document_ids import document_id
from shared.storage.etags import ANY_E_TAG, CONFLICT, e_tag_of, set_e_tag
from shared.storage.items import refuse_too_large
from shared.storage.sizes import from_json, to_json


@dataclass(frozen=True)
class _Stored:
    key: str
    json: bytes
    e_tag: str
    at_s: float
    """When it was written, by the event loop's clock."""


class MemoryStorage(StateStorage):
    """
    The contract of `StateStorage`, without a network.

    Documents are kept as JSON, so nobody shares an object with the store, and what Cosmos DB
    would not take is refused here too.
    """

    def __init__(self, codec: DocumentCodec) -> None:
        tell_unreadable()
        self._codec = codec
        self._documents: dict[str, _Stored] = {}
        self._versions = count(1)

    async def read(self, keys: Iterable[str]) -> dict[str, Document]:
        """Return the documents there are. See `StateStorage.read`."""
        ids = {key: document_id(key) for key in keys}
        await _let_others_run()
        found = {}
        for key, item_id in ids.items():
            stored = self._documents.get(item_id)
            if stored is not None:
                found[key] = self._codec.decode(from_json(stored.json))
                set_e_tag(found[key], stored.e_tag)
        return found

    async def write(self, changes: dict[str, Document]) -> None:
        """Store each document if nobody else has. See `StateStorage.write`."""
        encoded = {key: self._encode(key, document) for key, document in changes.items()}
        expected = {key: e_tag_of(document) for key, document in changes.items()}
        ids = {key: document_id(key) for key in changes}
        await _let_others_run()
        refused = False
        for key, document in changes.items():
            present = self._documents.get(ids[key])
            if expected[key] not in (ANY_E_TAG, present.e_tag if present else None):
                refused = True
                continue
            e_tag = f'"{next(self._versions)}"'
            stored = _Stored(key, encoded[key], e_tag, asyncio.get_running_loop().time())
            self._documents[ids[key]] = stored
            set_e_tag(document, stored.e_tag)
        if refused:
            raise StateConflict(CONFLICT)

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove the documents there are. See `StateStorage.delete`."""
        ids = [document_id(key) for key in keys]
        await _let_others_run()
        for item_id in ids:
            self._documents.pop(item_id, None)

    async def find(self, path: tuple[str, ...], unchanged_s: float) -> list[str]:
        """Return the keys of documents with something at `path`. See `StateStorage.find`."""
        await _let_others_run()
        before_s = asyncio.get_running_loop().time() - unchanged_s
        return [
            stored.key
            for stored in self._documents.values()
            if stored.at_s <= before_s and _has(from_json(stored.json), path)
        ]

    def _encode(self, key: str, document: Document) -> bytes:
        json = to_json(self._codec.encode(document))
        refuse_too_large(key, json)
        return json


async def _let_others_run() -> None:
    """Give way as a request would, so that turns at once meet here as they do in Azure."""
    await asyncio.sleep(0)


def _has(value: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
