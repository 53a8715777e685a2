"""
What becomes of an activity that arrives: run at once, run and claimed, or accepted for later.
"""

import logging
from dataclasses import replace

from botbuilder.schema import ActivityTypes

from shared.errors import (
    InboxFull,
    LogicFailed,
    StateConflict,
    StateNotStorable,
    StateTooLarge,
    TurnDeadlineExceeded,
)
from shared.turns.attempt import Attempt
from shared.turns.backoff import LASTING_FAULTS, Backoff, is_passing
from shared.turns.both import both
from shared.turns.clock import loop_time_s
from shared.turns.identity import TurnIdentity
from shared.turns.limits import INBOX, INBOX_BYTES, LEASE_S, POLL_MAX_S, WAIT_S, WAITING_POLL_MAX_S
from shared.turns.mailbox import inbox
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.claim import Claim, LostRace, OutOfTime, PutOff
from shared.turns.mailbox.ownership import Ownership
from shared.turns.mailbox.ringing import Ringer, Rung
from shared.turns.mailbox.runner import Runner
from shared.turns.process import Process
from shared.turns.replies.operations import message
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal, digest
from shared.turns.state.storable import check_size
from shared.turns.state.stored_document import StoredDocument
from shared.turns.turn import RunEnded, StoreFailed, Turn

_logger = logging.getLogger(__name__)


class Arrival:
    """One request on its way through."""

    def __init__(self, identity: TurnIdentity, caller: Caller, process: Process) -> None:
        self._identity = identity
        self._caller = caller
        self._process = process
        longest_s = WAITING_POLL_MAX_S if caller.waits else POLL_MAX_S
        self._backoff = Backoff(process.chance, caller.deadline_s, longest_s)
        self._documents = Documents(process.storage, identity.home_key, process.known)
        self._ringer = Ringer(process.bells, identity.home_key, process.chance)
        self._turn = Turn(caller.turn_id, caller.context, self._documents, process)
        self._attempts: dict[str, tuple[Ownership, Attempt]] = {}
        """The attempts that this process tried to commit, by name."""
        self._rung: Rung | None = None
        """The bell that was rung for the activity."""

    async def handle(self) -> None:
        """
        Take the activity through; its caller is told when the request can be answered.

        Raises:
            TurnDeadlineExceeded: it found no place in time. Nothing has changed.
            StateError: the store does not let us work, not even for an apology.
        """
        caller = self._caller
        self._turn.name_lines()
        try:
            await caller.enter_line()
            if not caller.is_kept:
                await self._find_a_place()
        except LASTING_FAULTS as error:
            is_committed = caller.is_kept
            if caller.brings_logic and not is_committed:
                raise
            if caller.waits and is_committed:
                raise TurnDeadlineExceeded(
                    "The turn has an answer; deliver the activity again."
                ) from error
            # Without its home document a turn cannot be committed, now or later, so
            # the user hears of it and the activity is not delivered again. What has
            # been committed, the sweep brings to its end when that can be noted.
            _logger.error("A conversation cannot go on: %s", error)
            if caller.context.activity.type == ActivityTypes.message and not is_committed:
                activity = caller.context.activity
                texts = self._process.apologies.in_locale(activity.locale)
                await self._turn.channel.say(message(texts.for_error(error), activity).subject)
        finally:
            caller.leave_line()

    async def _find_a_place(self) -> None:
        """Look at the conversation until the activity is through, or accepted."""
        caller = self._caller
        home, read_ahead = await both(
            self._documents.read_home(self._backoff),
            self._documents.read_ahead(self._identity.user_key),
        )
        while True:
            if caller.is_over and not caller.is_kept:
                raise TurnDeadlineExceeded("The turn found no place; deliver the activity again.")
            journal = home.journal
            has_waited = loop_time_s() - caller.arrived_s >= WAIT_S
            if (by := caller.attempt_in(journal)) is not None:
                is_through = await self._repeat(home, by)
            elif not caller.waits and any(one.id == caller.turn_id for one in journal.inbox):
                is_through = await self._have_a_bell(journal)
            elif journal.is_free and (caller.waits or not has_waited):
                is_through = await self._run(home, read_ahead)
            elif not caller.waits and (has_waited or _is_left(journal)):
                is_through = await self._append(home)
            else:
                is_through = await self._wait_behind(journal)
            if is_through:
                return
            if caller.waits:
                # It has let the others pass, or has owned the conversation and lost it.
                await caller.enter_line()
            home = await self._documents.read_home(self._backoff)
            # While we waited, turns of other conversations may have changed the user's.
            read_ahead = None

    async def _repeat(self, home: StoredDocument, by: str) -> bool:
        """It has been committed: by this request, whose write had no answer, or before."""
        owner, attempt = self._attempts.get(by, (None, None))
        if owner is not None and attempt is not None and owner.owns(home.journal):
            owner.have(home)
            return await self._own(owner, attempt)
        await self._have_a_bell(home.journal)
        if self._caller.may_hear_more(home.journal):
            return await self._wait()
        await self._turn.respond(home.journal, self._caller.former_id, attempt)
        return True

    async def _have_a_bell(self, journal: Journal) -> bool:
        """See to it that somebody looks after what was accepted or committed."""
        if not (journal.is_free or journal.watch):
            await self._ring()
        return True

    async def _wait_behind(self, journal: Journal) -> bool:
        """Wait for an owner, which may be dead. What can be accepted does not wait so long."""
        silent_s = self._process.watch.seconds((self._identity.home_key, journal.pulse))
        if self._caller.waits and silent_s >= LEASE_S:
            await self._have_a_bell(journal)
        return await self._wait()

    async def _wait(self) -> bool:
        """Another owner delivers a fast turn, or runs what this request cannot be put behind."""
        if self._caller.waits:
            # A request that can only wait lets the others pass.
            self._caller.leave_line()
        await self._backoff.pause()
        return False

    # Run

    async def _run(self, home: StoredDocument, read_ahead: StoredDocument | None) -> bool:
        """Run the bot on a free conversation, and claim the conversation if the run takes long."""
        caller = self._caller
        by = self._process.chance.token()
        owner = Ownership(by, self._documents, self._ringer, self._process)
        runner = Runner(owner, self._documents, self._ringer, self._process, caller)
        claim = Claim(
            home,
            caller,
            owner,
            runner.runs,
            self._documents,
            self._ringer,
            self._process,
            self._backoff,
        )
        failure: Exception | None = None
        attempt: Attempt | None = None
        try:
            try:
                attempt = await self._turn.run(home, by, claim.look, read_ahead)
            except PutOff:
                return await self._append(home)
            except OutOfTime as error:
                raise TurnDeadlineExceeded("The turn found no place in time.") from error
            except LostRace:
                _logger.info("turn.raced turn=%s", digest(caller.turn_id))
                return False
            except StoreFailed as error:
                if not claim.is_made and error.__cause__ is not None:
                    raise error.__cause__ from error
                failure = error
            except LogicFailed as error:
                if not claim.is_made:
                    raise
                failure = error
            except RunEnded as error:
                failure = error
            if not claim.is_made and attempt is not None:
                return await self._commit(owner, home, attempt)

            async def ran() -> Attempt:
                if failure is not None or attempt is None:
                    raise failure or AssertionError("the bot has not run")
                return attempt

            async def commit() -> None:
                made = await runner.runs.attempt(ran)
                if made is not None:
                    await runner.commit(self._turn, made, home)

            await runner.go_on(commit)
            return caller.is_answered
        finally:
            self._process.owned.discard(owner)

    async def _commit(self, owner: Ownership, home: StoredDocument, attempt: Attempt) -> bool:
        """Commit a fast turn with the one write that also makes the conversation ours."""
        if attempt.is_idle:
            self._turn.leave_turn_state(attempt)
            return True
        if self._caller.is_over:
            return False
        try:
            written = await self._write(owner, home, attempt)
        except (StateNotStorable, StateTooLarge) as error:
            if self._caller.brings_logic:
                raise
            attempt = self._turn.apology(error, attempt.by, home)
            written = await self._write(owner, home, attempt)
        if written is None:
            return False
        owner.have(written)
        return await self._own(owner, attempt)

    async def _write(
        self, owner: Ownership, home: StoredDocument, attempt: Attempt
    ) -> StoredDocument | None:
        document = self._turn.committed(home, attempt, home, owner.by)
        owner.begin()
        self._caller.may_be_kept = True
        self._attempts[attempt.by] = owner, attempt
        return await self._if_stored(document)

    async def _own(self, owner: Ownership, attempt: Attempt) -> bool:
        """Finish the turn that is committed and ours."""
        runner = Runner(owner, self._documents, self._ringer, self._process, self._caller)
        runner.attempt_of_caller = attempt
        self._caller.have_committed()
        await runner.go_on()
        return self._caller.is_answered

    # Accept

    async def _append(self, home: StoredDocument) -> bool:
        """
        Accept the activity for later, and those behind it; and run the inbox, if nobody does.

        One write takes them all; otherwise a crowd would wait for one write each.
        """
        caller, journal = self._caller, home.journal
        was_free = journal.is_free
        if not journal.watch:
            await self._ring()
        owns = journal.running is None and self._process.may_outlive
        owner = Ownership(
            self._process.chance.token(), self._documents, self._ringer, self._process
        )
        rung = self._rung
        watch, by = rung.token if rung else "", owner.by if owns else None

        def accepting(callers: list[Caller]) -> StoredDocument:
            entries = [one.entry(self._process.now_s()) for one in callers]
            return replace(home, journal=inbox.appended(journal, entries, watch, by))

        accepted = [caller, *self._behind(journal)]
        document = accepting(accepted)
        if not self._has_room(document):
            accepted = [caller]
            document = accepting(accepted)
            if not self._has_room(document):
                raise InboxFull(
                    "Too many messages wait in this conversation; deliver the activity again."
                )
        owner.begin()
        for one in accepted:
            one.may_be_kept = True
        written = await self._if_stored(document)
        if written is None:
            home = await self._documents.read_home(self._backoff)
            if not owner.owns(home.journal):
                return False
            written = home
        owner.have(written)
        if was_free and rung is not None:
            await self._ringer.ring_again_if_late(rung)
            owner.bell = rung.token
        for one in accepted:
            one.keep()
            one.answer()
        if owns:
            runner = Runner(owner, self._documents, self._ringer, self._process)
            await runner.go_on()
        elif journal.running is None:
            await self._ringer.ring_afterwards()
        return True

    def _behind(self, journal: Journal) -> list[Caller]:
        """Those who wait in line in this process, and would have their activities accepted next."""
        known = {self._caller.turn_id, *(one.id for one in journal.inbox)}
        found: list[Caller] = []
        for one in self._process.lines.behind(self._identity.home_key):
            if one.turn_id in known or not one.can_be_accepted_into(journal):
                continue
            known.add(one.turn_id)
            found.append(one)
        return found[: max(0, INBOX - 1 - len(journal.inbox))]

    def _has_room(self, document: StoredDocument) -> bool:
        """Whether the inbox is neither too long, nor too large next to what the bot keeps."""
        waiting = document.journal.inbox
        is_large = len(waiting) > 1 and sum(len(one.activity) for one in waiting) > INBOX_BYTES
        if len(waiting) > INBOX or is_large:
            return False
        try:
            check_size(document, self._documents.encode)
        except StateTooLarge:
            return False
        return True

    async def _ring(self) -> None:
        if self._rung is None or not self._rung.token:
            self._rung = await self._ringer.ring_before_write()

    async def _if_stored(self, document: StoredDocument) -> StoredDocument | None:
        """The document that was written. None: it was not, or nobody knows; look again."""
        try:
            return await self._documents.write(document)
        except Exception as error:
            if not is_passing(error):
                raise
            if isinstance(error, StateConflict):
                _logger.info("turn.raced turn=%s", digest(self._caller.turn_id))
            await self._backoff.pause(error)
            return None


def _is_left(journal: Journal) -> bool:
    """Whether waiting is in vain: what comes first is not a fast turn that is being delivered."""
    is_delivered = journal.last is not None and (journal.running or journal.last.by)
    return bool(journal.inbox) or not is_delivered
