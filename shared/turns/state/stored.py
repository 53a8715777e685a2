"""
A document as it is stored: the bot's properties, the journal of turns, and the ETag.
"""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from botbuilder.core import Storage

from shared.errors import StateUnreadable
from shared.storage.codec.opaque import Opaque
from shared.turns.state.journal import RESERVED, Change, Journal, Properties, Stamp

WHOLE = "$document"
"""The one property of a document that is an object by itself."""


@dataclass(frozen=True)
class Stored:
    """What was read, or what is to be written in its place."""

    key: str
    properties: Properties
    """The bot's own. Never changed in place."""
    journal: Journal
    e_tag: str | None
    """None: nothing is stored under this key."""

    @property
    def version(self) -> int:
        return self.journal.version

    def changed_by(self, change: Change, stamp: Stamp) -> "Stored":
        """This document with a turn's changes over it; properties of others stay."""
        kept = {name: value for name, value in self.properties.items() if name not in change.drop}
        properties = {**kept, **change.put}
        journal = self.journal.stamped(change.names, stamp).with_properties(properties).written()
        return replace(self, properties=properties, journal=journal)


def take_apart(document: Any) -> tuple[Properties, str | None]:
    """
    The properties and the ETag of a document as the bot knows it, which keeps nothing of them.

    An object that is a document by itself is one property, so that a journal fits beside it.
    """
    if isinstance(document, dict):
        properties = {name: value for name, value in document.items() if name != "e_tag"}
        return properties, document.get("e_tag")
    whole = copy(document)
    whole.e_tag = None
    return {WHOLE: whole}, document.e_tag


def put_together(properties: Properties, e_tag: str | None) -> Any:
    """
    The document as the bot knows it.

    Raises:
        StateUnreadable: it is an object by itself, which cannot be read.
    """
    if WHOLE in properties:
        unreadable = Opaque.unreadable(properties[WHOLE])
        if unreadable is not None:
            raise unreadable
        whole = copy(properties[WHOLE])
        whole.e_tag = e_tag
        return whole
    return {**properties, "e_tag": e_tag}


async def read(storage: Storage, key: str) -> Stored:
    """
    Read one document, which may be absent.

    Raises:
        StateUnreadable: the document is not what the app wrote; names it and the fault.
        StateError: the store's reason.
    """
    try:
        documents: dict[str, Any] = await storage.read([key])
    except StateUnreadable as error:
        raise StateUnreadable(f"The document {key!r} cannot be read: {error}") from error
    document = documents.get(key)
    if document is None:
        return Stored(key, {}, Journal(), None)
    properties, e_tag = take_apart(document)
    journal = Journal.of(key, properties.pop(RESERVED, None))
    return Stored(key, properties, journal, e_tag)


async def write(storage: Storage, stored: Stored) -> Stored:
    """
    Write one document if it is still as it was read; returns it with its new ETag.

    Raises:
        StateConflict: somebody else wrote it, or it exists by now.
        StateError: the store's reason; StateUnavailable leaves open whether it was written.
    """
    document: dict[str, Any] = {**stored.properties, RESERVED: stored.journal.to_json()}
    if stored.e_tag is not None:
        document["e_tag"] = stored.e_tag
    await storage.write({stored.key: document})
    return replace(stored, e_tag=document["e_tag"])
