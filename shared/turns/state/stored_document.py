"""
A document as it is stored: the bot's properties, the journal of turns, and the ETag.
"""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from shared.storage.codec.opaque import Opaque
from shared.turns.state.journal import Change, Journal, Properties, Stamp

WHOLE = "$document"
"""The one property of a document that is an object by itself."""


@dataclass(frozen=True)
class StoredDocument:
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

    def changed_by(self, change: Change, stamp: Stamp) -> "StoredDocument":
        """This document with a turn's changes over it; properties of others stay."""
        kept = {name: value for name, value in self.properties.items() if name not in change.drop}
        properties = {**kept, **change.put}
        journal = self.journal.stamped(change.names, stamp).with_properties(properties).written()
        return replace(self, properties=properties, journal=journal)


def take_apart(document: Any) -> tuple[Properties, str | None]:
    """
    The properties and the ETag of a document as the bot knows it, which keeps nothing of them.

    An object that is a document by itself is one property, so that a journal fits next to it.
    """
    if isinstance(document, dict):
        properties = {name: value for name, value in document.items() if name != "e_tag"}
        return properties, document.get("e_tag")
    whole = copy(document)
    whole.e_tag = None
    return {WHOLE: whole}, getattr(document, "e_tag", None)


def put_together(properties: Properties, e_tag: str | None) -> Any:
    """
    The document as the bot knows it, made of properties that nobody else has.

    Raises:
        StateUnreadable: it is an object by itself, which cannot be read.
    """
    if WHOLE in properties:
        unreadable = Opaque.unreadable(properties[WHOLE])
        if unreadable is not None:
            raise unreadable
        whole = properties[WHOLE]
        whole.e_tag = e_tag
        return whole
    return {**properties, "e_tag": e_tag}
