"""
A bot by itself: activities one after the other, on the SDK's own adapter, with nothing that fails.

What is compared of it is what a history of the same activities must come to.
"""

import random
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from botbuilder.core import BotAdapter, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, ResourceResponse

from shared.errors import StateConflict
from shared.sdk_json import to_plain_json
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from shared.storage.of_turn import STORAGE_KEY
from tests.simulation.adapter import HttpStatus
from tests.simulation.loop import SimulatedLoop
from tests.simulation.own_services import add_services
from tests.simulation.script import Said
from tests.simulation.store import Document

ROOT = Path(__file__).parents[2]

PASSING = frozenset({"typing", "delay", "trace"})
"""
Types of activities that are no part of what a turn has said.

A trace is for whoever debugs the bot: DialogManager shows all state in it, with its ETags.
"""


@dataclass
class SerialRun:
    """What the bare bot did with activities one after the other."""

    replies: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    """What it asked of its channel, and its answer, by the label of the activity."""
    documents: dict[str, Any] = field(default_factory=dict)
    failures: list[tuple[Said, str]] = field(default_factory=list)


def serial_run(module: ModuleType, order: list[Said]) -> SerialRun:
    """Run the bare bot on a store and a channel that work; turns that fail have not been."""
    failures: list[tuple[Said, str]] = []
    # Each time one turn fewer, since nothing of a turn that fails is kept.
    while True:
        left = [said for said in order if said not in [failed for failed, _ in failures]]
        run = SerialRun(failures=[*failures])
        loop = SimulatedLoop(random.Random(0))
        loop.run(_play(module, left, run))
        if run.failures == failures:
            return run
        failures = run.failures


async def _play(module: ModuleType, order: list[Said], run: SerialRun) -> None:
    codec = DocumentCodec(module.STATE_TYPES)
    storage = _Keeping(codec)
    for said in order:
        adapter = _adapter_of(module, storage)
        context = add_services(TurnContext(adapter, said.to_activity()))
        try:
            await adapter.run_pipeline(context, module.create_bot(storage).on_turn)
        except Exception as error:
            run.failures.append((said, told(error)))
            return
        operations = [one for one in adapter.operations if one]
        run.replies[said.label] = operations + answer_shown(context)
    for key in storage.keys:
        found = (await storage.read([key])).get(key)
        run.documents[key] = (codec.encode(found) or None) if found else None


class _Keeping(MemoryStorage):
    """
    State in memory, and the keys of all that was written.

    To whoever makes up an ETag it is what the SDK's storages are: a document that is not there
    yet is stored all the same, and a conflict is called so.
    """

    def __init__(self, codec: DocumentCodec) -> None:
        super().__init__(codec)
        self.keys: set[str] = set()

    async def write(self, changes: dict[str, Any]) -> None:
        self.keys.update(changes)
        present = await self.read(changes)
        for key, document in changes.items():
            if key not in present and isinstance(document, dict):
                document.pop("e_tag", None)
            elif key not in present:
                document.e_tag = None
        try:
            await super().write(changes)
        except StateConflict as error:
            raise StateConflict("Etag conflict.") from error


def _adapter_of(module: ModuleType, storage: MemoryStorage) -> "_BareAdapter":
    """As the samples' app.py has it, with the bot's middleware and `on_turn_error`."""
    adapter = _BareAdapter()
    create_middleware = getattr(module, "create_middleware", lambda _storage: ())
    for middleware in create_middleware(storage):
        adapter.use(middleware)
    on_error = getattr(module, "on_error", None)
    if on_error is not None:

        async def on_turn_error(context: TurnContext, error: Exception) -> None:
            context.turn_state[STORAGE_KEY] = storage
            await on_error(context, error)

        adapter.on_turn_error = on_turn_error
    return adapter


class _BareAdapter(BotAdapter):
    """A channel that takes everything, and keeps what the turn says."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Document | None] = []

    async def send_activities(
        self, context: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        for one in activities:
            if one.type == ActivityTypes.invoke_response:
                # As in the SDK's CloudAdapter: the last one is the answer.
                context.turn_state[self._INVOKE_RESPONSE_KEY] = one
            else:
                # A proactive message as well: it waits with the turn that sends it.
                self.operations.append(shown("send", to_plain_json(one)))
        # Ids as no other run gives them: that they differ is no difference.
        return [ResourceResponse(id=uuid4().hex) for _ in activities]

    async def update_activity(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        self.operations.append(shown("update", to_plain_json(activity)))
        return ResourceResponse(id=activity.id)

    async def delete_activity(self, context: TurnContext, reference: ConversationReference) -> None:
        self.operations.append(shown("delete", to_plain_json(reference)))


def answer_shown(context: TurnContext) -> list[Document]:
    """What is compared of the answer to a request, as the SDK's adapters make it."""
    answer = [*context.buffered_reply_activities]
    response = context.turn_state.get(BotAdapter._INVOKE_RESPONSE_KEY)
    if response is not None and context.activity.type == ActivityTypes.invoke:
        answer.append(response)
    found = [shown("send", to_plain_json(one)) for one in answer]
    return [one for one in found if one is not None]


def shown(verb: str, subject: Document, **_: Any) -> Document | None:
    """What is compared of an operation; None: nothing."""
    plain: Document = msgspec.json.decode(msgspec.json.encode(subject, enc_hook=to_plain_json))
    if plain.get("type") in PASSING:
        return None
    # Whoever sends it gives it these.
    left_out = ("id", "activityId", "timestamp", "localTimestamp")
    return {
        "verb": verb,
        "subject": {name: value for name, value in plain.items() if name not in left_out},
    }


def told(error: Exception) -> str:
    """What a bot raised and where; "" if the simulated channel failed, which it may do."""
    if isinstance(error, HttpStatus | aiohttp.ClientError):
        return ""
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if Path(one.filename).is_relative_to(ROOT) and "site-packages" not in one.filename
    ]
    own = [one for one in frames if not Path(one.filename).name.startswith("own_")][-1:]
    where = "".join(f" ({Path(one.filename).relative_to(ROOT)}:{one.lineno})" for one in own)
    return f"{type(error).__name__}: {error}{where}"
