"""
The product with one safeguard taken out, to show that the simulation would notice.

A mutant is a copy of `shared/turns` in which one snippet is replaced. The product knows
nothing of this, and a snippet that is not found exactly once fails its test.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).parents[2] / "shared" / "turns"


@dataclass(frozen=True)
class Mutant:
    """A safeguard, where it is, and what stands there without it."""

    safeguard: str
    file: str
    snippet: str
    instead: str


MUTANTS = (
    Mutant(
        "the commit is conditional on the ETag that it is based on",
        "turn.py",
        "home, properties=attempt.properties, journal=",
        "home, properties=attempt.properties, e_tag=home.e_tag and '*', journal=",
    ),
    Mutant(
        "the first commit of a conversation only creates",
        "turn.py",
        "home, properties=attempt.properties, journal=",
        "home, properties=attempt.properties, e_tag=home.e_tag or '*', journal=",
    ),
    Mutant(
        "committed turns are remembered",
        "journal.py",
        '{record.id}"][-DONE_TURNS:]',
        '{record.id}"][-1:]',
    ),
    Mutant(
        "an attempt knows its own commit when the answer was lost",
        "leases.py",
        "if self.is_ours(last.by):",
        "if last.by == 'nobody':",
    ),
    Mutant(
        "other documents remember what was applied to them",
        "journal.py",
        "return self.applied.get(digest(home_key), 0) >= stamp",
        "return False",
    ),
    Mutant(
        "no document is read older than the conversation has written it",
        "turn.py",
        "self._documents.read_at_least(seen.get(key, 0), key, self._patience)",
        "self._documents.read_at_least(0, key, self._patience)",
    ),
    Mutant(
        "the user document that was read in advance is not older either",
        "turn.py",
        "prefetched.version >= seen.get(key, 0)",
        "prefetched.version >= 0",
    ),
    Mutant(
        "changes to other documents are conditional on their ETag",
        "turn.py",
        "changed = replace(document.changed_by(change), journal=journal)",
        "changed = replace(document.changed_by(change), journal=journal, e_tag='*')",
    ),
    Mutant(
        "only changed properties are put into other documents",
        "unit_of_work.py",
        "if name not in old or not _same(old[name], new[name])",
        "if name",
    ),
    Mutant(
        "changes to other documents are committed with the turn",
        "attempt.py",
        "writes={key: change for key, (_, change) in self.others.items()},",
        "writes={},",
    ),
    Mutant(
        "what was sent is noted",
        "journal.py",
        'by="", sent=sent,',
        'by="", sent=self._last().sent,',
    ),
    Mutant(
        "what was sent is an absolute count",
        "journal.py",
        'by="", sent=sent,',
        'by="", sent=sent + self._last().sent,',
    ),
    Mutant(
        "nothing is sent before the commit",
        "turn.py",
        "            return await self._documents.write_home(committed)",
        "            await self.deliver(committed)\n"
        "            return await self._documents.write_home(committed)",
    ),
    Mutant(
        "the next turn waits for an unsettled one",
        "leases.py",
        "return TurnState.ABANDONED if is_over or not last.by else TurnState.ONGOING",
        "return TurnState.SETTLED",
    ),
    Mutant(
        "an unsettled turn is taken over only when its lease is over",
        "leases.py",
        "return TurnState.ABANDONED if is_over or not last.by else TurnState.ONGOING",
        "return TurnState.ABANDONED",
    ),
    Mutant(
        "an abandoned turn is taken over some time",
        "leases.py",
        "return TurnState.ABANDONED if is_over or not last.by else TurnState.ONGOING",
        "return TurnState.ONGOING",
    ),
    Mutant(
        "the lease is measured with the observer's own clock",
        "leases.py",
        "is_over = watched_s >= LEASE_S or age_s >= LEASE_S + CLOCK_TOLERANCE_S",
        "is_over = age_s >= LEASE_S",
    ),
    Mutant(
        "a turn is taken over with a fencing write",
        "turn.py",
        "return await self._documents.write_home(replace(home, journal=journal))",
        "return replace(home, journal=journal)",
    ),
    Mutant(
        "nothing is sent after the lease",
        "turn.py",
        "lease_end_s = self._leases.end_s(_last(home).by)",
        "lease_end_s = self._leases.end_s(_last(home).by) + 60",
    ),
    Mutant(
        "a finished turn is settled",
        "turn.py",
        "noted = await self._documents.write_home(noted)",
        "noted = noted",
    ),
    Mutant(
        "settling is conditional on the ETag",
        "turn.py",
        "noted = replace(home, journal=journal)",
        "noted = replace(home, journal=journal, e_tag='*')",
    ),
    Mutant(
        "the home document is never read older than it is known to be",
        "documents.py",
        "self.read_at_least(self._home_version, self._home_key, patience)",
        "self.read_at_least(0, self._home_key, patience)",
    ),
    Mutant(
        "changes are applied in time for the owner to note that replies were sent",
        "turn.py",
        "async with asyncio.timeout(patience.left_s):",
        "async with asyncio.timeout(None):",
    ),
    Mutant(
        "replies to others do not end up in the response to whoever delivers them",
        "delivery.py",
        "self._send(operation.subject)",
        "self._send(operation.subject, self._context.activity.delivery_mode)",
    ),
)


def load(mutant: Mutant, folder: Path) -> Any:
    """Import the mutated package, which is written into the folder."""
    package = f"mutated_turns_{folder.name}"
    target = folder / package
    target.mkdir()
    for source in _SOURCE.glob("*.py"):
        text = source.read_text()
        if source.name == mutant.file:
            if text.count(mutant.snippet) != 1:
                raise AssertionError(f"{text.count(mutant.snippet)} times in {mutant.file}")
            text = text.replace(mutant.snippet, mutant.instead)
        (target / source.name).write_text(text.replace("shared.turns", package))
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(package)
    finally:
        sys.path.remove(str(folder))
