"""
The template's own bot in the simulation, held against a run without races and faults.
"""

import random
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
from botbuilder.core import Bot, BotAdapter, TurnContext
from botbuilder.schema import Activity, ConversationReference, ResourceResponse

from shared.sdk_json import to_plain_json
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from tests.simulation.adapter import HttpStatus
from tests.simulation.channel import SimulatedChannel, key_of
from tests.simulation.chronicle import Chronicle
from tests.simulation.copies import Product
from tests.simulation.differences import differences
from tests.simulation.faults import DOCUMENT_ERRORS, IN_SMALL, Fault
from tests.simulation.instances import CURRENT
from tests.simulation.judge.verdict import Verdict
from tests.simulation.loop import SimulatedLoop
from tests.simulation.script import Places, Said
from tests.simulation.store import Document
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]

APART: Places = {"one": ("ada",), "two": ("bob",), "team": ("cy", "dee", "eve")}
"""
Nobody is in two conversations.

Turns of two conversations are not serial, so that a bot that puts both into one property of
a user's state may differ from a serial run and be right.
"""

PHRASES = ROOT / "tests" / "bot" / "phrases.txt"
"""What users say, one text a line: what the bot in shared/bot understands."""

USUAL_PHRASES = ("hello", "Ada", "42", "ada@example.com", "It is late.", "what?", "")
"""What users say where there is no such file."""

NEVER = frozenset(
    {
        *DOCUMENT_ERRORS,
        *IN_SMALL,
        Fault.DOCUMENT_DELETED,
        Fault.DOCUMENT_EXPIRED,
        Fault.DOCUMENT_RESTORED,
        Fault.JOURNAL_POISONED,
        Fault.CHANNEL_REFUSED,
        Fault.CHANNEL_NEVER_ANSWERS,
        Fault.CHANNEL_LONG_OUTAGE,
        Fault.SHARED_PROPERTY,
        Fault.SAME_ID,
        Fault.VERSION_BEFORE,
        *(fault for fault in Fault if fault.name.startswith("BOT_")),
    }
)
"""
Faults that the comparison leaves out.

A serial run has no match for what is lost with a document, or refused; and how the bot fails,
or runs beside the version before, is the counting bot's to show.
"""

PASSING = frozenset({"typing", "delay", "trace"})
"""
Types of activities that are no part of what a turn has said.

A trace is for whoever debugs the bot: DialogManager shows all state in it, with its ETags.
"""

OPINIONS = (4, 16)
"""So many more serial runs are made before a difference is not put down to the bot's own chance."""


@dataclass
class Ours:
    """A committed turn, with all that it said."""

    said: Said
    operations: list[Document]
    """What it asked of its channel, and its answer."""
    sent: list[str]
    """Keys of what goes to the channel."""
    failure: str | None = None
    """What the bot raised in it, which makes it an apology; "": the channel failed the bot."""


class Witnessed(Chronicle):
    """The commits of a history with what they said, and where the bot itself failed."""

    def __init__(self) -> None:
        super().__init__()
        self.ours: list[Ours] = []
        self.raised: dict[str, str] = {}
        """By the name of a delivery, what the bot raised in it; "": the channel failed the bot."""

    def wrote(
        self, key: str, e_tag: str, document: Document, said_of: dict[str, Said], at_s: float
    ) -> None:
        before = len(self.commits)
        super().wrote(key, e_tag, document, said_of, at_s)
        if len(self.commits) == before:
            return
        said = self.commits[-1].said
        handling = CURRENT.get()
        failure = self.raised.get(handling.name) if handling else None
        journal = document["$turns"]
        last = journal.get("last") or {}
        turn_id = journal["done"][-1].split(" ")[1]
        answers = [one for one in journal.get("answers") or [] if one["id"] == turn_id]
        answer = last.get("answer") or (answers[-1].get("answer") or [] if answers else [])
        replies, answers = _operations(last.get("replies")), _operations(answer)
        sent = [_key(one["subject"]) for one in replies if one["verb"] == "send"]
        self.ours.append(Ours(said, [*replies, *answers], sent, failure))


@dataclass
class _Channel(SimulatedChannel):
    """What the users see, and what of it passes by."""

    passed: set[str] = field(default_factory=set)
    """Ids of typing indicators."""

    def accept(self, activity: Activity, sender: object) -> str:
        accepted = super().accept(activity, sender)
        if activity.type in PASSING:
            self.passed.add(accepted)
        return accepted


class _Witness(Bot):
    """The bot, with somebody who sees what it raises."""

    def __init__(self, bot: Bot, chronicle: Witnessed) -> None:
        self._bot = bot
        self._raised = chronicle.raised

    async def on_turn(self, context: TurnContext) -> None:
        handling = CURRENT.get()
        name = handling.name if handling else ""
        self._raised.pop(name, None)
        try:
            await self._bot.on_turn(context)
        except Exception as error:
            self._raised[name] = _told(error)
            raise


def own_module() -> ModuleType:
    """The bot in shared/bot."""
    return import_module("shared.bot")


def own_world(
    seed: int, product: Product, always: frozenset[Fault], bot: ModuleType | None = None
) -> World:
    """A history of the template's bot, or of another module like shared.bot."""
    module = bot or own_module()
    phrases = phrases_of(module)
    chronicle = Witnessed()
    world = World(
        seed,
        product,
        lambda storage, _witness: _Witness(module.create_bot(storage), chronicle),
        lambda chance, _drawn: chance.choice(phrases),
        APART,
        DocumentCodec(module.STATE_TYPES),
        always,
        NEVER - always,
    )
    world.chronicle = chronicle
    world.channel = _Channel(world.channel.tell)
    return world


def phrases_of(bot: ModuleType) -> tuple[str, ...]:
    """What users say to this bot."""
    own: tuple[str, ...] | None = getattr(bot, "PHRASES", None)
    if own:
        return own
    if bot.__name__ == "shared.bot" and PHRASES.exists():
        return tuple(PHRASES.read_text(encoding="utf-8").splitlines())
    return USUAL_PHRASES


def judge_own(world: World, bot: ModuleType | None = None) -> Verdict:
    """Where the history differs from its turns one after the other, in commit order."""
    module = bot or own_module()
    verdict = Verdict()
    chronicle, channel = world.chronicle, world.channel
    assert isinstance(chronicle, Witnessed)
    assert isinstance(channel, _Channel)
    for place in world.places:
        turns = [one for one in chronicle.ours if one.said.place == place]
        verdict.wrong += _judge_place(world, module, turns)
        seen = Counter(
            one.key
            for one in channel.accepted
            if one.conversation_id == place and one.activity_id not in channel.passed
        )
        for turn in turns:
            seen.subtract(turn.sent)
        lost = [key for key, count in seen.items() if count < 0]
        if lost:
            verdict.wrong.append(f"lost in {place}: {lost}")
    return verdict


def _judge_place(world: World, module: ModuleType, turns: list[Ours]) -> list[str]:
    """
    Compare a conversation with serial runs of it.

    What serial runs disagree about is the bot's own chance; whether a difference is that as
    well, more of them tell.
    """
    wrong = [
        f"the bot itself failed at {_name(turn.said)}: {turn.failure}"
        for turn in turns
        if turn.failure
    ]
    order = [turn.said for turn in turns if turn.failure is None]
    runs = [_serial(module, order) for _ in range(2)]
    for said, failure in runs[0].failures:
        wrong.append(f"the bot itself failed at {_name(said)}, without any fault: {failure}")
    came = {turn.said.label: turn.operations for turn in turns if turn.failure is None}
    keys = {key for run in runs for key in run.documents}
    for turn in turns:
        keys |= {turn.said.identity.home_key, turn.said.identity.user_key or ""}
    documents = _documents(world, module, sorted(keys))

    def compare() -> Iterator[str]:
        failed = {said.label for run in runs for said, _ in run.failures}
        for said in order:
            if said.label not in failed:
                expected = [run.replies.get(said.label, []) for run in runs]
                yield from differences(f"replies to {_name(said)}", expected, came[said.label])
        for key in sorted(keys):
            expected_documents = [run.documents.get(key) for run in runs]
            yield from differences(f"document {key}", expected_documents, documents.get(key))

    found = list(compare())
    for more in OPINIONS:
        if not found:
            break
        if more == OPINIONS[-1]:
            # A bot that tells the time tells another one a second later.
            time.sleep(1.0)
        runs += [_serial(module, order) for _ in range(more)]
        found = list(compare())
    return wrong + found


def _documents(world: World, module: ModuleType, keys: list[str]) -> dict[str, Any]:
    """The documents as they are stored, without the journals of turns."""
    codec = DocumentCodec(module.STATE_TYPES)
    documents = {}
    for key in keys:
        stored = dict(world.store.current(key) or {})
        stored.pop("$turns", None)
        # A document with nothing but a journal in it is absent to the bot.
        documents[key] = codec.encode(stored) if stored else None
    return documents


@dataclass
class _Run:
    """What the bare bot did with activities one after the other."""

    replies: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    """What it asked of its channel, by the label of the activity."""
    documents: dict[str, Any] = field(default_factory=dict)
    failures: list[tuple[Said, str]] = field(default_factory=list)


def _serial(module: ModuleType, order: list[Said]) -> _Run:
    """Run the bare bot on a store and a channel that work; turns that fail have not been."""
    failures: list[tuple[Said, str]] = []
    # Each time one turn fewer, since nothing of a turn that fails is kept.
    while True:
        left = [said for said in order if said not in [failed for failed, _ in failures]]
        run = _Run(failures=[*failures])
        loop = SimulatedLoop(random.Random(0))
        loop.run(_play(module, left, run))
        if run.failures == failures:
            return run
        failures = run.failures


async def _play(module: ModuleType, order: list[Said], run: _Run) -> None:
    codec = DocumentCodec(module.STATE_TYPES)
    storage = _Keeping(codec)
    for said in order:
        adapter = _BareAdapter()
        context = TurnContext(adapter, said.to_activity())
        try:
            await module.create_bot(storage).on_turn(context)
        except Exception as error:
            run.failures.append((said, _told(error)))
            return
        kept = [_shown("send", to_plain_json(one)) for one in context.buffered_reply_activities]
        operations = [one for one in (*adapter.operations, *kept) if one]
        # The answer to an invoke does not go to the channel, but after all that does.
        operations.sort(key=lambda one: one["subject"].get("type") == "invokeResponse")
        run.replies[said.label] = operations
    for key in storage.keys:
        found = (await storage.read([key])).get(key)
        run.documents[key] = (codec.encode(found) or None) if found else None


class _Keeping(MemoryStorage):
    """State in memory, and the keys of all that was written."""

    def __init__(self, codec: DocumentCodec) -> None:
        super().__init__(codec)
        self.keys: set[str] = set()

    async def write(self, changes: dict[str, Document]) -> None:
        self.keys.update(changes)
        await super().write(changes)


class _BareAdapter(BotAdapter):
    """A channel that takes everything, and keeps what the turn says."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Document | None] = []

    async def send_activities(
        self, context: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        # A proactive message as well: it waits with the turn that sends it.
        self.operations += [_shown("send", to_plain_json(one)) for one in activities]
        # Ids as no other run gives them: that they differ is no difference.
        return [ResourceResponse(id=uuid4().hex) for _ in activities]

    async def update_activity(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        self.operations.append(_shown("update", to_plain_json(activity)))
        return ResourceResponse(id=activity.id)

    async def delete_activity(self, context: TurnContext, reference: ConversationReference) -> None:
        self.operations.append(_shown("delete", to_plain_json(reference)))


def _shown(verb: str, subject: Document, **_: Any) -> Document | None:
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


def _operations(texts: list[str] | None) -> list[Document]:
    """What operations in a journal ask for, as far as it is compared."""
    shown = [_shown(**msgspec.json.decode(text)) for text in texts or []]
    return [one for one in shown if one is not None]


def _key(subject: Document) -> str:
    recipient = (subject.get("recipient") or {}).get("id")
    return key_of(subject.get("text") or "", subject.get("replyToId"), recipient)


def _name(said: Said) -> str:
    return f"{said.label} ({said.kind} {said.text!r} in {said.place})"


def _told(error: Exception) -> str:
    """What a bot raised and where; "" if the simulated channel failed, which it may do."""
    if isinstance(error, HttpStatus | aiohttp.ClientError):
        return ""
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if Path(one.filename).is_relative_to(ROOT) and "site-packages" not in one.filename
    ]
    last = [one for one in frames if one.filename != __file__][-1:]
    where = "".join(f" ({Path(one.filename).relative_to(ROOT)}:{one.lineno})" for one in last)
    return f"{type(error).__name__}: {error}{where}"
