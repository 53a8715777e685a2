"""
What the owner of a conversation does: finish the turn that is committed, then run the inbox.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from botbuilder.core import TurnContext

from shared.errors import BotApplicationError, TurnDeadlineExceeded
from shared.turns.attempt import Attempt
from shared.turns.finishing import Finishing
from shared.turns.limits import LEASE_S, LOOKS_WITHOUT_STORE, POLL_MAX_S, TRIES
from shared.turns.mailbox import inbox
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.contexts import Accepted
from shared.turns.mailbox.ownership import NotHeld, Overtaken, Ownership, StateChanged
from shared.turns.mailbox.records import Entry
from shared.turns.mailbox.ringing import Ringer
from shared.turns.mailbox.runs import GivenUp, Runs
from shared.turns.process import Process
from shared.turns.replies.delivery import DeliveryProgress
from shared.turns.replies.operations import read_operations
from shared.turns.replies.reference import activity_text, trigger_of
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal, TurnRecord, digest
from shared.turns.state.stored_document import StoredDocument
from shared.turns.turn import Turn, may_pass

_logger = logging.getLogger(__name__)


class Runner:
    """Does what there is to do in one conversation that is ours."""

    def __init__(
        self,
        owner: Ownership,
        documents: Documents,
        ringer: Ringer,
        process: Process,
        caller: Caller | None = None,
    ) -> None:
        """`caller` waits for one of the turns."""
        self._owner = owner
        self._documents = documents
        self._ringer = ringer
        self._process = process
        self._caller = caller
        self.runs = Runs(owner, ringer, process, caller)
        self.attempt_of_caller: Attempt | None = None
        """The attempt as which the caller's turn has been committed here."""

    async def go_on(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """
        Do all that is left, or as much as one owner may do in a row; `first` before all else.

        When it returns, the conversation is free, has another owner, or is left to a bell.
        """
        owner = self._owner
        self._process.owned.add(owner)
        try:
            while owner.owns(owner.journal):
                step, first = first or self._step, None
                try:
                    await step()
                except (NotHeld, StateChanged):
                    await owner.look()
                await self._answer()
        except Overtaken:
            _logger.info("turn.overtaken by=%s", owner.by)
        except TurnDeadlineExceeded as error:
            _logger.warning(
                "A conversation is left to a bell, as the store cannot be reached: %s", error
            )
        finally:
            self._process.owned.discard(owner)
        await self._answer()
        journal = owner.journal
        if journal.running is None and journal.inbox and not journal.is_put_off:
            await self._ringer.ring_afterwards()

    async def _step(self) -> None:
        journal = self._owner.journal
        if journal.last is not None:
            if not journal.holds_last:
                await self._wait_for_older()
            else:
                await self._finish(journal.last)
        elif journal.inbox:
            await self._run(journal.inbox[0])
        else:
            await self._owner.note(inbox.onward, lambda journal: journal.running is None)

    # The turn that is committed

    async def _wait_for_older(self) -> None:
        """
        Let an earlier version of the app finish its turn, or take it over.

        That version shows that it is alive by a new name in the record, at least once a lease.
        """
        last = self._owner.journal.unsettled
        is_left = not last.by or last.is_delivered
        if is_left or self._process.watch.seconds(last.by) >= LEASE_S:

            def adopted(journal: Journal) -> Journal:
                if journal.last is None or journal.last.by != last.by:
                    # It goes on, or has come to its end, or another of that version goes on.
                    raise NotHeld
                return inbox.adopted(journal)

            await self._owner.note(adopted)
            return
        await asyncio.sleep(POLL_MAX_S)
        await self._owner.look()
        await self._owner.beat_if_due()

    async def _finish(self, last: TurnRecord) -> None:
        """Finish the committed turn, through a context of what it answers."""
        caller = self._caller
        if caller is not None and last.id == caller.turn_id:
            await self.finish(self._turn_of(caller), self.attempt_of_caller)
            return
        if last.is_delivered:
            await self._finishing(None).finish(None, None)
            return

        async def finish(context: TurnContext) -> None:
            await self.finish(Turn(last.id, context, self._documents, self._process), None)

        trigger = trigger_of(read_operations(last.replies), last.trigger)
        accepted = Accepted(
            activity_text(trigger) if trigger else "",
            (trigger and trigger.service_url) or "",
            last.audience,
        )
        await self._in_context(accepted, finish, self._give_up_delivery)

    async def finish(self, turn: Turn, attempt: Attempt | None) -> None:
        """Apply, deliver and settle what is committed."""
        turn.name_lines()
        finishing = self._finishing(turn)
        await finishing.finish(turn.context.activity, attempt)

    def _finishing(self, turn: Turn | None) -> Finishing:
        caller = self._caller
        is_callers = caller is not None and turn is not None and turn.turn_id == caller.turn_id
        return Finishing(
            self._owner,
            self._documents,
            self._ringer,
            self._process,
            turn.channel if turn is not None else None,
            caller.keep if caller is not None and is_callers else lambda: None,
        )

    async def _give_up_delivery(self, error: Exception) -> None:
        """Give up replies that cannot be sent: what is wrong with them will not change."""
        last = self._owner.journal.unsettled
        _logger.error("The replies of a turn are lost (%s).", type(error).__name__)
        await self._owner.renew(DeliveryProgress(len(last.replies), last.ids))

    # The inbox

    async def _run(self, entry: Entry) -> None:
        """Run the head of the inbox, or take it out."""
        caller = self._caller
        is_callers = caller is not None and caller.turn_id == entry.id
        if self._owner.journal.attempt_at(entry.id) is not None:
            # An earlier version of the app, which sees no inbox, has run its redelivery.
            await self.runs.withdraw(entry.id)
            return
        if entry.waits and (caller is None or not is_callers or not caller.is_waiting):
            await self.runs.withdraw(entry.id)
            return
        if caller is not None and is_callers:
            await self.run(self._turn_of(caller), entry)
            return
        if entry.tries > 1:
            _logger.warning("turn.rerun turn=%s try=%d", digest(entry.id), entry.tries)

        async def run(context: TurnContext) -> None:
            await self.run(Turn(entry.id, context, self._documents, self._process), entry)

        async def drop(error: Exception) -> None:
            _logger.error("An accepted activity is lost (%s).", type(error).__name__)
            await self.runs.withdraw(entry.id)

        accepted = Accepted(entry.activity, entry.service_url, entry.audience)
        await self._in_context(accepted, run, drop)

    async def run(self, turn: Turn, entry: Entry) -> None:
        """Run the bot on the head of the inbox, commit, and finish what is committed."""
        base = self._owner.home
        by = self._process.chance.token()
        attempt: Attempt | None
        if entry.tries > TRIES:
            reason = f"{TRIES} runs of it have killed their process."
            attempt = turn.apology(GivenUp(reason), by, base)
        elif entry.failed >= LOOKS_WITHOUT_STORE:
            reason = "A document that it needs cannot be read."
            attempt = turn.apology(GivenUp(reason), by, base)
        elif entry.needs and await self._is_away(entry.needs):
            await self.runs.put_off(entry.needs)
            return
        else:
            attempt = await self.runs.attempt(
                lambda: turn.run(base, by, self.runs.beat_while_running)
            )
        if attempt is not None:
            await self.commit(turn, attempt, base)

    async def _is_away(self, key: str) -> bool:
        """Whether the store may give the document later. If not, the bot gets the error."""
        try:
            await self._documents.read(key)
        except Exception as error:
            return isinstance(error, BotApplicationError) and may_pass(error)
        return False

    async def commit(self, turn: Turn, attempt: Attempt, base: StoredDocument) -> None:
        """Commit what was run on `base`, and finish it. Raises StateChanged as `Runs.commit`."""
        made = await self.runs.commit(turn, attempt, base)
        if made is None:
            return
        if self._caller is not None and turn.turn_id == self._caller.turn_id:
            self.attempt_of_caller = made
            self._caller.have_committed()
        if self._owner.journal.holds_last:
            await self.finish(turn, made)

    # Around both

    def _turn_of(self, caller: Caller) -> Turn:
        return Turn(caller.turn_id, caller.context, self._documents, self._process)

    async def _answer(self) -> None:
        """Answer whoever waits, if the turn is settled, or left to others."""
        caller, journal = self._caller, self._owner.journal
        if caller is None or caller.is_answered:
            return
        is_going_on = self._owner.owns(journal) and (
            journal.last is not None and journal.last.id == caller.turn_id
        )
        if caller.attempt_in(journal) is None or is_going_on or caller.may_hear_more(journal):
            return
        await self._turn_of(caller).respond(journal, caller.former_id, self.attempt_of_caller)
        caller.keep()
        caller.answer()

    async def _in_context(
        self,
        accepted: Accepted,
        logic: Callable[[TurnContext], Awaitable[None]],
        give_up: Callable[[Exception], Awaitable[None]],
    ) -> None:
        """Run `logic` on a context of its own, and give up where there can be none."""
        outcomes: list[Exception | None] = []

        async def begin(context: TurnContext) -> None:
            try:
                await logic(context)
            except Exception as error:
                # An adapter may have a handler of errors, which these are not.
                outcomes.append(error)
            else:
                outcomes.append(None)

        try:
            await self._process.contexts.run(accepted, begin)
        except Exception as error:
            if not outcomes:
                await give_up(error)
                return
        if not outcomes:
            await give_up(RuntimeError("The adapter has not run the turn."))
        elif outcomes[0] is not None:
            raise outcomes[0]
