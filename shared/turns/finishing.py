"""
What follows from a commit: changes to other documents, replies, and the note that all is done.
"""

import logging
from collections.abc import Callable

from botbuilder.schema import Activity

from shared.turns.attempt import Attempt
from shared.turns.both import both
from shared.turns.clock import loop_time_s
from shared.turns.limits import RETRIES_S, SEND_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.lease import HeldLease
from shared.turns.mailbox.ownership import Ownership, held
from shared.turns.mailbox.ringing import Ringer
from shared.turns.process import Process
from shared.turns.remainder import Remainder, remainder_of
from shared.turns.replies.delivery import Channel, DeliveryProgress
from shared.turns.replies.operations import message, read_operations
from shared.turns.replies.reference import trigger_of
from shared.turns.state.changes import Applied, Changes
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal, TurnRecord, digest

_logger = logging.getLogger(__name__)


class Finishing:
    """Finishes the unsettled turn of a conversation that is ours, whoever committed it."""

    def __init__(
        self,
        owner: Ownership,
        documents: Documents,
        ringer: Ringer,
        process: Process,
        channel: Channel | None,
        drags: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Without a channel, replies wait for a process that has one.

        `drags` is told when the delivery takes long, so another process could do the rest.
        """
        self._owner = owner
        self._ringer = ringer
        self._process = process
        self._channel = channel
        self._drags = drags
        self._changes = Changes(documents.home_key, documents, process.documents, process.chance)

    async def finish(self, activity: Activity | None, attempt: Attempt | None) -> None:
        """
        Apply, deliver and settle; or note how far this got, and leave the rest to a bell.

        `activity` is what is answered where the turn itself has said nothing. `attempt` is what
        has been committed, if that was here.

        Raises:
            Overtaken, NotHeld: somebody else finishes the turn.
            TurnDeadlineExceeded: the store cannot be written.
        """
        is_ours = attempt is not None
        while True:
            last = self._owner.journal.unsettled
            if last.writes:
                progress, applied = await both(self.deliver(attempt), self.apply(attempt))
            else:
                # Most turns: no need for two tasks.
                applied, progress = Applied(), await self.deliver(attempt)
            remainder = remainder_of(
                last, progress, applied, self._process.now_s(), self._process.watch
            )
            if remainder.is_nothing:
                await self.settle(last, remainder, is_ours=is_ours)
                return
            if remainder.lost:
                await self._amend(last, remainder, activity)
                attempt = None
                if self._channel is None:
                    return
            elif progress.stuck or applied.pending:
                await self.leave(last, remainder)
                return
            else:
                # Only a renewal failed: the store could not be reached, and the turn is still ours.
                await self._owner.renew(progress)

    # Apply

    async def apply(self, attempt: Attempt | None) -> Applied:
        """Bring the turn's changes to other documents, in time to note what was sent."""
        others = attempt.others if attempt is not None else {}
        bases = {key: base for key, (base, _) in others.items()}
        until_s = loop_time_s() + self._owner.lease_left_s - SEND_S
        return await self._changes.apply(self._owner.journal.unsettled, bases, until_s)

    # Deliver

    async def deliver(self, attempt: Attempt | None) -> DeliveryProgress:
        """Send the replies in order, renewing the lease where it gets short."""
        journal = self._owner.journal
        last = journal.unsettled
        progress = DeliveryProgress(last.sent, last.ids)
        if last.is_delivered or self._channel is None:
            return progress
        operations = attempt.operations if attempt else read_operations(last.replies)
        lease = HeldLease(self._owner, self._ringer, self._drags)
        return await self._channel.deliver(operations, progress, lease, journal.ids)

    # Settle

    async def settle(self, last: TurnRecord, remainder: Remainder, *, is_ours: bool) -> None:
        """
        Note that the turn is finished, and begin the next or leave it to the next owner.

        The log lines that begin with "turn." are what the alert on unsettled turns looks for.
        """

        def settled(journal: Journal) -> Journal:
            done = held(journal).settle(remainder.ids, remainder.versions, self._process.now_s())
            return inbox.onward(done, hands_over=self._owner.hands_over)

        await self._owner.note(
            settled, lambda journal: journal.last is None or journal.last.id != last.id
        )
        if not is_ours:
            age_s = self._process.now_s() - last.stamp / 1000
            _logger.warning("turn.recovered turn=%s age_s=%.1f", digest(last.id), age_s)

    async def leave(self, last: TurnRecord, remainder: Remainder) -> None:
        """Note how far the turn got, so that the next process goes on from there."""
        _logger.warning("turn.unsettled turn=%s", digest(last.id))
        tried = max(0, remainder.fruitless - 1)
        # Before the write: if this process dies in between, another one comes all the same.
        bell = await self._ringer.ring(RETRIES_S[min(tried, len(RETRIES_S) - 1)])

        def left(journal: Journal) -> Journal:
            known = held(journal).expect(remainder.versions, self._process.now_s())
            return inbox.released(
                known,
                bell,
                sent=remainder.sent,
                ids=remainder.ids,
                writes=remainder.writes,
                fruitless=remainder.fruitless,
                fruitless_since_s=remainder.fruitless_since_s,
            )

        await self._owner.note(left, lambda journal: journal.running is None)

    async def _amend(
        self, last: TurnRecord, remainder: Remainder, activity: Activity | None
    ) -> None:
        """
        Let the turn say what of it could not be kept, and forget the changes that say so.

        The notice is committed here, and so it is said exactly once, like every reply.
        """
        said = read_operations([*last.replies, *(last.answer or [])])
        trigger = trigger_of(said, last.trigger) or activity
        texts = self._process.apologies.in_locale(trigger.locale if trigger else None)
        notice = texts.not_kept.format(names=", ".join(remainder.lost_names))
        replies, answer = last.replies, last.answer
        if trigger is None:
            _logger.error("There is nobody to tell that a change is lost.")
        elif answer is not None and not any(o and o.is_invoke_response for o in said):
            answer = [*answer, message(notice, trigger).to_text()]
        else:
            replies = [*replies, message(notice, trigger).to_text()]

        def amended(journal: Journal) -> Journal:
            known = held(journal).expect(remainder.versions, self._process.now_s())
            return inbox.beaten(known).change_last(
                sent=remainder.sent,
                ids=remainder.ids,
                replies=replies,
                answer=answer,
                writes=remainder.writes,
                fruitless=0,
            )

        await self._owner.note(amended)
