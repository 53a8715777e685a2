"""
What a bell does, and the sweep that rings where a bell is missing.
"""

import logging
from dataclasses import replace

from shared.bells.base import Bell
from shared.errors import BotApplicationError, StateConflict
from shared.turns.backoff import LASTING_FAULTS, Backoff, is_passing
from shared.turns.clock import loop_time_s
from shared.turns.limits import BELL_READ_S, LOOK_S, OWNER_S, POLL_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.ownership import Ownership
from shared.turns.mailbox.ringing import Ringer, Rung
from shared.turns.mailbox.runner import Runner
from shared.turns.process import Process
from shared.turns.state.documents import Documents
from shared.turns.state.journal import OPEN, RESERVED, Journal, digest
from shared.turns.state.stored_document import StoredDocument

_logger = logging.getLogger(__name__)

SWEEP = "sweep"
"""The token of a bell that nobody in particular has rung."""


class Hearing:
    """
    One bell, heard.

    It looks for the owner of the conversation, twice and long enough apart, and becomes the owner
    itself if there is none, or none that has shown a sign of life in between. It keeps what it
    has seen in the bell's message, and needs no other machine's clock.
    """

    def __init__(self, bell: Bell, process: Process) -> None:
        self._bell = bell
        self._process = process
        self._documents = Documents(process.storage, bell.conversation, process.known)
        self._ringer = Ringer(process.bells, bell.conversation, process.chance)
        self._owner = Ownership(
            process.chance.token(), self._documents, self._ringer, process, is_tracked=True
        )
        self._next_bell = Rung("", 0.0)

    async def handle(self) -> None:
        """
        Look after the conversation. The bell is done when this returns.

        Raises:
            BotApplicationError: neither store nor queue can be reached; the queue rings it again.
        """
        try:
            backoff = Backoff(self._process.chance, loop_time_s() + BELL_READ_S)
            home: StoredDocument | None = await self._documents.read_home(backoff)
        except LASTING_FAULTS as error:
            # It would ring for ever; if somebody fixes the document, the sweep finds it.
            _logger.error("A conversation cannot go on: %s", error)
            return
        except Exception as error:
            # Raising would turn the bell into poison while the store cannot be reached.
            _logger.warning("A bell cannot reach the store (%s).", type(error).__name__)
            if await self._ring_again(self._bell.pulse):
                return
            raise
        while home is not None and not home.journal.is_free:
            if self._is_too_early(home.journal) or self._is_refused(home):
                return
            if not self._is_abandoned(home.journal):
                await self._look_later(home.journal)
                return
            home = await self._take_over(home)

    def _is_too_early(self, journal: Journal) -> bool:
        """Whether what was tried in vain has a bell of its own, which rings later."""
        is_another = bool(journal.watch) and self._bell.token not in (journal.watch, SWEEP)
        return journal.is_put_off and is_another

    def _is_abandoned(self, journal: Journal) -> bool:
        return journal.pulse is None or journal.pulse == self._bell.pulse

    async def _look_later(self, journal: Journal) -> None:
        """Remember the owner's sign of life, unless another bell is in charge."""
        is_in_charge = journal.watch in ("", self._bell.token)
        if self._bell.pulse is None or is_in_charge:
            await self._ring_or_raise(journal.pulse)

    async def _ring_or_raise(self, pulse: tuple[str, int] | None) -> None:
        if not await self._ring_again(pulse):
            raise BotApplicationError("The queue did not take the bell again.")

    async def _ring_again(self, pulse: tuple[str, int] | None) -> str:
        return await self._ringer.ring(LOOK_S, self._bell.token, pulse)

    async def _take_over(self, home: StoredDocument) -> StoredDocument | None:
        """
        Become the owner, and do what is left. None: all is done.

        Returns the document as it is now, if another process was faster.
        """
        owner = self._owner
        # Before anything slow: if this process dies, the new bell is all that is left. If the queue
        # does not take it, the present one must do: it comes again if its run does not succeed.
        if not self._next_bell.token:
            self._next_bell = await self._ringer.ring_before_write()
        owner.begin()
        in_charge = self._next_bell.token or self._bell.token
        journal = inbox.taken_over(home.journal, owner.by, in_charge)
        try:
            taken = await self._documents.write(replace(home, journal=journal))
        except LASTING_FAULTS as error:
            # The next bell has been rung, and each sweep rings one more: they end where this is
            # known. Raising would even double them.
            self._process.watch.seconds(self._refusal(home))
            _logger.error("A conversation cannot go on: %s", error)
            return None
        except Exception as error:
            if not is_passing(error):
                raise
            backoff = Backoff(self._process.chance, loop_time_s() + OWNER_S)
            await backoff.pause(error if not isinstance(error, StateConflict) else None)
            taken = await self._documents.read_home(backoff)
            if not owner.owns(taken.journal):
                return taken
        owner.have(taken)
        await self._ringer.ring_again_if_late(self._next_bell)
        self._tell(taken.journal)
        await Runner(owner, self._documents, self._ringer, self._process).go_on()
        if owner.journal.watch == self._bell.token and not owner.journal.is_free:
            # No other one was taken by the queue, and this one ends here.
            await self._ring_or_raise(None)
        return None

    def _is_refused(self, home: StoredDocument) -> bool:
        """Whether the store has lately refused this document from an owner here."""
        is_known = self._process.watch.has_seen(("refused", home.key, home.e_tag))
        return is_known and self._process.watch.has_seen(self._refusal(home))

    def _refusal(self, home: StoredDocument) -> tuple[str, str, str | None, int]:
        """A try, as it is remembered: under a new name when the first one's age has doubled."""
        since_s = self._process.watch.seconds(("refused", home.key, home.e_tag))
        return "refused", home.key, home.e_tag, int(since_s).bit_length()

    def _tell(self, journal: Journal) -> None:
        """What an alert on messages that wait looks for."""
        waits_since_s = [one.at_s for one in journal.inbox[:1]]
        if journal.last is not None:
            waits_since_s.append(journal.last.at_s)
        _logger.warning(
            "turn.waiting conversation=%s age_s=%.1f waiting=%d",
            digest(self._bell.conversation),
            self._process.now_s() - min(waits_since_s, default=self._process.now_s()),
            len(journal.inbox),
        )


async def sweep(process: Process) -> None:
    """
    Ring for every conversation with something unfinished that no bell may know of.

    A fast turn whose process dies before its delivery rings nothing, and a queue may lose sight
    of a bell. What was written a short while ago is left to its own bell; otherwise each sweep
    would double all bells.

    Raises:
        StateError: the store cannot be asked; the next sweep does it.
    """
    for conversation in await process.storage.find((RESERVED, OPEN), LOOK_S + POLL_S):
        ringer = Ringer(process.bells, conversation, process.chance)
        if not await ringer.ring(0.0, SWEEP):
            return
