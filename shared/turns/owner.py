"""
What the owner of a committed turn writes into the home document: nobody else may, until it is
silent for as long as its lease.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from botbuilder.schema import Activity

from shared.errors import DeliveryUncertain, TurnDeadlineExceeded
from shared.turns.backoff import Backoff
from shared.turns.chance import Chance
from shared.turns.clock import Clock, loop_time_s
from shared.turns.leases import Leases
from shared.turns.limits import SEND_S, SETTLE_S
from shared.turns.remainder import Remainder
from shared.turns.replies.delivery import DeliveryProgress
from shared.turns.replies.operations import Operation, Verb, message, read_operations
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal, digest
from shared.turns.state.stored_document import StoredDocument

_logger = logging.getLogger(__name__)


class Owner:
    """One activity on its way through, as the owner of its conversation's last turn."""

    def __init__(self, documents: Documents, leases: Leases, now_s: Clock, chance: Chance) -> None:
        self._documents = documents
        self._leases = leases
        self._now_s = now_s
        self._chance = chance

    def lease_left_s(self, home: StoredDocument) -> float:
        """For how many seconds the turn is still ours."""
        return self._leases.left_s(home.journal.unsettled.by)

    async def take_over(self, home: StoredDocument) -> StoredDocument:
        """
        Become the owner of a turn that was left behind.

        Raises what a write raises.
        """
        last = home.journal.unsettled
        journal = self._taken(home.journal, DeliveryProgress(last.sent, last.ids))
        return await self._documents.write_home(replace(home, journal=journal))

    async def renew(
        self, home: StoredDocument, progress: DeliveryProgress
    ) -> StoredDocument | None:
        """Stay the owner for another lease. None: we are not any more, or cannot tell."""
        until_s = loop_time_s() + max(self.lease_left_s(home), SEND_S)
        try:
            return await self._note(home, lambda one: self._taken(one, progress), until_s)
        except TurnDeadlineExceeded:
            return None

    async def settle(self, home: StoredDocument, remainder: Remainder) -> StoredDocument | None:
        """Note that everything has happened; None: the turn is not ours any more."""

        def settled(journal: Journal) -> Journal:
            return journal.settle(remainder.ids, remainder.versions, self._now_s())

        try:
            return await self._note(home, settled, loop_time_s() + SETTLE_S)
        except TurnDeadlineExceeded as error:
            # The request is answered with 200, since everything has happened. But whoever
            # comes next cannot know that, and sends the replies again.
            cause = type(error.__cause__).__name__
            _logger.warning("turn.unsettled turn=%s (%s)", digest(home.journal.unsettled.id), cause)
            return replace(home, journal=settled(home.journal))

    async def leave(self, home: StoredDocument, remainder: Remainder) -> StoredDocument | None:
        """
        Note how far the turn came, so that whoever comes next goes on from there.

        None: the turn is not ours any more.
        """

        def left(journal: Journal) -> Journal:
            return journal.expect(remainder.versions, self._now_s()).change_last(
                by="",
                sent=remainder.sent,
                ids=remainder.ids,
                writes=remainder.writes,
                fruitless=remainder.fruitless,
                fruitless_since_s=remainder.fruitless_since_s,
            )

        return await self._note_or_doubt(home, left)

    async def amend(
        self, home: StoredDocument, remainder: Remainder, notice: str, activity: Activity
    ) -> StoredDocument | None:
        """
        Let the turn say what of it could not be kept, and forget the changes that say so.

        The notice is committed here, and so it is said exactly once, like every reply.
        `activity` is what is answered where the turn itself has said nothing. None: the turn
        is not ours any more.
        """
        last = home.journal.unsettled
        said = read_operations([*last.replies, *(last.answer or [])])
        text = message(notice, _trigger(said) or activity).to_text()
        is_in_answer = last.answer is not None and not any(o and o.is_invoke_response for o in said)

        def amended(journal: Journal) -> Journal:
            known = journal.expect(remainder.versions, self._now_s())
            return self._taken(known, DeliveryProgress(remainder.sent, remainder.ids)).change_last(
                replies=last.replies if is_in_answer else [*last.replies, text],
                answer=[*(last.answer or []), text] if is_in_answer else last.answer,
                writes=remainder.writes,
                fruitless=0,
            )

        return await self._note_or_doubt(home, amended)

    def _taken(self, journal: Journal, progress: DeliveryProgress) -> Journal:
        # Anew each time: others measure the lease by how long they see this name.
        by = self._chance.token()
        self._leases.take(by)
        now_s = self._now_s()
        return journal.change_last(by=by, at_s=now_s, sent=progress.sent, ids=progress.ids)

    async def _note_or_doubt(
        self, home: StoredDocument, edit: Callable[[Journal], Journal]
    ) -> StoredDocument | None:
        """Do what `_note` does; where it cannot, the turn is known to be unfinished."""
        try:
            return await self._note(home, edit, loop_time_s() + SETTLE_S)
        except TurnDeadlineExceeded as error:
            raise DeliveryUncertain("The turn is committed, but not finished.") from error

    async def _note(
        self, home: StoredDocument, edit: Callable[[Journal], Journal], until_s: float
    ) -> StoredDocument | None:
        """
        Write the journal as `edit` makes it, again until the store has taken it.

        None: the turn is not ours any more, or settled.

        Raises:
            TurnDeadlineExceeded: the store has not taken it by then.
        """
        backoff = Backoff(self._chance, until_s)
        fresh: StoredDocument | None = home
        while True:
            try:
                fresh = fresh or await self._documents.read_home(backoff)
                last = fresh.journal.last
                if fresh is not home and (last is None or not self._leases.is_ours(last.by)):
                    return None
                noted = replace(fresh, journal=edit(fresh.journal))
                return await self._documents.write_home(noted)
            except TurnDeadlineExceeded:
                raise
            except Exception as error:
                # Whatever it is: what has happened must be noted, if it can be.
                fresh = None
                await backoff.pause(error)


class HeldLease:
    """The lease on a turn, with the home document that says so."""

    def __init__(self, owner: Owner, home: StoredDocument) -> None:
        self._owner = owner
        self.home = home

    @property
    def left_s(self) -> float:
        """For how many more seconds."""
        return self._owner.lease_left_s(self.home)

    async def renew(self, progress: DeliveryProgress) -> bool:
        """Take it again from now, and note how far the delivery is. False: it is lost."""
        renewed = await self._owner.renew(self.home, progress)
        self.home = renewed or self.home
        return renewed is not None


def _trigger(said: list[Operation | None]) -> Activity | None:
    """As much as must be known of the activity that a turn answers, if it has sent something."""
    for operation in said:
        if operation is not None and operation.verb is Verb.SEND:
            reply = operation.subject
            return Activity(
                id=reply.reply_to_id,
                from_property=reply.recipient,
                recipient=reply.from_property,
                conversation=reply.conversation,
                channel_id=reply.channel_id,
                service_url=reply.service_url,
                locale=reply.locale,
            )
    return None
