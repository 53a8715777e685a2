"""
The documents of a turn, never read older than they are known to be.
"""

import logging
from dataclasses import replace
from typing import Any

from botbuilder.core import Storage

from shared.errors import StateUnreadable
from shared.storage.base import StateStorage
from shared.turns.backoff import Backoff, is_passing
from shared.turns.clock import loop_time_s
from shared.turns.known import Known
from shared.turns.limits import LAG_S
from shared.turns.state.journal import RESERVED, Journal, digest
from shared.turns.state.stored_document import StoredDocument, take_apart

_logger = logging.getLogger(__name__)


class Documents:
    """The store, as the turns of one conversation see it."""

    def __init__(self, storage: Storage, home_key: str, known: Known) -> None:
        self._storage = storage
        self.home_key = home_key
        self._known = known

    async def read_home(self, backoff: Backoff) -> StoredDocument:
        """
        Read the home document, never an older one than this process has read or written before.

        Raises:
            TurnDeadlineExceeded: only older ones, or no store, were found until the backoff ended.
            StateError: for what will not get better, the store's reason.
        """
        while True:
            asked_s = loop_time_s()
            home = await self._read_repeatedly(self.home_key, backoff)
            if home.version >= self._known.least(self.home_key, asked_s):
                self._known.note(self.home_key, home.version)
                return replace(home, journal=home.journal.without_settled())
            await backoff.pause()

    async def read_ahead(self, key: str | None) -> StoredDocument | None:
        """A document that will be needed. None: there is none, or an old copy, or no answer."""
        if not key:
            return None
        asked_s = loop_time_s()
        try:
            document = await self.read(key)
        except Exception:
            return None
        return document if document.version >= self._known.least(key, asked_s) else None

    async def read_at_least(self, version: int, key: str, backoff: Backoff) -> StoredDocument:
        """
        Read a document that is not older than the version, nor than this process has written it.

        One that stays older for `LAG_S` was deleted or restored, and is taken as it is.

        Raises what `read_home` raises.
        """
        until_s = loop_time_s() + LAG_S
        while True:
            # What counts is when it was asked for: a slow answer may be as old as the request.
            asked_s = loop_time_s()
            document = await self._read_repeatedly(key, backoff)
            if document.version >= max(version, self._known.least(key, asked_s)):
                return document
            if asked_s >= until_s:
                _logger.warning("The document %s was deleted, or restored.", digest(key))
                return document
            await backoff.pause()

    async def _read_repeatedly(self, key: str, backoff: Backoff) -> StoredDocument:
        while True:
            try:
                return await self.read(key)
            except Exception as error:
                if not is_passing(error):
                    raise
                await backoff.pause(error)

    async def read(self, key: str) -> StoredDocument:
        """
        Read a document once, which may be absent.

        Raises:
            StateUnreadable: the document is not what the app wrote; names it and the fault.
            StateError: the store's reason.
        """
        try:
            documents: dict[str, Any] = await self._storage.read([key])
        except StateUnreadable as error:
            raise StateUnreadable(f"The document {key!r} cannot be read: {error}") from error
        document = documents.get(key)
        if document is None:
            return StoredDocument(key, {}, Journal(), None)
        properties, e_tag = take_apart(document)
        journal = Journal.of(key, properties.pop(RESERVED, None))
        return StoredDocument(key, properties, journal, e_tag)

    def encode(self, document: Any) -> bytes:
        """
        A document of the bot's as the store would keep it, in JSON.

        Raises:
            StateNotStorable: it would not keep it.
        """
        # The SDK's own storages tell only when they are written to.
        return self._storage.encode(document) if isinstance(self._storage, StateStorage) else b""

    async def write(self, document: StoredDocument) -> StoredDocument:
        """
        Write a document once, if it is still as it was read; returns it with its new ETag.

        Raises:
            StateConflict: somebody else wrote it, or it exists by now.
            StateError: the store's reason; StateUnavailable leaves open whether it was written.
        """
        plain: dict[str, Any] = {**document.properties, RESERVED: document.journal.to_json()}
        if document.e_tag is not None:
            plain["e_tag"] = document.e_tag
        await self._storage.write({document.key: plain})
        self._known.note(document.key, document.version)
        return replace(document, e_tag=plain["e_tag"])
