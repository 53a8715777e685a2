"""
Runs of the bot in a conversation that is ours: what may end them, and how they are committed.
"""

import logging
from collections.abc import Awaitable, Callable

from shared.errors import (
    BotApplicationError,
    LogicFailed,
    StateNotStorable,
    StateTooLarge,
    TurnDeadlineExceeded,
)
from shared.turns.attempt import Attempt
from shared.turns.limits import CLAIM_S, LOOK_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.ownership import Overtaken, Ownership, StateChanged
from shared.turns.mailbox.ringing import Ringer
from shared.turns.process import Process
from shared.turns.state.journal import Journal
from shared.turns.state.stored_document import StoredDocument
from shared.turns.turn import RunEnded, StoreFailed, Turn

_logger = logging.getLogger(__name__)


class GivenUp(BotApplicationError):
    """An activity is not run any more; the message says why."""


class NobodyWaits(RunEnded):
    """The response was the answer, and its time is up."""


class BrokenOff(RunEnded):
    """The process is about to be stopped: the next owner runs the activity again."""


class LostIt(RunEnded):
    """The conversation is somebody else's by now."""


class Runs:
    """What an owner does with the head of its inbox."""

    def __init__(
        self, owner: Ownership, ringer: Ringer, process: Process, caller: Caller | None
    ) -> None:
        """`caller` waits for one of the turns."""
        self._owner = owner
        self._ringer = ringer
        self._process = process
        self._caller = caller

    async def attempt(self, run: Callable[[], Awaitable[Attempt]]) -> Attempt | None:
        """Run the bot in a conversation that is ours. None: this was not to be."""
        try:
            return await run()
        except NobodyWaits:
            await self.withdraw(self._owner.journal.inbox[0].id)
        except LogicFailed as error:
            await self.withdraw(self._owner.journal.inbox[0].id)
            if self._caller is not None:
                self._caller.fail(error)
        except BrokenOff:
            await self._owner.note(inbox.handed_back, lambda journal: journal.running is None)
        except StoreFailed as error:
            _logger.warning("A turn waits for a document: %s", error.__cause__)
            bell = await self._ringer.ring(LOOK_S)
            await self._owner.note(
                lambda journal: inbox.put_off(journal, bell),
                lambda journal: journal.running is None,
            )
        except LostIt as error:
            if isinstance(error.__cause__, Exception):
                raise error.__cause__ from error
        return None

    async def commit(self, turn: Turn, attempt: Attempt, base: StoredDocument) -> Attempt:
        """
        Commit what was run on `base`, over whatever was appended since; returns what was committed.

        Raises:
            StateChanged: a turn was committed since, so the bot has to run again.
        """
        try:
            await self._commit(turn, attempt, base)
        except (StateNotStorable, StateTooLarge) as error:
            attempt = turn.apology(error, attempt.by, base)
            await self._commit(turn, attempt, base)
        return attempt

    async def _commit(self, turn: Turn, attempt: Attempt, base: StoredDocument) -> None:
        def change(home: StoredDocument) -> StoredDocument:
            if home.journal.stamp != base.journal.stamp or home.journal.last is not None:
                raise StateChanged
            return turn.committed(
                home, attempt, base, self._owner.by, hands_over=self._owner.hands_over
            )

        await self._owner.write(
            change, lambda journal: journal.attempt_at(turn.turn_id) == attempt.by
        )

    async def withdraw(self, entry_id: str) -> None:
        """Take the head of the inbox out, as if it had not been."""

        def without(journal: Journal) -> Journal:
            if not journal.inbox or journal.inbox[0].id != entry_id:
                return inbox.beaten(journal)
            return inbox.withdrawn(journal, entry_id, hands_over=self._owner.hands_over)

        await self._owner.note(
            without, lambda journal: all(one.id != entry_id for one in journal.inbox)
        )

    async def beat_while_running(self) -> float:
        """What an owner does while its bot runs; it is asked once a second."""
        if self._process.is_leaving:
            raise BrokenOff
        if self._is_in_vain():
            raise NobodyWaits
        stamp = self._owner.journal.stamp
        try:
            await self._owner.beat_if_due()
        except (Overtaken, TurnDeadlineExceeded) as error:
            raise LostIt from error
        if self._owner.journal.stamp != stamp:
            raise LostIt from StateChanged()
        return CLAIM_S

    def _is_in_vain(self) -> bool:
        """Whether what runs is the answer to a request that has ended."""
        caller, waiting = self._caller, self._owner.journal.inbox
        is_over = caller is not None and caller.waits and caller.is_over
        return is_over and bool(waiting) and waiting[0].id == (caller and caller.turn_id)
