"""
What users say in a history, and how often the channel delivers it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, DeliveryModes

from shared.turns.identity import TurnIdentity
from tests.simulation.faults import Fault

_SENT_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

Places = dict[str, tuple[str, ...]]
"""Conversations, and who speaks in them."""

SHARED: Places = {"one": ("ada",), "two": ("ada",), "team": ("ada", "bob", "cy")}
"""Ada is in all conversations, and her document is written from each."""

ODD_NAMES = (
    "ends in a blank ",
    "x" * 300,
    "/slashes\\and?marks#*",
    "Zo\u00eb \U0001f600",
    "%20 ",
    "a:" + "1x_" * 100 + "|end",
    " ",
    '"quoted"',
    "line\nbreak",
)
"""Names that a channel may give, or lets its users choose."""


@dataclass(frozen=True)
class Again:
    """One more delivery, some time after the channel was told that the activity was taken."""

    after_s: float
    where: str
    """"same" or "other" instance, or "any"."""


@dataclass(frozen=True)
class Said:
    """An activity that a user sends, and how the channel delivers it."""

    label: str
    """Unlike that of any other activity, which an id need not be."""
    activity_id: str
    place: str
    user: str
    text: str
    kind: str = "message"
    """"message", "expectReplies", "invoke" or "event"."""
    at_s: float = 0.0
    tries: int = 2
    """Deliveries that the channel makes until it is told that the activity was taken."""
    twice_at_once: bool = False
    again: Again | None = None
    cancelled_after_s: float | None = None
    """When the request of the first delivery is cancelled."""

    @property
    def verb(self) -> str:
        return self.text.partition(" ")[0]

    @cached_property
    def identity(self) -> TurnIdentity:
        return TurnIdentity.of(self.to_activity())

    def to_activity(self) -> Activity:
        """The activity, made anew for each delivery, as it is from an HTTP request."""
        is_named = self.kind in ("invoke", "event")
        return Activity(
            type=self.kind if is_named else "message",
            id=self.activity_id,
            timestamp=_SENT_AT,
            channel_id="simulated",
            service_url="https://channel.example",
            from_property=ChannelAccount(id=self.user),
            recipient=ChannelAccount(id="bot"),
            conversation=ConversationAccount(id=self.place),
            text=None if is_named else self.text,
            name=self.text if is_named else None,
            delivery_mode=DeliveryModes.expect_replies if self.kind == "expectReplies" else None,
            channel_data={"label": self.label},
        )


Texts = Callable[[random.Random, frozenset[Fault]], str]

_VERBS = ("reply 1", "reply 3", "note", "edit 2", "silent")
_WEIGHTS = (6, 5, 2, 1, 1)
_VERBS_OF = {
    Fault.BOT_RAISES: ("boom",),
    Fault.BOT_HANGS: ("hang",),
    Fault.BOT_SWALLOWS: ("swallow",),
    Fault.BOT_CANCELLED: ("cancel",),
    Fault.BOT_EXITS: ("exit",),
    Fault.BOT_KILLS: ("kill 2",),
    Fault.BOT_SENDS_LATE: ("late-send",),
    Fault.BOT_WRITES_LATE: ("late-write", "late-store", "late-read"),
    Fault.BOT_SLOW: tuple(f"slow {seconds}" for seconds in (0.5, 2, 4, 12, 30, 70, 150, 300)),
    Fault.SHARED_PROPERTY: ("mark", "mark", "mark", "unmark"),
    Fault.STATE_LARGE: ("grow 1500", "grow 2500", "grow 8000", "grow 30000"),
}


def counting_text(chance: random.Random, drawn: frozenset[Fault]) -> str:
    """What a user says to the counting bot."""
    told = [fault for fault in _VERBS_OF if fault in drawn]
    if told and chance.random() < 0.5:
        return chance.choice(_VERBS_OF[chance.choice(told)])
    return chance.choices(_VERBS, _WEIGHTS)[0]


def places_of(chance: random.Random, drawn: frozenset[Fault], usual: Places) -> Places:
    """The conversations of a history."""
    if Fault.MANY_CONVERSATIONS in drawn:
        return {f"c{number}": ("ada",) for number in range(8)}
    if Fault.MANY_TURNS in drawn:
        return {"one": ("ada",), "two": ("ada",)}
    # Few conversations collide more; all of them show what one does to another.
    places = {place: usual[place] for place in sorted(usual)}
    if Fault.SHARED_PROPERTY not in drawn:
        chosen = chance.sample(sorted(usual), chance.randint(1, len(usual)))
        places = {place: usual[place] for place in sorted(chosen)}
    if Fault.ODD_IDS not in drawn:
        return places
    names = {one for users in places.values() for one in users} | set(places)
    odd = {name: chance.choice((name, f"{chance.choice(ODD_NAMES)}")) for name in sorted(names)}
    # Two that have got the same name would be one.
    for number, name in enumerate(sorted(odd)):
        if list(odd.values()).count(odd[name]) > 1:
            odd[name] = f"{number}{odd[name]}"
    return {odd[place]: tuple(odd[user] for user in users) for place, users in places.items()}


def script(
    chance: random.Random, drawn: frozenset[Fault], places: Places, texts: Texts
) -> list[Said]:
    """What is said, by whom and when."""
    crowd_s = chance.choice((0.05, 0.5, 3.0, 12.0))
    count = chance.randint(2, 8)
    if drawn & {Fault.MANY_TURNS, Fault.MANY_CONVERSATIONS, Fault.CROWD}:
        count = chance.randint(10, 16)
    if Fault.CROWD in drawn:
        crowd_s = 0.01
    if Fault.CHANNEL_LONG_OUTAGE in drawn:
        crowd_s, count = 700.0, 16
    said: list[Said] = []
    for number in range(count):
        place = chance.choice(sorted(places))
        user = chance.choice(places[place])
        activity_id = f"a{number}"
        if Fault.SAME_ID in drawn and said and chance.random() < 0.5:
            place, activity_id = said[-1].place, said[-1].activity_id
            user = f"{said[-1].user}'s friend"
        kind = chance.choices(("message", "expectReplies", "invoke", "event"), (20, 2, 2, 1))[0]
        said.append(
            Said(
                label=f"a{number}",
                activity_id=activity_id,
                place=place,
                user=user,
                text=texts(chance, drawn),
                kind=kind,
                at_s=chance.uniform(0, crowd_s),
                # Web Chat's channel tries once, Teams twice, e-mail a few times.
                tries=chance.choices((1, 2, 4, 10), (1, 4, 2, 3))[0],
                twice_at_once=Fault.REDELIVERED_AT_ONCE in drawn and chance.random() < 0.3,
                again=_again(chance, drawn),
                cancelled_after_s=(
                    chance.choice((0.01, 0.05, 0.1, 0.3, 1.0))
                    if Fault.REQUEST_CANCELLED in drawn and chance.random() < 0.5
                    else None
                ),
            )
        )
    return said


def last_words(chance: random.Random, places: Places, after_s: float) -> list[Said]:
    """One message more in each conversation, when nothing fails any more."""
    return [
        Said(
            label=f"z{number}",
            activity_id=f"z{number}",
            place=place,
            user=places[place][0],
            text="reply 1",
            at_s=after_s + chance.uniform(1.0, 5.0),
            tries=10,
        )
        for number, place in enumerate(sorted(places))
    ]


def _again(chance: random.Random, drawn: frozenset[Fault]) -> Again | None:
    if Fault.REDELIVERED_LATE in drawn and chance.random() < 0.5:
        return Again(chance.choice((90.0, 3_000.0, 40_000.0)), "any")
    if Fault.REDELIVERED in drawn and chance.random() < 0.3:
        return Again(chance.choice((0.0, 1.0, 8.0)), chance.choice(("same", "other", "any")))
    return None
