"""
The storage that a bot gets for one attempt at a turn: it reads through and stages writes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import date, time, tzinfo
from decimal import Decimal
from typing import Any

from botbuilder.core import Storage

from shared.errors import BotApplicationError, StateConflict
from shared.turns.limits import DOCUMENT_BYTES
from shared.turns.replies.outbox import TURN_IS_OVER
from shared.turns.state.journal import RESERVED, Change, Properties
from shared.turns.state.real_ids import with_real_ids
from shared.turns.state.storable import check_size
from shared.turns.state.stored_document import StoredDocument, put_together, take_apart


class UnitOfWork(Storage):
    """
    Documents as they were when the turn first read them, with the bot's changes over them.

    Where the bot has kept an id that it was given for an activity, it reads the channel's own.

    ETags work as the storage contract says, with two exceptions. A document without one
    overwrites: the SDK's `clear_state` writes so, and the turn is alone anyway. A document that
    does not exist is created whatever its ETag says, as by the SDK's storages: its
    TeamsSSOTokenExchangeMiddleware makes up an ETag, so that only the first write succeeds.
    """

    def __init__(
        self,
        home: StoredDocument,
        read: Callable[[str], Awaitable[StoredDocument]],
        encode: Callable[[Any], bytes],
    ) -> None:
        """`encode` makes of a document what the store keeps, and refuses what it would not."""
        self._read = read
        self._encode = encode
        self._home_key = home.key
        self._real_ids = home.journal.ids
        self._bases = {home.key: home}
        self._reading: dict[str, asyncio.Lock] = {}
        self._staged: dict[str, tuple[Properties, str]] = {}
        """The properties and the ETag of each document that the bot wrote."""
        self._sizes: dict[str, int] = {}
        """Of each of these, in bytes of JSON."""
        self._writes = 0
        self._closed = False
        self.failure: BotApplicationError | None = None
        """Why a document could not be read: not the bot's fault if it raises after that."""
        self.missing = ""
        """The key of that document."""

    def close(self) -> None:
        """Refuse to read and write from now on: the turn is over."""
        self._closed = True

    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """
        Copies of the documents, as the bot left them; absent ones are left out.

        Raises:
            RuntimeError: the turn is over; only a forgotten task of the bot gets here.
        """
        self._require_open()
        keys = list(dict.fromkeys(keys))
        await asyncio.gather(*(self._base(key) for key in keys if key not in self._bases))
        documents = {key: self._current(key) for key in keys}
        return {key: document for key, document in documents.items() if document is not None}

    async def write(self, changes: dict[str, Any]) -> None:
        """
        Stage documents for the commit.

        Raises:
            StateConflict: the document has another ETag than the one it was read with.
            StateNotStorable, StateTooLarge: the store would not take it, or not all that the
                turn has changed. The document stays as it is.
            RuntimeError: the turn is over.
        """
        self._require_open()
        for key, document in changes.items():
            await self._base(key)
            size = len(self._encode(document))
            properties, e_tag = take_apart(document)
            properties.pop(RESERVED, None)
            if self._e_tag(key) is not None and e_tag not in (None, "*", self._e_tag(key)):
                # In these words, by which the SDK's middleware recognises it.
                raise StateConflict(f"Etag conflict: {key!r} has changed since it was read.")
            self._require_room(key, properties, size)
            new_e_tag = self._stage(key, deepcopy(properties))
            if isinstance(document, dict):
                document["e_tag"] = new_e_tag
            else:
                document.e_tag = new_e_tag

    async def delete(self, keys: Iterable[str]) -> None:
        """Stage the removal of all properties; what turns must remember stays."""
        self._require_open()
        for key in keys:
            await self._base(key)
            self._stage(key, {})

    def staged(self, key: str) -> Properties:
        """The properties that a document is to have, whether the bot wrote it or not."""
        return self._staged[key][0] if key in self._staged else self._bases[key].properties

    def changes(self) -> dict[str, tuple[StoredDocument, Change]]:
        """What the bot changed, property by property, with what each change is based on."""
        return self._changes(self._staged)

    def _changes(
        self, staged: dict[str, tuple[Properties, str]]
    ) -> dict[str, tuple[StoredDocument, Change]]:
        changes = {}
        for key, (properties, _) in staged.items():
            base = self._bases[key]
            change = _difference(base.properties, properties)
            if change is not None:
                changes[key] = base, change
        return changes

    @property
    def staged_bytes(self) -> int | None:
        """
        The size in JSON of all that the bot wrote, at most.

        None: unknown, as the home document, which the bot did not write, may be much larger.
        """
        has_home = self._home_key in self._staged or not self._bases[self._home_key].properties
        return sum(self._sizes.values()) if has_home else None

    @property
    def bases(self) -> list[StoredDocument]:
        """The documents that the bot has read, as they were stored."""
        return list(self._bases.values())

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError(TURN_IS_OVER)

    def _require_room(self, key: str, properties: Properties, size: int) -> None:
        """Refuse the document if not all can be stored that would be changed then."""
        sizes = {**self._sizes, key: size}
        # A character grows sixfold at most, and what turns remember has a limit, too.
        if sum(sizes.values()) > DOCUMENT_BYTES // 8:
            changes = self._changes({**self._staged, key: (properties, "")})
            home = self._bases[self._home_key]
            _, own = changes.pop(self._home_key, (home, Change()))
            for base, change in changes.values():
                check_size(base.changed_by(change, (0, "")), self._encode)
            # What is changed elsewhere is committed in the conversation's document.
            check_size(
                home.changed_by(own, (0, "")),
                self._encode,
                [change.put for _, change in changes.values()],
            )
        self._sizes = sizes

    async def _base(self, key: str) -> StoredDocument:
        async with self._reading.setdefault(key, asyncio.Lock()):
            if key not in self._bases:
                try:
                    self._bases[key] = await self._read(key)
                except BotApplicationError as error:
                    # That the turn is over by now says more.
                    self._require_open()
                    self.failure, self.missing = error, key
                    raise
            return self._bases[key]

    def _stage(self, key: str, properties: Properties) -> str:
        # Not before the document was read: that may have taken longer than the turn.
        self._require_open()
        self._writes += 1
        e_tag = f"{self._bases[key].e_tag or ''}+{self._writes}"
        self._staged[key] = properties, e_tag
        return e_tag

    def _e_tag(self, key: str) -> str | None:
        return self._staged[key][1] if key in self._staged else self._bases[key].e_tag

    def _current(self, key: str) -> Any:
        properties = self.staged(key)
        if not properties:
            # A document with nothing but a journal in it is absent to the bot.
            return None
        properties = deepcopy(properties)
        if self._real_ids:
            with_real_ids(properties, self._real_ids)
        return put_together(properties, self._e_tag(key))


def _difference(old: Properties, new: Properties) -> Change | None:
    put = {name: new[name] for name in new if name not in old or not _same(old[name], new[name])}
    drop = [name for name in old if name not in new]
    return Change(put=put, drop=drop) if put or drop else None


def _same(one: Any, other: Any) -> bool:
    """
    Whether the same would be stored of both.

    That asks for more than equality: to Python 1 and True are equal, and so are noon in London
    and in Lisbon.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return _same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, set | frozenset):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    if isinstance(one, date | time | tzinfo | Decimal):
        return repr(one) == repr(other)
    if is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in fields(one)]
        return all(_same(getattr(one, name), getattr(other, name)) for name in names)
    compares: Any = type(one).__eq__
    if compares is object.__eq__ and hasattr(one, "__dict__"):
        return _same(vars(one), vars(other))
    return bool(one == other)
