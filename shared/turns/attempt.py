"""
One run of the bot, and everything that it would like to happen.
"""

import logging
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import msgspec
from botbuilder.core import Bot, Storage, TurnContext
from botbuilder.core.bot_state import CachedBotState
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from shared import telemetry
from shared.errors import BotApplicationError, StateNotStorable, StateTooLarge, StateUnreadable
from shared.turns.journal import Change, Document, TurnRecord
from shared.turns.limits import DOCUMENT_BYTES
from shared.turns.operations import Operation, Verb, failed_invoke, message
from shared.turns.outbox import BufferingAdapter, Outbox
from shared.turns.stored import Stored
from shared.turns.unit_of_work import UnitOfWork
from shared.wire import to_wire

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Apologies:
    """What a user is told when a turn cannot be what it should be."""

    bot_failed: str = "Sorry, something went wrong here. Please try again."
    state_unreadable: str = "Sorry, what I remember about you could not be read."


@dataclass(frozen=True)
class Attempt:
    """What one run of the bot wants to say and to store."""

    by: str
    """Its token."""
    operations: list[Operation]
    """For the channel."""
    answer: list[Operation] | None
    """For the HTTP response. None: the response says nothing."""
    properties: Document
    """The new ones of the home document."""
    others: dict[str, tuple[Stored, Change]]
    """Changes to other documents, each with what it is based on."""
    turn_state: dict[Any, Any]
    """What the bot left in its turn context for middleware."""
    is_idle: bool
    """Nothing was said and nothing was changed."""

    def record(self, turn_id: str, stamp: int, now_s: float) -> TurnRecord:
        """The attempt as it is committed."""
        return TurnRecord(
            id=turn_id,
            by=self.by,
            at_s=now_s,
            stamp=stamp,
            replies=[operation.to_text() for operation in self.operations],
            keeps_ids=self._keeps_ids(),
            writes={key: change for key, (_, change) in self.others.items()},
            answer=None if self.answer is None else [o.to_text() for o in self.answer],
        )

    def _keeps_ids(self) -> bool:
        if not self.operations:
            return False
        stored = [self.properties, *(change.put for _, change in self.others.values())]
        return f"{self.by}.".encode() in as_json(stored)


async def run_bot(
    create_bot: Callable[[Storage], Bot],
    context: TurnContext,
    by: str,
    unit: UnitOfWork,
    home_key: str,
    send_typing: Callable[[Activity], Awaitable[None]],
) -> Attempt:
    """
    Run the bot on a turn context of its own.

    Raises whatever the bot raises.
    """
    outbox = Outbox(by)
    # A bot may change its activity (strip a mention, say); a rerun gets it as it came.
    inner = TurnContext(
        BufferingAdapter(context.adapter, outbox, send_typing), deepcopy(context.activity)
    )
    inner.turn_state.update(without_cached_state(context.turn_state))
    for name, service in context.services.items():
        inner.set(name, service)
    try:
        await create_bot(unit).on_turn(inner)
    finally:
        outbox.close()
    # With expectReplies the SDK's turn context keeps replies itself, and asks no adapter.
    kept = [Operation(Verb.SEND, reply) for reply in inner.buffered_reply_activities]
    operations, answer = _split(outbox.operations)
    if context.activity.delivery_mode == DeliveryModes.expect_replies:
        answer = kept
    changes = unit.changes()
    is_idle = not (operations or answer or changes)
    changes.pop(home_key, None)
    turn_state = without_cached_state(inner.turn_state)
    return Attempt(by, operations, answer, unit.staged(home_key), changes, turn_state, is_idle)


def apology(
    error: Exception, trigger: Activity, by: str, home: Stored, texts: Apologies
) -> Attempt:
    """The attempt that stands in for one that failed: nothing changes, the user is told."""
    # What an error of the bot's says may quote the user, so it stays out of the log.
    ours = isinstance(error, BotApplicationError)
    reason = str(error) if ours else telemetry.describe(error)
    _logger.error("The bot failed at activity %s: %s", trigger.id, reason)
    if trigger.type == ActivityTypes.invoke:
        operations = [failed_invoke(trigger)]
    else:
        unreadable = isinstance(error, StateUnreadable)
        text = texts.state_unreadable if unreadable else texts.bot_failed
        operations = [message(text, trigger)]
    said, answer = _split(operations)
    if trigger.delivery_mode == DeliveryModes.expect_replies:
        said, answer = [], operations
    return Attempt(by, said, answer, home.properties, {}, {}, is_idle=False)


def check_size(document: Stored) -> None:
    """
    Refuse a document that the store would not take.

    Raises:
        StateTooLarge: forget something, or keep it elsewhere.
        StateNotStorable: the document has no end, or keys that are not text.
    """
    size = len(as_json([document.properties, document.journal.to_json()]))
    if size > DOCUMENT_BYTES:
        raise StateTooLarge(
            f"The document {document.key!r} would have {size:,} bytes, and at most "
            f"{DOCUMENT_BYTES:,} can be stored. Keep less in it, or say less in one turn."
        )


def as_json(value: Any) -> bytes:
    """About the text that a value has when it is stored."""
    try:
        return msgspec.json.encode(value, enc_hook=to_wire)
    except (TypeError, ValueError, RecursionError) as error:
        raise StateNotStorable(f"A value cannot be stored ({type(error).__name__}).") from error


def without_cached_state(turn_state: dict[Any, Any]) -> dict[Any, Any]:
    """What a turn context carries beside state: every attempt reads that anew."""
    return {
        key: value for key, value in turn_state.items() if not isinstance(value, CachedBotState)
    }


def _split(operations: list[Operation]) -> tuple[list[Operation], list[Operation] | None]:
    """Operations for the channel, and those that are the answer to an invoke."""
    answer = [o for o in operations if _is_invoke_response(o)]
    return [o for o in operations if not _is_invoke_response(o)], answer or None


def _is_invoke_response(operation: Operation) -> bool:
    return operation.verb is Verb.SEND and operation.subject.type == ActivityTypes.invoke_response
