"""
The atomic turn: one activity, handled completely and once, or not at all.

Its steps: `run` lets the bot decide what is to happen, `committed` is the document that makes it
so with one write, `shared.turns.finishing` does what follows from it, and `respond` answers. Who
may take them, and when, is the mailbox's to say.
docs/adr/0001-atomic-turns.md has the picture and the reasons.
"""

from dataclasses import replace
from typing import Any

import msgspec
from botbuilder.core import BotAdapter, TurnContext

from shared.errors import BotApplicationError, LogicFailed, TurnDeadlineExceeded
from shared.stray_lines import name_turn
from shared.turns.apologies import apology
from shared.turns.attempt import Attempt, run_bot
from shared.turns.backoff import LASTING_FAULTS, STORE_FAULTS, Backoff
from shared.turns.clock import loop_time_s
from shared.turns.limits import ANSWER_S
from shared.turns.mailbox import inbox
from shared.turns.pipeline import LOGIC_KEY
from shared.turns.process import Process
from shared.turns.replies.delivery import Channel
from shared.turns.replies.operations import Operation, Verb, read_operations
from shared.turns.replies.reference import reference_text
from shared.turns.replies.typing import TypingIndicator
from shared.turns.running import Meanwhile
from shared.turns.state.documents import Documents
from shared.turns.state.journal import Journal, digest
from shared.turns.state.storable import check_size, is_small
from shared.turns.state.stored_document import StoredDocument
from shared.turns.state.unit_of_work import UnitOfWork


class StoreFailed(Exception):
    """The bot needs a document that cannot be read now; it is not at fault, and may run later."""

    def __init__(self, key: str) -> None:
        super().__init__("A document that the bot needs cannot be read.")
        self.key = key


class RunEnded(Exception):
    """The caller that asked for the run has ended it."""


class Turn:
    """One activity, with a turn context to run the bot on and to speak through."""

    def __init__(
        self, turn_id: str, context: TurnContext, documents: Documents, process: Process
    ) -> None:
        self.turn_id = turn_id
        self.context = context
        self.channel = Channel(context)
        self.brings_logic = LOGIC_KEY in context.turn_state
        """Something runs instead of the bot, which cannot be stored."""
        self._documents = documents
        self._process = process
        self._outdated: set[str] = set()
        """Documents that the store shows older than this conversation has written them."""

    @property
    def audience(self) -> str:
        """The OAuth scope of the sender of the activity."""
        return audience_of(self.context)

    def name_lines(self) -> None:
        """Say that what this task logs from now on is about this turn."""
        name_turn(digest(self.turn_id))

    # Run

    async def run(
        self,
        home: StoredDocument,
        by: str,
        meanwhile: Meanwhile,
        read_ahead: StoredDocument | None = None,
    ) -> Attempt:
        """
        Run the bot on staged documents; nothing that it does leaves before the commit.

        `by` is the attempt's name, and `read_ahead` a document that was read together with `home`.

        Raises:
            StoreFailed: the bot is not at fault.
            LogicFailed: what runs instead of the bot has raised.
            RunEnded: `meanwhile` raised it, or a subclass of it.
        """
        seen = {key: seen.version for key, seen in home.journal.seen.items()}

        async def read(key: str) -> StoredDocument:
            document = read_ahead
            if document is None or document.key != key or document.version < seen.get(key, 0):
                backoff = Backoff(self._process.chance, loop_time_s() + ANSWER_S)
                document = await self._documents.read_at_least(seen.get(key, 0), key, backoff)
            if document.version < seen.get(key, 0):
                self._outdated.add(key)
            return document

        self.name_lines()
        unit = UnitOfWork(home, read, self._documents.encode)
        typing = TypingIndicator(self.context, self.channel)

        async def look() -> float:
            pause_s = await meanwhile()
            # Only now: a run that loses the race for the claim would type when all is said.
            typing.show()
            return pause_s

        try:
            attempt = await run_bot(
                self._process.create_pipeline, self.context, by, unit, home.key, typing.say, look
            )
        except RunEnded:
            raise
        except Exception as error:
            if unit.failure is not None and may_pass(unit.failure):
                raise StoreFailed(unit.missing) from unit.failure
            if self.brings_logic:
                # The caller that asked for the turn is told, and not the user.
                raise LogicFailed(
                    "The logic that the turn was to run has failed: see the cause of this error."
                ) from error
            attempt = self.apology(error, by, home)
        await typing.end()
        return attempt

    def apology(self, error: Exception, by: str, home: StoredDocument) -> Attempt:
        """The attempt that stands in for one that failed."""
        trigger = self.context.activity
        texts = self._process.apologies.in_locale(trigger.locale)
        return apology(error, trigger, by, home, texts)

    # Commit

    def committed(
        self,
        home: StoredDocument,
        attempt: Attempt,
        base: StoredDocument,
        owner: str,
        *,
        hands_over: bool = False,
    ) -> StoredDocument:
        """
        The home document with the turn in it: state, journal, replies and changes to others.

        `base` is the document that the bot ran on. What turns of other conversations have changed
        in it since stays.

        Raises:
            StateTooLarge, StateNotStorable: the store would not take it.
        """
        now_s = self._process.now_s()
        stamp = home.journal.next_stamp(now_s, attempt.read)
        record = msgspec.structs.replace(
            attempt.record(self.turn_id, stamp, now_s), **self._way_back(attempt)
        )
        properties, own = attempt.properties, attempt.own
        values_bytes = attempt.staged_bytes if home is base else None
        if own is None:
            properties = home.properties
        elif home.journal.stamps != base.journal.stamps:
            mark = (stamp, digest(home.key))
            own = home.journal.later_part(own, mark)
            properties = home.changed_by(own, mark).properties
        journal = inbox.committed(
            home.journal.forget(self._outdated),
            record,
            own,
            home.key,
            owner,
            hands_over=hands_over,
        )
        document = replace(home, properties=properties, journal=journal.with_properties(properties))
        if not attempt.is_apology:
            # There is always room for an apology: the rest of the limit is kept for it.
            others = (base.changed_by(one, (stamp, "")) for base, one in attempt.others.values())
            for one in (*others, document):
                if values_bytes is None or not is_small(one, values_bytes):
                    check_size(one, self._documents.encode)
        return document

    def _way_back(self, attempt: Attempt) -> dict[str, Any]:
        """What is needed to finish the turn without its request, and is not in its replies."""
        if not (attempt.operations or attempt.others):
            return {}
        is_in_replies = any(operation.verb is Verb.SEND for operation in attempt.operations)
        trigger = "" if is_in_replies else reference_text(self.context.activity)
        return {"trigger": trigger, "audience": self.audience}

    # Respond

    async def respond(
        self, journal: Journal, former_id: str | None, attempt: Attempt | None
    ) -> None:
        """Give the adapter what the HTTP response says, again if it was said before."""
        texts = journal.answer_of(self.turn_id, former_id)
        answer: list[Operation | None] = [*(attempt.answer or [])] if attempt else []
        answer += read_operations(texts[len(answer) :])
        if attempt is not None:
            self.leave_turn_state(attempt)
        await self.channel.answer([operation for operation in answer if operation])

    def leave_turn_state(self, attempt: Attempt) -> None:
        """Let the adapter's middleware find what the bot has left in its turn context."""
        self.context.turn_state.update(attempt.turn_state)


def audience_of(context: TurnContext) -> str:
    """The OAuth scope of the sender of a context's activity."""
    scope = context.turn_state.get(BotAdapter.BOT_OAUTH_SCOPE_KEY)
    return scope if isinstance(scope, str) else ""


def may_pass(failure: BotApplicationError) -> bool:
    """Tell whether a turn that needs what could not be read may do better later."""
    if isinstance(failure, TurnDeadlineExceeded):
        # After an error that is not one of ours, it is better to say that something is wrong.
        return failure.__cause__ is None or isinstance(failure.__cause__, STORE_FAULTS)
    return not isinstance(failure, LASTING_FAULTS)
