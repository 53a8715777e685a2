"""
A history of a bot of one's own, and all that is compared of it.
"""

import json
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from botbuilder.core import TurnContext
from botbuilder.schema import Activity

from shared.storage.codec.documents import DocumentCodec
from tests.simulation.channel import SimulatedChannel, key_of
from tests.simulation.chronicle import Chronicle
from tests.simulation.copies import Product
from tests.simulation.faults import DOCUMENT_ERRORS, IN_SMALL, Fault
from tests.simulation.instances import CURRENT
from tests.simulation.own_serial import PASSING, answer_shown, shown, told
from tests.simulation.own_services import OwnProduct
from tests.simulation.script import Places, Said
from tests.simulation.store import Document
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]

CHANNEL = "msteams"
"""Where it all happens: the channel that asks bots for the most."""

APART: Places = {"one": ("ada",), "two": ("bob",), "team": ("cy", "dee", "eve")}
"""
Nobody is in two conversations.

Turns of two conversations are not serial, so that a bot that puts both into one property of
a user's state may differ from a serial run and be right.
"""

PHRASES = ROOT / "tests" / "bot" / "phrases.txt"
"""
What users say to the bot in shared/bot, one text a line.

A line that is a JSON object has the fields of another activity, an invoke for instance.
"""

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


@dataclass
class Ours:
    """A committed turn, with all that it said."""

    said: Said
    operations: list[Document]
    """What it asked of its channel."""
    answer: list[Document]
    """What the response to its request says."""
    sent: list[str]
    """Keys of what goes to the channel."""
    failure: str | None = None
    """What the bot raised in it, which makes it an apology; "": the channel failed the bot."""


@dataclass(frozen=True)
class Heard:
    """What a request was answered with."""

    name: str
    label: str
    answer: list[Document]
    committed: int
    """How many turns had been committed by then."""


class Witnessed(Chronicle):
    """The commits of a history with what they said, and what the bot itself did besides."""

    def __init__(self) -> None:
        super().__init__()
        self.ours: list[Ours] = []
        self.heard: list[Heard] = []
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
        journal = document["$turns"]
        last = journal.get("last") or {}
        turn_id = journal["done"][-1].split(" ")[1]
        answers = [one for one in journal.get("answers") or [] if one["id"] == turn_id]
        answer = last.get("answer") or (answers[-1].get("answer") or [] if answers else [])
        replies = _operations(last.get("replies"))
        sent = [_key(one["subject"]) for one in replies if one["verb"] == "send"]
        failure = self.raised.get(_delivery())
        self.ours.append(Ours(said, replies, _operations(answer), sent, failure))

    # What is told by the bot's surroundings: see `own_services.Watcher`.

    def begins(self) -> None:
        self.raised.pop(_delivery(), None)

    def raises(self, error: Exception) -> None:
        self.raised[_delivery()] = told(error)

    def takes(self) -> None:
        self.raised.pop(_delivery(), None)

    def answers(self, context: TurnContext) -> None:
        handling = CURRENT.get()
        if handling is not None and handling.instance.is_alive:
            answer = answer_shown(context)
            label = handling.said.label
            self.heard.append(Heard(handling.name, label, answer, len(self.commits)))


def _delivery() -> str:
    handling = CURRENT.get()
    return handling.name if handling else ""


@dataclass
class OwnChannel(SimulatedChannel):
    """What the users see, and what of it passes by."""

    passed: set[str] = field(default_factory=set)
    """Ids of typing indicators."""

    def accept(self, activity: Activity, sender: object) -> str:
        accepted = super().accept(activity, sender)
        if activity.type in PASSING:
            self.passed.add(accepted)
        return accepted


@dataclass(frozen=True)
class OwnSaid(Said):
    """What a user of a bot sends: a text, or the fields of an activity."""

    def to_activity(self) -> Activity:
        activity = super().to_activity()
        activity.channel_id = CHANNEL
        fields = fields_in(self.text)
        if fields is None:
            return activity
        own = Activity.deserialize(fields)
        activity.text, activity.name = None, None
        for name in Activity._attribute_map:
            if getattr(own, name) is not None:
                setattr(activity, name, getattr(own, name))
        # By this the history knows the activity again, whatever becomes of it.
        activity.channel_data = {**(own.channel_data or {}), "label": self.label}
        return activity


def fields_in(text: str) -> dict[str, Any] | None:
    """The activity that a phrase stands for. None: a message with this text."""
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


class OwnWorld(World):
    """A history of a bot of one's own."""

    def __init__(
        self, seed: int, product: Product, always: frozenset[Fault], module: ModuleType
    ) -> None:
        chronicle = Witnessed()
        phrases = phrases_of(module)
        super().__init__(
            seed,
            OwnProduct(product.turns, product.edits, module, chronicle),
            lambda storage, _witness: module.create_bot(storage),
            lambda chance, _drawn: chance.choice(phrases),
            APART,
            DocumentCodec(module.STATE_TYPES),
            always,
            NEVER - always,
        )
        self.chronicle = chronicle
        self.channel = OwnChannel(self.channel.tell)
        self.said = [
            OwnSaid(**{each.name: getattr(one, each.name) for each in fields(one)})
            for one in self.said
        ]
        for number, said in enumerate(self.said):
            sent = fields_in(said.text)
            if sent is not None:
                self.said[number] = replace(said, kind=sent.get("type", "message"))
        self.said_of_turn.clear()
        self._know(self.said)


def own_module() -> ModuleType:
    """The bot in shared/bot."""
    return import_module("shared.bot")


def own_world(
    seed: int, product: Product, always: frozenset[Fault], bot: ModuleType | None = None
) -> World:
    """A history of the template's bot, or of another module like shared.bot."""
    return OwnWorld(seed, product, always, bot or own_module())


def phrases_of(bot: ModuleType) -> tuple[str, ...]:
    """What users say to this bot; an activity that is no message as JSON."""
    own: tuple[str | dict[str, Any], ...] | None = getattr(bot, "PHRASES", None)
    if own:
        return tuple(one if isinstance(one, str) else json.dumps(one) for one in own)
    if bot.__name__ == "shared.bot" and PHRASES.exists():
        return tuple(PHRASES.read_text(encoding="utf-8").splitlines())
    return USUAL_PHRASES


def _operations(texts: list[str] | None) -> list[Document]:
    """What operations in a journal ask for, as far as it is compared."""
    found = [shown(**msgspec.json.decode(text)) for text in texts or []]
    return [one for one in found if one is not None]


def _key(subject: Document) -> str:
    recipient = (subject.get("recipient") or {}).get("id")
    return key_of(subject.get("text") or "", subject.get("replyToId"), recipient)
