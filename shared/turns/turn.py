"""
The atomic turn: one activity, handled completely and once, or not at all.

Read from top to bottom: `Turn.happen` is the whole, and the steps follow in its order.
docs/adr/0001-atomic-turns.md has the picture and the reasons.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from botbuilder.core import Bot, Storage, TurnContext

from shared.errors import (
    BotApplicationError,
    DeliveryUncertain,
    StateNotStorable,
    StateTooLarge,
    StateUnreadable,
    TurnDeadlineExceeded,
)
from shared.turns.attempt import Apologies, Attempt, apology, check_size, run_bot
from shared.turns.delivery import Channel, Progress
from shared.turns.documents import Documents
from shared.turns.identity import TurnIdentity
from shared.turns.journal import Change, TurnRecord, digest
from shared.turns.leases import Leases, TurnState
from shared.turns.limits import (
    DELIVERIES,
    DELIVERY_S,
    SEEN_S,
    SEND_S,
    SETTLE_S,
)
from shared.turns.operations import Operation
from shared.turns.stored import Stored
from shared.turns.surroundings import STORE_FAULTS, Patience, Surroundings, loop_time_s
from shared.turns.unit_of_work import UnitOfWork

_logger = logging.getLogger(__name__)


class Turn:
    """The way of one activity through one process."""

    def __init__(
        self,
        identity: TurnIdentity,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        context: TurnContext,
        patience: Patience,
        surroundings: Surroundings,
        apologies: Apologies,
    ) -> None:
        self._home_key = identity.home_key
        self._turn_id = identity.turn_id or surroundings.token()
        self._create_bot = create_bot
        self._documents = Documents(storage, identity)
        self._context = context
        self._channel = Channel(context)
        self._patience = patience
        self._surroundings = surroundings
        self._apologies = apologies
        self._attempts: dict[str, Attempt] = {}
        self._leases = Leases(surroundings)
        self._prefetched: Stored | None = None

    async def happen(self) -> None:
        """
        Take the activity through all steps; when this returns, its turn is settled.

        Raises:
            TurnDeadlineExceeded: it found no place in time. Nothing has changed.
            DeliveryUncertain: this turn, or the one before it, could not be finished now.
            StateTooLarge: it would store too much. Nothing has changed.
            StateError: the store does not let us work.
        """
        home = await self.begin()
        while (by := home.journal.attempt_at(self._turn_id)) is None:
            attempt = await self.run(home)
            if attempt.is_idle:
                self._leave_turn_state(attempt)
                return
            committed = await self.commit(home, attempt)
            settled = await self.finish(committed) if committed else None
            home = settled or await self.begin()
        await self.respond(home, by)

    # Begin

    async def begin(self) -> Stored:
        """Read the home document, and see to it that the turn before is settled."""
        home, self._prefetched = await asyncio.gather(
            self._documents.read_home(self._patience), self._documents.read_user()
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
                    await self._patience.pause()
                    finished = None
            home = finished or await self._documents.read_home(self._patience)
            # While we waited, turns of other conversations may have changed the user's.
            self._prefetched = None

    # Run

    async def run(self, home: Stored) -> Attempt:
        """Run the bot on staged documents; nothing that it does leaves before the commit."""
        oldest_s = self._surroundings.now_s() - SEEN_S
        seen = {
            key: seen.version for key, seen in home.journal.seen.items() if seen.at_s > oldest_s
        }

        async def read(key: str) -> Stored:
            prefetched = self._prefetched
            if prefetched and prefetched.key == key and prefetched.version >= seen.get(key, 0):
                return prefetched
            return await self._documents.read_at_least(seen.get(key, 0), key, self._patience)

        by = self._surroundings.token()
        unit = UnitOfWork(home, read)
        try:
            return await run_bot(
                self._create_bot, self._context, by, unit, home.key, self._channel.say
            )
        except Exception as error:
            if unit.failure is not None and not isinstance(unit.failure, StateUnreadable):
                raise unit.failure from error
            return apology(error, self._context.activity, by, home, self._apologies)

    # Commit

    async def commit(self, home: Stored, attempt: Attempt) -> Stored | None:
        """
        Write state, journal, replies and changes to other documents at once.

        Returns the document as it is now, or None if the write failed: the next begin
        finds out whether it happened.
        """
        try:
            return await self._commit(home, attempt)
        except StateNotStorable as error:
            sorry = apology(error, self._context.activity, attempt.by, home, self._apologies)
            return await self._commit(home, sorry)

    async def _commit(self, home: Stored, attempt: Attempt) -> Stored | None:
        now_s = self._surroundings.now_s()
        record = attempt.record(self._turn_id, home.journal.next_stamp(now_s), now_s)
        committed = replace(
            home, properties=attempt.properties, journal=home.journal.commit(record)
        )
        for document in (*(base.changed_by(c) for base, c in attempt.others.values()), committed):
            check_size(document)
        self._attempts[attempt.by] = attempt
        self._leases.take(attempt.by)
        try:
            return await self._documents.write_home(committed)
        except STORE_FAULTS as error:
            await self._patience.pause(error)
            return None

    async def finish(self, home: Stored) -> Stored | None:
        """
        Apply, deliver and settle the last turn.

        Returns the settled document, or None if somebody else finishes the turn.

        Raises:
            DeliveryUncertain: not all of it could be done; a redelivery or the next turn
                goes on from there.
        """
        if self._leases.state_of(home.journal.last) is TurnState.SETTLED:
            return home
        versions, (home, progress) = await asyncio.gather(self.apply(home), self.deliver(home))
        return await self.settle(home, versions, progress)

    # Apply

    async def apply(self, home: Stored) -> dict[str, int]:
        """
        Bring the turn's changes to other documents. May be repeated, and run twice at once.

        Returns the version that each document has now; those are left out that are not
        known to have their change in time for the owner to note what it did.
        """
        last = _last(home)
        if not last.writes:
            return {}
        patience = Patience(self._surroundings, self._leases.end_s(last.by) - SEND_S)
        attempt = self._attempts.get(last.by)
        bases = {key: base for key, (base, _) in attempt.others.items()} if attempt else {}
        versions = await asyncio.gather(
            *(
                self._apply(change, last.stamp, key, bases.get(key), patience)
                for key, change in last.writes.items()
            )
        )
        return {key: v for key, v in zip(last.writes, versions, strict=True) if v is not None}

    async def _apply(
        self, change: Change, stamp: int, key: str, document: Stored | None, patience: Patience
    ) -> int | None:
        try:
            async with asyncio.timeout(patience.left_s):
                while True:
                    try:
                        document = document or await self._documents.read(key)
                        if document.journal.has_applied(self._home_key, stamp):
                            return document.version
                        journal = document.journal.apply(self._home_key, stamp)
                        changed = replace(document.changed_by(change), journal=journal)
                        return (await self._documents.write(changed)).version
                    except STORE_FAULTS as error:
                        document = None
                        await patience.pause(error)
        except (StateUnreadable, StateTooLarge, StateNotStorable) as error:
            _logger.error("A change to %r is lost: %s", key, error)
            return 0
        except (BotApplicationError, TimeoutError) as error:
            _logger.warning("A change to %r is not applied yet: %s", key, error)
            return None

    # Deliver

    async def deliver(self, home: Stored) -> tuple[Stored, Progress]:
        """
        Send the replies in order, renewing the lease where it gets short.

        Returns how far it came, with the home document as it is by then.
        """
        last = _last(home)
        progress = Progress(last.sent, last.ids)
        if last.is_delivered:
            return home, progress
        attempt = self._attempts.get(last.by)
        operations = (
            attempt.operations if attempt else [Operation.from_text(text) for text in last.replies]
        )
        while True:
            lease_end_s = self._leases.end_s(_last(home).by)
            progress = await self._channel.deliver(
                operations, progress, lease_end_s, home.journal.ids
            )
            if progress.stuck or progress.sent == len(operations):
                return home, progress
            renewed = await self._take_over(home, progress)
            if renewed is None:
                return home, progress
            home = renewed

    # Settle

    async def settle(
        self, home: Stored, versions: dict[str, int], progress: Progress
    ) -> Stored | None:
        """
        Note that the turn is finished, or how far it came.

        The log lines that begin with "turn." are what the alert on unsettled turns looks for.

        Returns the settled document, or None if the turn is not ours any more.
        """
        last = _last(home)
        is_finished = progress.sent == len(last.replies) and versions.keys() == last.writes.keys()
        patience = Patience(self._surroundings, loop_time_s() + SETTLE_S)
        while True:
            now_s = self._surroundings.now_s()
            journal = (
                home.journal.settle(progress.ids, versions, now_s)
                if is_finished
                else home.journal.release(*self._left_over(last, progress), progress.ids)
            )
            noted = replace(home, journal=journal)
            try:
                noted = await self._documents.write_home(noted)
                break
            except STORE_FAULTS as error:
                try:
                    await patience.pause(error)
                    home = await self._documents.read_home(patience)
                except TurnDeadlineExceeded:
                    _logger.warning("turn.unsettled turn=%s (%s)", digest(last.id), error)
                    return noted
                fresh = home.journal.last
                if fresh is None or not self._leases.is_ours(fresh.by) or fresh.is_settled:
                    return None
        if not is_finished:
            _logger.warning("turn.unsettled turn=%s", digest(last.id))
            raise DeliveryUncertain("The turn is committed, but not finished; deliver it again.")
        if last.id != self._turn_id or not self._attempts:
            age_s = now_s - last.stamp / 1000
            _logger.warning("turn.recovered turn=%s age_s=%.1f", digest(last.id), age_s)
        return noted

    def _left_over(self, last: TurnRecord, progress: Progress) -> tuple[int, int]:
        """Where the next delivery begins, and how many were fruitless there."""
        if not progress.stuck:
            return progress.sent, 0
        fruitless = last.fruitless + 1 if progress.sent == last.sent else 1
        age_s = self._surroundings.now_s() - last.stamp / 1000
        if fruitless < DELIVERIES or age_s < DELIVERY_S:
            return progress.sent, fruitless
        _logger.error("A reply is given up after %d deliveries.", fruitless)
        return progress.sent + 1, 0

    # Recover

    async def recover(self, home: Stored) -> Stored | None:
        """Finish an abandoned turn; nothing that its owner still writes counts any more."""
        last = _last(home)
        taken = await self._take_over(home, Progress(last.sent, last.ids))
        return await self.finish(taken) if taken else None

    async def _take_over(self, home: Stored, progress: Progress) -> Stored | None:
        by = self._surroundings.token()
        self._leases.take(by)
        journal = home.journal.take_over(
            by, self._surroundings.now_s(), progress.sent, progress.ids
        )
        try:
            return await self._documents.write_home(replace(home, journal=journal))
        except STORE_FAULTS as error:
            await self._patience.pause(error)
            return None

    # Respond

    async def respond(self, home: Stored, by: str) -> None:
        """Give the adapter what the HTTP response says, again if it was said before."""
        attempt, last = self._attempts.get(by), home.journal.last
        answer: list[Operation] = []
        if attempt is not None:
            answer = attempt.answer or []
            self._leave_turn_state(attempt)
        elif last is not None and last.id == self._turn_id:
            answer = [Operation.from_text(text) for text in last.answer or []]
        await self._channel.answer(answer)

    def _leave_turn_state(self, attempt: Attempt) -> None:
        self._context.turn_state.update(attempt.turn_state)


def _last(home: Stored) -> TurnRecord:
    if home.journal.last is None:
        raise AssertionError("there is no last turn")
    return home.journal.last
