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
    """The conversation has another owner by now."""


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
        """Run the bot in a conversation that is ours. None: the run has come to nothing."""
        try:
            made = await run()
            if self._is_in_vain():
                raise NobodyWaits
            return made
        except NobodyWaits:
            await self.withdraw(self._owner.journal.inbox[0].id)
        except LogicFailed as error:
            await self._fail(error)
        except BrokenOff:
            if self._is_for_response:
                await self._fail(TurnDeadlineExceeded("The process is about to end; try again."))
            else:
                await self._owner.note(inbox.handed_back, lambda journal: journal.running is None)
        except StoreFailed as error:
            _logger.warning("A turn waits for a document: %s", error.__cause__)
            await self.put_off(error.key)
        except LostIt as error:
            if isinstance(error.__cause__, Exception):
                raise error.__cause__ from error
        return None

    async def commit(self, turn: Turn, attempt: Attempt, base: StoredDocument) -> Attempt | None:
        """
        Commit what was run on `base`, over whatever was appended since.

        Returns what was committed. None: it cannot be, and the caller has been told so.

        Raises:
            StateChanged: a turn was committed since, so the bot has to run again.
        """
        try:
            await self._commit(turn, attempt, base)
        except (StateNotStorable, StateTooLarge) as error:
            if turn.brings_logic:
                await self._fail(error)
                return None
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

    async def put_off(self, needs: str) -> None:
        """Leave the head of the inbox to a bell, until that document can be read."""
        bell = await self._ringer.ring(LOOK_S)
        await self._owner.note(
            lambda journal: inbox.put_off(journal, bell, needs),
            lambda journal: journal.running is None,
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

    @property
    def _is_for_response(self) -> bool:
        """Whether the caller waits for what stands at the head of the inbox."""
        caller, waiting = self._caller, self._owner.journal.inbox
        if caller is None or not caller.waits:
            return False
        return bool(waiting) and waiting[0].id == caller.turn_id

    def _is_in_vain(self) -> bool:
        """Whether what runs is the answer to a request that has ended."""
        return self._is_for_response and self._caller is not None and self._caller.is_over

    async def _fail(self, error: Exception) -> None:
        """Tell the caller that its turn has come to nothing, and take it out."""
        try:
            await self.withdraw(self._owner.journal.inbox[0].id)
        finally:
            if self._caller is not None:
                self._caller.fail(error)
