"""
One run of the bot, and everything that it would like to happen.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import msgspec
from botbuilder.core import Bot, Storage, TurnContext
from botbuilder.core.bot_state import CachedBotState
from botbuilder.schema import Activity, DeliveryModes

from shared.errors import StateNotStorable, StateTooLarge
from shared.sdk_json import to_plain_json
from shared.storage.codec.opaque import Opaque
from shared.storage.sizes import size_beyond
from shared.turns.limits import DOCUMENT_BYTES, RUN_S
from shared.turns.replies.operations import Operation, Verb
from shared.turns.replies.outbox import BufferingAdapter, Outbox
from shared.turns.running import Meanwhile, run_to_end
from shared.turns.state.journal import RESERVED, Change, Journal, Properties, TurnRecord
from shared.turns.state.stored_document import StoredDocument
from shared.turns.state.unit_of_work import UnitOfWork


class _Kept(list[Activity]):
    """Replies that the SDK's turn context keeps for the HTTP response, until the turn is over."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def append(self, activity: Activity) -> None:
        self._outbox.require_open()
        super().append(activity)


@dataclass(frozen=True)
class Attempt:
    """What one run of the bot wants to say and to store."""

    by: str
    """Its token."""
    operations: list[Operation]
    """For the channel."""
    answer: list[Operation] | None
    """For the HTTP response. None: the response says nothing."""
    properties: Properties
    """The new ones of the home document."""
    own: Change | None = None
    """How they differ from the old ones."""
    others: dict[str, tuple[StoredDocument, Change]] = field(default_factory=dict)
    """Changes to other documents, each with what it is based on."""
    read: list[Journal] = field(default_factory=list)
    """The journals of all documents that the bot has read."""
    turn_state: dict[Any, Any] = field(default_factory=dict)
    """What the bot left in its turn context for middleware."""

    is_apology: bool = False
    """It stands in for one that failed."""

    @property
    def is_idle(self) -> bool:
        """Nothing was said and nothing was changed, and it did not fail either."""
        has_done = self.operations or self.answer or self.own or self.others
        return not (has_done or self.is_apology)

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
    meanwhile: Meanwhile,
) -> Attempt:
    """
    Run the bot on a turn context of its own.

    Raises whatever the bot or `meanwhile` raises.
    """
    outbox = Outbox(by)
    # A bot may change its activity (strip a mention, say); a rerun gets it as it came.
    inner = TurnContext(
        BufferingAdapter(context.adapter, outbox, send_typing), deepcopy(context.activity)
    )
    inner.turn_state.update(without_cached_state(context.turn_state))
    for name, service in context.services.items():
        inner.set(name, service)
    inner.buffered_reply_activities = _Kept(outbox)
    try:
        await run_to_end(lambda: create_bot(unit).on_turn(inner), RUN_S, meanwhile)
    finally:
        outbox.close()
        unit.close()
    # With expectReplies the SDK's turn context keeps replies itself, and asks no adapter.
    kept = [Operation(Verb.SEND, reply) for reply in inner.buffered_reply_activities]
    operations, answer = _split(outbox.operations)
    if context.activity.delivery_mode == DeliveryModes.expect_replies:
        answer = [*(answer or []), *kept]
    changes = unit.changes()
    _, own = changes.pop(home_key, (None, None))
    return Attempt(
        by,
        operations,
        answer,
        unit.staged(home_key),
        own,
        changes,
        [base.journal for base in unit.bases],
        without_cached_state(inner.turn_state),
    )


def check_size(document: StoredDocument) -> None:
    """
    Refuse a document that the store would not take.

    Raises:
        StateTooLarge: forget something, or keep it elsewhere.
        StateNotStorable: the document has no end, or keys that are not text.
    """
    text = as_json({**document.properties, RESERVED: document.journal.to_json()})
    size = size_beyond(DOCUMENT_BYTES, document.key, text)
    if size is not None:
        raise StateTooLarge(
            f"The document {document.key!r} would have {size:,} bytes, and at most "
            f"{DOCUMENT_BYTES:,} can be stored. Keep less in it, or say less in one turn."
        )


def as_json(value: Any) -> bytes:
    """About the text that a value has when it is stored."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise StateNotStorable(f"A value cannot be stored ({type(error).__name__}).") from error


def _plain(value: Any) -> Any:
    return Opaque.stored(value) if type(value) is Opaque else to_plain_json(value)


def without_cached_state(turn_state: dict[Any, Any]) -> dict[Any, Any]:
    """What a turn context carries besides state, which every attempt reads again."""
    return {
        key: value for key, value in turn_state.items() if not isinstance(value, CachedBotState)
    }


def _split(operations: list[Operation]) -> tuple[list[Operation], list[Operation] | None]:
    """Operations for the channel, and those that are the answer to an invoke."""
    answer = [o for o in operations if o.is_invoke_response]
    return [o for o in operations if not o.is_invoke_response], answer or None
