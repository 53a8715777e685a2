"""
One run of the bot, and everything that it would like to happen.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.bot_state import CachedBotState
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes, ResourceResponse

from shared.storage.of_turn import STORAGE_KEY
from shared.turns.limits import RUN_S
from shared.turns.own_copy import ToCopy, own_copy
from shared.turns.own_turn import begin_run
from shared.turns.pipeline import Pipeline
from shared.turns.replies.operations import Operation, Verb
from shared.turns.replies.outbox import INVOKE_RESPONSE_KEY, BufferingAdapter, Outbox
from shared.turns.running import Meanwhile, run_to_end
from shared.turns.state.journal import Change, Journal, Properties, TurnRecord
from shared.turns.state.storable import as_json
from shared.turns.state.stored_document import StoredDocument
from shared.turns.state.unit_of_work import UnitOfWork


class _Context(TurnContext):
    """The bot's turn context, which is freed with all it leads to as soon as the turn is over."""

    async def send_activities(self, activities: list[Activity]) -> list[ResourceResponse]:
        # The SDK sends a copy of each, made by `deepcopy`, which takes five times as long as ours.
        copied: list[Any] = [ToCopy(activity) for activity in activities]
        responses: list[ResourceResponse] = await super().send_activities(copied)
        return responses

    async def _emit(self, plugins: list[Any], arg: Any, logic: Awaitable[Any]) -> Any:
        # The SDK's makes a function that holds itself, for those who listen.
        return await (super()._emit(plugins, arg, logic) if plugins else logic)


class _Kept(list[Activity]):
    """Replies that the SDK's turn context keeps for the HTTP response, until the turn is over."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def append(self, activity: Activity) -> None:
        self._outbox.require_open()
        Operation(Verb.SEND, activity).to_text()
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
    staged_bytes: int | None = None
    """As in `UnitOfWork`, of all that it changes."""
    read: list[Journal] = field(default_factory=list)
    """The journals of all documents that the bot has read."""
    turn_state: dict[Any, Any] = field(default_factory=dict)
    """What the bot left in its turn context for the adapter's own middleware."""

    is_apology: bool = False
    """This attempt stands in for one that failed."""

    @property
    def is_idle(self) -> bool:
        """Nothing was said and nothing was changed, and the attempt did not fail either."""
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
    create_bot: Callable[[UnitOfWork], Pipeline],
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
    adapter = BufferingAdapter(context.adapter, outbox, send_typing)
    inner = _Context(adapter, own_copy(context.activity))
    inner.turn_state.update(_without_storage(context.turn_state))
    for name, service in context.services.items():
        inner.set(name, service)
    inner.buffered_reply_activities = _Kept(outbox)

    def close() -> None:
        outbox.close()
        unit.close()

    async def run() -> None:
        begin_run(home_key)
        try:
            pipeline = create_bot(unit)
            adapter.run_pipeline = pipeline.run
            await pipeline.on_turn(inner)
        finally:
            # Here, because what waits for this may be busy with something else.
            close()

    try:
        await run_to_end(run, RUN_S, meanwhile)
    finally:
        # A bot that cannot be stopped goes on, in vain.
        close()
    operations = [one for one in outbox.operations if not one.is_invoke_response]
    changes = unit.changes()
    _, own = changes.pop(home_key, (None, None))
    return Attempt(
        by,
        operations,
        _answer(inner),
        unit.staged(home_key),
        own,
        changes,
        unit.staged_bytes,
        [base.journal for base in unit.bases],
        _without_storage(inner.turn_state),
    )


def _without_storage(turn_state: dict[Any, Any]) -> dict[Any, Any]:
    """What a turn context carries besides its storage and state, which each attempt has anew."""
    return {
        key: value
        for key, value in turn_state.items()
        if key != STORAGE_KEY and not isinstance(value, CachedBotState)
    }


def _answer(context: TurnContext) -> list[Operation] | None:
    """What the SDK's adapters would put into the HTTP response. None: nothing."""
    if context.activity.delivery_mode == DeliveryModes.expect_replies:
        # The SDK's turn context keeps these replies itself, and asks no adapter.
        return [Operation(Verb.SEND, reply) for reply in context.buffered_reply_activities]
    answer = context.turn_state.get(INVOKE_RESPONSE_KEY)
    is_asked = context.activity.type == ActivityTypes.invoke
    return [Operation(Verb.SEND, answer)] if answer and is_asked else None
