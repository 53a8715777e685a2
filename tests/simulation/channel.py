"""
The channel: what its users see, and what every attempt to send something came to.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from botbuilder.schema import Activity

from tests.simulation.faults import Fault

NEVER_STATUSES = (400, 403, 404, 405, 413)
"""The channel does not take this reply, today or tomorrow."""

NOT_YET_STATUSES = (401, 412, 412, 425)
"""It has not taken the reply, and takes it later."""

MAYBE_STATUSES = (408, 500, 502, 503, 504)
"""Nobody knows whether it has taken the reply."""

_COUNTED = re.compile(r"(ghost|[az]\d+)/\d")


class Came(Enum):
    """What an attempt to send something came to, as far as its sender can know."""

    ACCEPTED = "accepted"
    NEVER = "refused for good"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Try:
    """One attempt to send something."""

    at_s: float
    came: Came


@dataclass
class Sending:
    """One request to say something."""

    place: str
    key: str
    """Of a typing indicator: `TYPING` and what it goes before."""
    sender: object
    began_s: float
    ended_s: float = float("inf")
    """When its sender heard of it, or waited no more. inf: it died."""


TYPING = "typing"


@dataclass(frozen=True)
class Accepted:
    """An activity that the channel shows to its users."""

    at_s: float
    activity_id: str
    conversation_id: str
    key: str
    text: str
    sender: object
    """Whoever sent it, as `SimulatedChannel` was told."""


@dataclass
class SimulatedChannel:
    """What the users of all conversations see."""

    tell: Callable[[str, str, Fault | None], None] = lambda _verb, _outcome, _fault: None
    accepted: list[Accepted] = field(default_factory=list)
    tries: dict[str, list[Try]] = field(default_factory=lambda: defaultdict(list))
    """By the key of what was to be sent."""
    answered: set[str] = field(default_factory=set)
    """Ids of accepted activities whose sender got to know."""
    refused: set[str] = field(default_factory=set)
    """Keys of what is never taken."""
    impatient: set[str] = field(default_factory=set)
    """Ids of those whose sender did not wait for the answer."""
    oddly_answered: set[str] = field(default_factory=set)
    """Ids of those whose sender got to know no usable id."""
    sendings: list[Sending] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    """Ids and texts of updates and (empty text) deletions."""

    def accept(self, activity: Activity, sender: object) -> str:
        activity_id = f"m{len(self.accepted) + 1}"
        self.accepted.append(
            Accepted(
                _time_s(),
                activity_id,
                activity.conversation.id,
                key_of(activity.text or "", activity.reply_to_id, activity.recipient.id),
                activity.text or "",
                sender,
            )
        )
        self.tell("accept", f"{activity.text} as {activity_id}", None)
        return activity_id

    @contextmanager
    def sending(self, activity: Activity, key: str, sender: object) -> Iterator[None]:
        """Note when the request began, and when it was over."""
        sending = Sending(activity.conversation.id, key, sender, _time_s())
        self.sendings.append(sending)
        try:
            yield
        finally:
            sending.ended_s = _time_s()

    def note(self, key: str, came: Came) -> None:
        """Remember what an attempt came to."""
        self.tries[key].append(Try(_time_s(), came))


def key_of(text: str, reply_to_id: str | None, recipient_id: str | None) -> str:
    """A name for a reply that is the same for each copy of it, and for nothing else."""
    return text if is_counted(text) else f"{text} {reply_to_id} {recipient_id}"


def is_counted(text: str) -> bool:
    """Whether it is what the counting bot says, and no apology."""
    return _COUNTED.match(text) is not None


def _time_s() -> float:
    return asyncio.get_running_loop().time()
