"""
The atomic turn: one activity, handled completely and once, or not at all.

Read from top to bottom: `Turn.complete` is the whole, and the steps follow in its order.
docs/adr/0001-atomic-turns.md has the picture and the reasons.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from botbuilder.core import Bot, Storage, TurnContext

from shared.errors import (
    BotApplicationError,
    DeliveryUncertain,
    StateNotStorable,
    StateTooLarge,
    TurnDeadlineExceeded,
)
from shared.stray_lines import name_turn
from shared.turns.apologies import Apologies, apology
from shared.turns.attempt import Attempt, check_size, run_bot
from shared.turns.backoff import LASTING_FAULTS, STORE_FAULTS, Backoff, is_passing
from shared.turns.clock import loop_time_s
from shared.turns.identity import TurnIdentity
from shared.turns.leases import Leases, TurnState
from shared.turns.limits import SEND_S
from shared.turns.owner import HeldLease, Owner
from shared.turns.process import Process
from shared.turns.remainder import remainder_of
from shared.turns.replies.delivery import Channel, DeliveryProgress
from shared.turns.replies.operations import Operation, read_operations
from shared.turns.state.changes import Applied, Changes
from shared.turns.state.documents import Documents
from shared.turns.state.journal import digest
from shared.turns.state.stored_document import StoredDocument
from shared.turns.state.unit_of_work import UnitOfWork

_logger = logging.getLogger(__name__)


class Turn:
    """The way of one activity through one process."""

    def __init__(
        self,
        identity: TurnIdentity,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        context: TurnContext,
        backoff: Backoff,
        process: Process,
        apologies: Apologies,
    ) -> None:
        self._home_key = identity.home_key
        self._turn_id = identity.turn_id or process.chance.token()
        self._former_id = identity.former_id
        self._create_bot = create_bot
        self._documents = Documents(storage, identity)
        self._context = context
        self._channel = Channel(context)
        self._backoff = backoff
        self._now_s = process.now_s
        self._chance = process.chance
        self._watch = process.watch
        self._apologies = apologies
        self._attempts: dict[str, Attempt] = {}
        self._leases = Leases(process.watch)
        self._owner = Owner(self._documents, self._leases, process.now_s, process.chance)
        self._changes = Changes(
            identity.home_key, self._documents, process.documents, process.chance
        )
        self._prefetched: StoredDocument | None = None
        self._outdated: set[str] = set()
        """Documents that are older than this conversation has written them."""

    async def complete(self) -> None:
        """
        Take the activity through all steps; when this returns, its turn is settled.

        Raises:
            TurnDeadlineExceeded: it found no place in time. Nothing has changed.
            DeliveryUncertain: this turn, or the one before it, could not be finished now.
            StateError: the store does not let us work, not even for an apology.
        """
        name_turn(digest(self._turn_id))
        home = await self.begin()
        while (by := home.journal.attempt_at(self._turn_id, self._former_id)) is None:
            attempt = await self.run(home)
            if attempt.is_idle:
                self._leave_turn_state(attempt)
                return
            committed = await self.commit(home, attempt)
            settled = await self.finish(committed) if committed else None
            home = settled or await self.begin()
        await self.respond(home, by)

    # Begin

    async def begin(self) -> StoredDocument:
        """Read the home document, and see to it that the turn before is settled."""
        home, self._prefetched = await asyncio.gather(
            self._documents.read_home(self._backoff), self._documents.read_user()
        )
        while True:
            last = home.journal.last
            match self._leases.state_of(last):
                case TurnState.SETTLED:
                    return home
                case TurnState.OURS | TurnState.DELIVERED:
                    finished = await self.finish(home)
                case TurnState.ABANDONED:
                    finished = await self.recover(home)
                case TurnState.ONGOING:
                    await self._backoff.pause()
                    finished = None
            home = finished or await self._documents.read_home(self._backoff)
            # While we waited, turns of other conversations may have changed the user's.
            self._prefetched = None

    # Run

    async def run(self, home: StoredDocument) -> Attempt:
        """Run the bot on staged documents; nothing that it does leaves before the commit."""
        seen = {key: seen.version for key, seen in home.journal.seen.items()}

        async def read(key: str) -> StoredDocument:
            document = self._prefetched
            if document is None or document.key != key or document.version < seen.get(key, 0):
                document = await self._documents.read_at_least(seen.get(key, 0), key, self._backoff)
            if document.version < seen.get(key, 0):
                self._outdated.add(key)
            return document

        by = self._chance.token()
        unit = UnitOfWork(home, read)
        try:
            return await run_bot(
                self._create_bot, self._context, by, unit, home.key, self._channel.say
            )
        except Exception as error:
            if unit.failure is not None and _may_pass(unit.failure):
                raise unit.failure from error
            return apology(error, self._context.activity, by, home, self._apologies)

    # Commit

    async def commit(self, home: StoredDocument, attempt: Attempt) -> StoredDocument | None:
        """
        Write state, journal, replies and changes to other documents at once.

        Returns the document as it is now, or None if the write failed: the next begin
        finds out whether it happened.
        """
        try:
            return await self._commit(home, attempt)
        except (StateNotStorable, StateTooLarge) as error:
            sorry = apology(error, self._context.activity, attempt.by, home, self._apologies)
            return await self._commit(home, sorry)

    async def _commit(self, home: StoredDocument, attempt: Attempt) -> StoredDocument | None:
        now_s = self._now_s()
        stamp = home.journal.next_stamp(now_s, attempt.read)
        record = attempt.record(self._turn_id, stamp, now_s)
        journal = home.journal.forget(self._outdated).commit(record, attempt.own, self._home_key)
        committed = replace(
            home,
            properties=attempt.properties,
            journal=journal.with_properties(attempt.properties),
        )
        if not attempt.is_apology:
            # For an apology there is always room: what is left of the limit is for that.
            others = (base.changed_by(one, (stamp, "")) for base, one in attempt.others.values())
            for document in (*others, committed):
                check_size(document)
        self._attempts[attempt.by] = attempt
        self._leases.take(attempt.by)
        return await self._if_stored(self._documents.write_home(committed))

    async def finish(self, home: StoredDocument) -> StoredDocument | None:
        """
        Apply, deliver and settle the last turn.

        Returns the settled document, or None if somebody else finishes the turn.

        Raises:
            DeliveryUncertain: not all of it could be done; a redelivery or the next turn
                goes on from there.
        """
        if self._leases.state_of(home.journal.last) is TurnState.SETTLED:
            return home
        if home.journal.unsettled.writes:
            applied, (home, progress) = await asyncio.gather(self.apply(home), self.deliver(home))
        else:
            # Most turns: no need of two tasks.
            applied, (home, progress) = Applied(), await self.deliver(home)
        return await self.settle(home, applied, progress)

    # Apply

    async def apply(self, home: StoredDocument) -> Applied:
        """Bring the turn's changes to other documents, in time to note what was sent."""
        last = home.journal.unsettled
        attempt = self._attempts.get(last.by)
        bases = {key: base for key, (base, _) in attempt.others.items()} if attempt else {}
        until_s = loop_time_s() + self._leases.left_s(last.by) - SEND_S
        return await self._changes.apply(last, bases, until_s)

    # Deliver

    async def deliver(self, home: StoredDocument) -> tuple[StoredDocument, DeliveryProgress]:
        """
        Send the replies in order, renewing the lease where it gets short.

        Returns how far it came, with the home document as it is by then.
        """
        last = home.journal.unsettled
        progress = DeliveryProgress(last.sent, last.ids)
        if last.is_delivered:
            return home, progress
        attempt = self._attempts.get(last.by)
        operations = attempt.operations if attempt else read_operations(last.replies)
        lease = HeldLease(self._owner, home)
        progress = await self._channel.deliver(operations, progress, lease, home.journal.ids)
        return lease.home, progress

    # Settle

    async def settle(
        self, home: StoredDocument, applied: Applied, progress: DeliveryProgress
    ) -> StoredDocument | None:
        """
        Note that the turn is finished, or how far it came.

        The log lines that begin with "turn." are what the alert on unsettled turns looks for.

        Returns the settled document, or None if the turn is not ours any more.
        """
        last = home.journal.unsettled
        remainder = remainder_of(last, progress, applied, self._now_s(), self._watch)
        if remainder.is_nothing:
            settled = await self._owner.settle(home, remainder)
            if settled and (last.id != self._turn_id or not self._attempts):
                age_s = self._now_s() - last.stamp / 1000
                _logger.warning("turn.recovered turn=%s age_s=%.1f", digest(last.id), age_s)
            return settled
        if remainder.lost:
            notice = self._apologies.not_kept.format(names=", ".join(remainder.lost_names))
            amended = await self._owner.amend(home, remainder, notice, self._context.activity)
            return await self.finish(amended) if amended else None
        _logger.warning("turn.unsettled turn=%s", digest(last.id))
        if await self._owner.leave(home, remainder) is None:
            return None
        raise DeliveryUncertain("The turn is committed, but not finished; deliver it again.")

    # Recover

    async def recover(self, home: StoredDocument) -> StoredDocument | None:
        """Finish an abandoned turn; nothing that its owner still writes counts any more."""
        taken = await self._if_stored(self._owner.take_over(home))
        return await self.finish(taken) if taken else None

    # Respond

    async def respond(self, home: StoredDocument, by: str) -> None:
        """Give the adapter what the HTTP response says, again if it was said before."""
        attempt = self._attempts.get(by)
        texts = home.journal.answer_of(self._turn_id, self._former_id)
        answer: list[Operation | None] = [*(attempt.answer or [])] if attempt else []
        answer += read_operations(texts[len(answer) :])
        if attempt is not None:
            self._leave_turn_state(attempt)
        await self._channel.answer([operation for operation in answer if operation])

    async def _if_stored(self, writing: Awaitable[StoredDocument]) -> StoredDocument | None:
        """The document that was written. None: it was not, or nobody knows; it is worth a look."""
        try:
            return await writing
        except Exception as error:
            if not is_passing(error):
                raise
            await self._backoff.pause(error)
            return None

    def _leave_turn_state(self, attempt: Attempt) -> None:
        self._context.turn_state.update(attempt.turn_state)


def _may_pass(failure: BotApplicationError) -> bool:
    """Tell whether the turn may do better when the activity is delivered again."""
    if isinstance(failure, TurnDeadlineExceeded):
        # Of an error that is none of ours it is better to say that something is wrong.
        return failure.__cause__ is None or isinstance(failure.__cause__, STORE_FAULTS)
    return not isinstance(failure, LASTING_FAULTS)
