"""
What turns write into documents beside the bot's own properties.

Every document that turns write has the reserved property `$turns`, which the bot never
sees. One shape serves all documents, because a conversation's document, home of its
turns, may also be written by the turns of another conversation.
"""

import hashlib
from typing import Any

import msgspec

from shared.errors import StateUnreadable
from shared.turns.limits import (
    DONE_TURNS,
    KEPT_ACTIVITY_IDS,
    SEEN_S,
    SENDING_CONVERSATIONS,
)

RESERVED = "$turns"

Document = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """What a turn does to the properties of a document that is not its home."""

    put: dict[str, Any] = {}
    drop: list[str] = []


class TurnRecord(msgspec.Struct, frozen=True):
    """
    The committed turn that a conversation may still have to finish.

    `replies` and `answer` are JSON texts (`shared.turns.operations`): opaque to the
    codec, whatever keys a card has.
    """

    id: str
    by: str = ""
    """The attempt that may deliver it. Empty: nobody any more, whoever comes takes over."""
    at_s: float = 0.0
    """When `by` made it its own, by that instance's clock."""
    stamp: int = 0
    """Orders the turns of a conversation: milliseconds since 1970, and ever increasing."""
    replies: list[str] = []
    """What goes to the channel, in order."""
    sent: int = 0
    """How many of `replies` need not be sent any more: an absolute count."""
    fruitless: int = 0
    """Deliveries that ended without an answer for the reply at `sent`."""
    ids: dict[str, str] = {}
    """The channel's ids of activities that were sent, by the ids that the bot was given."""
    keeps_ids: bool = False
    """The bot stored an id that it was given: `ids` outlive the turn."""
    writes: dict[str, Change] = {}
    """Changes to other documents that are not known to be applied."""
    answer: list[str] | None = None
    """What the HTTP response carries. Kept for a redelivery until the next turn commits."""

    @property
    def is_delivered(self) -> bool:
        return self.sent >= len(self.replies)

    @property
    def is_settled(self) -> bool:
        return self.is_delivered and not self.writes


class Seen(msgspec.Struct, frozen=True):
    """The version that this conversation gave to another document, and when."""

    version: int
    at_s: float


class Journal(msgspec.Struct, frozen=True):
    """The value of `$turns`."""

    version: int = 0
    """How many times turns have written this document. An older one is a lagging read."""
    applied: dict[str, int] = {}
    """For conversations that wrote to this document: the stamp of their last turn in it."""
    stamp: int = 0
    """From here on only in a home document. The stamp of the last committed turn."""
    done: list[str] = []
    """Attempt, a space, and turn id of the last committed turns, oldest first."""
    last: TurnRecord | None = None
    """The last committed turn while it is unsettled, or has an answer to repeat."""
    seen: dict[str, Seen] = {}
    ids: dict[str, str] = {}
    """Ids of sent activities that the bot may have stored, oldest first."""

    @classmethod
    def of(cls, key: str, value: Any) -> "Journal":
        """
        The journal in a document; one that no turn has written (None) has an empty one.

        Raises:
            StateUnreadable: the value is not what turns write.
        """
        if value is None:
            return _EMPTY
        try:
            return msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise StateUnreadable(
                f"The property {RESERVED} of {key!r} is not a journal of turns: {error}."
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Plain JSON but for the values in `writes`, which stay as the bot gave them."""
        plain = _fields(self)
        if self.last is not None:
            plain["last"] = _fields(self.last)
            if self.last.writes:
                writes = {key: _fields(change) for key, change in self.last.writes.items()}
                plain["last"]["writes"] = writes
        if self.seen:
            plain["seen"] = {key: _fields(seen) for key, seen in self.seen.items()}
        return plain

    def attempt_at(self, turn_id: str) -> str | None:
        """The attempt that committed the turn, if it is among the last ones."""
        attempts = (entry.partition(" ") for entry in reversed(self.done))
        return next((by for by, _, done in attempts if done == turn_id), None)

    def next_stamp(self, now_s: float) -> int:
        """Later than every turn before, even where clocks differ or the journal is new."""
        return max(self.stamp + 1, int(now_s * 1000))

    def commit(self, record: TurnRecord) -> "Journal":
        """The journal with one more turn; a record without anything to remember is not kept."""
        return msgspec.structs.replace(
            self,
            version=self.version + 1,
            stamp=record.stamp,
            done=[*self.done, f"{record.by} {record.id}"][-DONE_TURNS:],
            last=None if record.is_settled and record.answer is None else record,
        )

    def take_over(self, by: str, now_s: float, sent: int, ids: dict[str, str]) -> "Journal":
        """The journal whose unsettled turn belongs to another attempt."""
        return self._with_last(self._last(), by=by, at_s=now_s, sent=sent, ids=ids)

    def release(self, sent: int, fruitless: int, ids: dict[str, str]) -> "Journal":
        """The journal whose unsettled turn may be finished by whoever comes."""
        return self._with_last(self._last(), by="", sent=sent, fruitless=fruitless, ids=ids)

    def settle(self, ids: dict[str, str], versions: dict[str, int], now_s: float) -> "Journal":
        """The journal without the replies and writes of its last turn."""
        last = self._last()
        seen = {key: seen for key, seen in self.seen.items() if seen.at_s > now_s - SEEN_S}
        seen.update({key: Seen(version, now_s) for key, version in versions.items()})
        kept = {**self.ids, **ids} if last.keeps_ids else self.ids
        remembered = self._with_last(last, replies=[], sent=0, fruitless=0, ids={}, writes={})
        return msgspec.structs.replace(
            remembered if last.answer is not None else self,
            version=self.version + 1,
            last=remembered.last if last.answer is not None else None,
            seen=seen,
            ids=dict(list(kept.items())[-KEPT_ACTIVITY_IDS:]),
        )

    def has_applied(self, home_key: str, stamp: int) -> bool:
        """
        Whether this document has the writes of a conversation up to the stamp.

        A stamp instead of turn ids: a conversation that wakes up after many turns of
        others must still know, and an attempt that was overtaken must not write again.
        """
        return self.applied.get(digest(home_key), 0) >= stamp

    def apply(self, home_key: str, stamp: int) -> "Journal":
        """The journal of a document that has the writes of one more turn."""
        mark = digest(home_key)
        others = {key: value for key, value in self.applied.items() if key != mark}
        kept = list(others.items())[-(SENDING_CONVERSATIONS - 1) :]
        return msgspec.structs.replace(
            self, version=self.version + 1, applied={**dict(kept), mark: stamp}
        )

    def _last(self) -> TurnRecord:
        if self.last is None:
            raise AssertionError("there is no last turn")
        return self.last

    def _with_last(self, last: TurnRecord, **changes: Any) -> "Journal":
        last = msgspec.structs.replace(last, **changes)
        return msgspec.structs.replace(self, version=self.version + 1, last=last)


_EMPTY = Journal()


def digest(key: str) -> str:
    """A short name for a document or a turn, which tells nobody whose it is."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    return {
        name: value
        for name, value in msgspec.structs.asdict(struct).items()
        if value not in (None, 0, "", [], {}, False)
    }
