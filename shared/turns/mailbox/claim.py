"""
Claiming a conversation for a turn that takes long.
"""

from dataclasses import replace

from shared.errors import TurnDeadlineExceeded
from shared.turns.backoff import Backoff, is_passing
from shared.turns.limits import CLAIM_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.ownership import Ownership
from shared.turns.mailbox.ringing import Ringer
from shared.turns.mailbox.runs import Runs
from shared.turns.process import Process
from shared.turns.state.documents import Documents
from shared.turns.state.stored_document import StoredDocument
from shared.turns.turn import RunEnded


class LostRace(RunEnded):
    """Another instance was faster: the run is cancelled, as if it had never been."""


class PutOff(RunEnded):
    """The activity is to be accepted without running it here."""


class OutOfTime(RunEnded):
    """The store did not let us claim the conversation before the request had to be answered."""


class Claim:
    """
    What is done while a bot runs on a free conversation.

    Until the claim is stored, another instance may commit first, and this run counts for nothing.
    Once it is stored, no other process runs the activity, unless this one falls silent.
    """

    def __init__(
        self,
        base: StoredDocument,
        caller: Caller,
        owner: Ownership,
        runs: Runs,
        documents: Documents,
        ringer: Ringer,
        process: Process,
        backoff: Backoff,
    ) -> None:
        """`base` is the document that the bot runs on, and `backoff` ends with the request."""
        self.is_made = False
        self._base = base
        self._caller = caller
        self._owner = owner
        self._runs = runs
        self._documents = documents
        self._ringer = ringer
        self._process = process
        self._backoff = backoff

    async def look(self) -> float:
        """Claim the conversation, and then show that its owner is alive: see `Meanwhile`."""
        if self.is_made:
            return await self._runs.beat_while_running()
        if not (self._process.may_outlive or self._caller.waits):
            raise PutOff
        try:
            await self._make()
        except TurnDeadlineExceeded as error:
            raise OutOfTime from error
        return CLAIM_S

    async def _make(self) -> None:
        rung = await self._ringer.ring_before_write()
        entry = self._caller.entry(self._process.now_s())
        journal = inbox.claimed(self._base.journal, entry, self._owner.by)
        claim = replace(self._base, journal=journal)
        self._caller.may_be_kept = True
        while True:
            self._owner.begin()
            claimed = await self._try(claim)
            if claimed is not None:
                break
        self._owner.have(claimed)
        self._process.owned.add(self._owner)
        await self._ringer.ring_again_if_late(rung)
        # Only a later write says that it is in charge: it may have come before this one.
        self._owner.bell = rung.token
        self.is_made = True
        self._caller.keep()

    async def _try(self, claim: StoredDocument) -> StoredDocument | None:
        """Write it once. None: it may be tried again."""
        try:
            return await self._documents.write(claim)
        except Exception as error:
            if not is_passing(error):
                raise
            failure = error
        home = await self._documents.read_home(self._backoff)
        if self._owner.owns(home.journal):
            return home
        if home.e_tag != self._base.e_tag:
            raise LostRace
        await self._backoff.pause(failure)
        return None
