"""
Owning a conversation: what its one owner writes, over whatever others have appended meanwhile.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from shared.errors import StateNotStorable, StateTooLarge, TurnDeadlineExceeded
from shared.turns.backoff import Backoff
from shared.turns.clock import loop_time_s
from shared.turns.limits import BEAT_S, CLAIM_S, HAND_OVER_S, LEASE_S, LOOK_S, OWNER_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.ringing import Ringer
from shared.turns.process import Process
from shared.turns.replies.delivery import DeliveryProgress
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal
from shared.turns.state.stored_document import StoredDocument

Edit = Callable[[Journal], Journal]


class Overtaken(Exception):
    """The conversation has another owner by now: say nothing more in it, and store nothing."""


class NotHeld(Exception):
    """An earlier version of the app has taken the unsettled turn over; the rest is still ours."""


class StateChanged(Exception):
    """An earlier version of the app has committed a turn meanwhile: the run has to begin again."""


_ENDS = (
    Overtaken,
    NotHeld,
    StateChanged,
    TurnDeadlineExceeded,
    StateTooLarge,
    StateNotStorable,
)


class Ownership:
    """
    One ownership of a conversation.

    Its holder makes one write at a time. What it writes is conditional on the ETag; where others
    have appended, the same change is made over what they left, and the bot is not run again.
    """

    def __init__(
        self,
        by: str,
        documents: Documents,
        ringer: Ringer,
        process: Process,
        *,
        is_tracked: bool = False,
    ) -> None:
        self.by = by
        self.is_tracked = is_tracked
        """The host knows that somebody is at work here."""
        self.bell = ""
        """A bell that was rung and may be in charge from the owner's next write on."""
        self._documents = documents
        self._ringer = ringer
        self._process = process
        self._home: StoredDocument | None = None
        self._since_s = self._held_since_s = self._began_s = loop_time_s()

    @property
    def home(self) -> StoredDocument:
        """The home document as the owner knows it."""
        if self._home is None:
            raise AssertionError("nothing is owned yet")
        return self._home

    @property
    def journal(self) -> Journal:
        return self.home.journal

    @property
    def lease_ends_s(self) -> float:
        """Until when the owner may send without writing again, by the event loop's clock."""
        return self._held_since_s + LEASE_S

    @property
    def lease_left_s(self) -> float:
        """For how many seconds that is."""
        return self.lease_ends_s - loop_time_s()

    @property
    def hands_over(self) -> bool:
        """Whether what stands in the inbox is left to the next owner."""
        has_had_its_time = loop_time_s() - self._since_s > HAND_OVER_S
        return has_had_its_time or self._process.is_leaving

    def owns(self, journal: Journal) -> bool:
        """Whether the conversation is still this owner's."""
        return journal.running is not None and journal.running.by == self.by

    def begin(self) -> None:
        """Count the lease from now: before the write that makes the conversation ours."""
        self._began_s = loop_time_s()

    def have(self, home: StoredDocument, since_s: float | None = None) -> None:
        """Take note of the document as it is stored. The write began then, else at `begin`."""
        self._home = home
        self._held_since_s = self._began_s if since_s is None else since_s

    async def note(self, edit: Edit, done: Callable[[Journal], bool] | None = None) -> None:
        """Do what `write` does, with a change to the journal alone."""
        await self.write(lambda home: replace(home, journal=edit(home.journal)), done)

    async def write(
        self,
        change: Callable[[StoredDocument], StoredDocument],
        done: Callable[[Journal], bool] | None = None,
        until_s: float | None = None,
    ) -> None:
        """
        Write the home document as `change` makes it, until the store has taken it.

        `done` tells whether a document has the change already: its answer may have been lost.

        Raises:
            Overtaken: the conversation is not ours any more.
            TurnDeadlineExceeded: the store has not taken it by then.
            StateTooLarge, StateNotStorable: it never will.
        """
        fresh: StoredDocument | None = self.home
        began_s = first_s = loop_time_s()
        backoff = Backoff(self._process.chance, until_s or first_s + OWNER_S)
        while True:
            try:
                if fresh is None:
                    fresh = await self._documents.read_home(backoff)
                    journal = fresh.journal
                    is_done = done is not None and done(journal)
                    if is_done and (self.owns(journal) or journal.running is None):
                        self.have(fresh, first_s)
                        return
                    # Even if the change is found done: what follows is not ours to do.
                    self._home = fresh
                if not self.owns(fresh.journal):
                    raise Overtaken
                self.have(await self._documents.write(self._watched(change(fresh))), began_s)
                return
            except _ENDS:
                raise
            except Exception as error:
                # Whatever it is: what has happened must be noted, if it can be.
                fresh = None
                await backoff.pause(error)
                began_s = loop_time_s()

    async def look(self) -> None:
        """Read the home document again. Raises Overtaken if it is not ours any more."""
        backoff = Backoff(self._process.chance, loop_time_s() + OWNER_S)
        self._home = await self._documents.read_home(backoff)
        if not self.owns(self.journal):
            raise Overtaken

    async def beat_if_due(self) -> None:
        """Show that the owner is alive, and have a bell in charge."""
        if loop_time_s() - self._held_since_s < BEAT_S - CLAIM_S / 2:
            return
        if not (self.journal.watch or self.bell):
            self.bell = await self._ringer.ring(LOOK_S, tries=1)
        await self.note(inbox.beaten)

    async def renew(self, progress: DeliveryProgress, limit_s: float = OWNER_S) -> None:
        """Hold the unsettled turn for another lease, and note how far its delivery is."""

        def renewed(home: StoredDocument) -> StoredDocument:
            journal = inbox.beaten(held(home.journal))
            return replace(home, journal=journal.change_last(sent=progress.sent, ids=progress.ids))

        await self.write(renewed, until_s=loop_time_s() + limit_s)

    def _watched(self, home: StoredDocument) -> StoredDocument:
        journal = home.journal
        if not self.bell or journal.watch or journal.running is None:
            # The owner that leaves the turn knows its bell; this one may be gone by then.
            return home
        return replace(home, journal=msgspec.structs.replace(journal, watch=self.bell))


def held(journal: Journal) -> Journal:
    """The journal, if its unsettled turn is its owner's. Raises NotHeld if it is not."""
    if not journal.holds_last:
        raise NotHeld
    return journal
