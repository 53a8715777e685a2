"""
Bringing a committed turn's changes to the documents that they are for.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from shared.errors import TurnDeadlineExceeded
from shared.turns.backoff import LASTING_FAULTS, Backoff, is_passing
from shared.turns.chance import Chance
from shared.turns.locks import Locks
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Change, Stamp, TurnRecord, digest
from shared.turns.state.stored_document import StoredDocument

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Applied:
    """What became of each change, by the key of its document."""

    versions: dict[str, int] = field(default_factory=dict)
    """The document has it, and this version."""
    lost: set[str] = field(default_factory=set)
    """The document can never have it."""
    pending: dict[str, Exception] = field(default_factory=dict)
    """The document may have it later. The last error."""


class Changes:
    """Applies what turns change elsewhere. This may be repeated, and may be done twice at once."""

    def __init__(self, home_key: str, documents: Documents, locks: Locks, chance: Chance) -> None:
        """`locks` are the process's: simultaneous turns would only get in each other's way."""
        self._mark = digest(home_key)
        self._documents = documents
        self._locks = locks
        self._chance = chance

    async def apply(
        self, last: TurnRecord, bases: dict[str, StoredDocument], until_s: float
    ) -> Applied:
        """
        Apply a turn's changes; raises nothing.

        `bases` are the documents as they were when the turn ran, as far as they are known.
        `until_s`, by the event loop's clock, leaves time to note what was applied.
        """
        applied = Applied()
        stamp = (last.stamp, self._mark)
        await asyncio.gather(
            *(
                self._try(applied, key, change, stamp, bases.get(key), until_s)
                for key, change in last.writes.items()
            )
        )
        return applied

    async def _try(
        self,
        applied: Applied,
        key: str,
        change: Change,
        stamp: Stamp,
        base: StoredDocument | None,
        until_s: float,
    ) -> None:
        try:
            async with asyncio.timeout_at(until_s), self._locks.hold(key, until_s) as waited:
                document = await self._change(key, change, stamp, None if waited else base, until_s)
            applied.versions[key] = document.version
        except LASTING_FAULTS as error:
            _logger.error("A change to %r is lost: %s", key, error)
            applied.lost.add(key)
        except Exception as error:
            cause = error.__cause__ if isinstance(error, TurnDeadlineExceeded) else error
            _logger.warning("A change to %r is not applied yet: %s", key, type(cause).__name__)
            applied.pending[key] = cause if isinstance(cause, Exception) else error

    async def _change(
        self,
        key: str,
        change: Change,
        stamp: Stamp,
        document: StoredDocument | None,
        until_s: float,
    ) -> StoredDocument:
        backoff = Backoff(self._chance, until_s)
        while True:
            try:
                document = document or await self._documents.read(key)
                later = document.journal.later_part(change, stamp)
                if not later.names:
                    return document
                return await self._documents.write(document.changed_by(later, stamp))
            except Exception as error:
                if not is_passing(error):
                    raise
                document = None
                await backoff.pause(error)
