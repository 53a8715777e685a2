"""
What turns write into documents besides the bot's own properties.

Every document that turns write has the reserved property `$turns`, which the bot never
sees. One shape serves all documents, because a conversation's document, home of its
turns, may also be written by the turns of another conversation.

What another version of the app wrote into it and this one does not know is kept. What
cannot be read at all is dropped, and logged: no conversation stops because of it.
"""

import hashlib
from collections.abc import Iterable, Set
from functools import lru_cache
from typing import Any

import msgspec

from shared.turns.limits import (
    ANSWER_BYTES,
    ANSWERS,
    DONE_BYTES,
    DONE_S,
    DONE_TURNS,
    KEPT_ACTIVITY_IDS,
    KEPT_REMOVALS,
    LAG_S,
    RECENT_DOCUMENTS,
    SEEN_DOCUMENTS,
)
from shared.turns.mailbox.records import Entry, Running
from shared.turns.state.records import Count, Record, read_record, to_plain

RESERVED = "$turns"

OPEN = "open"
"""
Stored, and true, in the journal of a conversation that is not free, and absent from all others.

The store has an index of it alone, by which the sweep finds what is unfinished.
"""

WATCHED = "watch_stamp"
"""
Stored with `watch`: the `stamp` at that moment.

The previous version keeps both, although the bell means nothing for the turns that it commits.
"""

Properties = dict[str, Any]
"""What a bot keeps in a document, by the names of its state properties."""

Stamp = tuple[Count, str]
"""Orders committed turns, whichever conversation they are of: see `Journal.next_stamp`."""


class Change(Record, frozen=True):
    """What a turn does to the properties of a document that is not its home."""

    put: dict[str, Any] = {}
    drop: list[str] = []

    @property
    def names(self) -> list[str]:
        """The properties that are changed."""
        return [*self.put, *self.drop]


class TurnRecord(Record, frozen=True):
    """
    The committed turn that a conversation may still have to finish.

    `replies` and `answer` are JSON texts (`shared.turns.replies.operations`): opaque to the
    codec, whatever keys a card has.
    """

    id: str
    by: str = ""
    """
    The owner that may deliver it: `Running.name`. Empty: none any more; the next owner does.

    Anything else was written by an earlier version of the app, which knows no `Running`.
    """
    at_s: float = 0.0
    """When it was committed, by that instance's clock. Nothing is decided by it."""
    stamp: Count = 0
    """Orders the turns of a conversation: milliseconds since 1970, and ever increasing."""
    replies: list[str] = []
    """What goes to the channel, in order."""
    sent: Count = 0
    """How many of `replies` need not be sent any more: an absolute count."""
    fruitless: Count = 0
    """Tries to finish the turn since one of them last got anywhere."""
    fruitless_since_s: float = 0.0
    """When the first of these was, by the clock of the instance that made it."""
    ids: dict[str, str] = {}
    """The channel's ids of activities that were sent, by the ids that the bot was given."""
    keeps_ids: bool = False
    """The bot stored an id that it was given: `ids` outlive the turn."""
    writes: dict[str, Change] = {}
    """Changes to other documents that are not known to be applied."""
    answer: list[str] | None = None
    """What the HTTP response carries."""
    trigger: str = ""
    """What is answered, as far as a context for the delivery needs it: a JSON text."""
    audience: str = ""
    """As in `Entry`."""

    @property
    def is_delivered(self) -> bool:
        return self.sent >= len(self.replies)

    @property
    def is_settled(self) -> bool:
        return self.is_delivered and not self.writes


class Seen(Record, frozen=True):
    """The version that this conversation gave to another document, and when."""

    version: Count = 0
    at_s: float = 0.0


class Answer(Record, frozen=True):
    """What the HTTP response to a turn carried: JSON texts, as in `TurnRecord`."""

    id: str
    answer: list[str] = []


class Journal(Record, frozen=True):
    """The value of `$turns`."""

    version: Count = 0
    """How many times turns have written this document. An older one is a lagging read."""
    stamps: dict[str, Stamp] = {}
    """For each property that a turn changed or removed: the stamp of the last such turn."""
    applied: dict[str, Count] = {}
    """Written by earlier versions: for each conversation, the stamp of its last turn in here."""
    stamp: Count = 0
    """From here on only in a home document. The stamp of the last committed turn."""
    done: list[str] = []
    """Attempt, turn id and time in seconds of the last committed turns, oldest first."""
    last: TurnRecord | None = None
    """The last committed turn while it is unsettled."""
    answers: list[Answer] = []
    """Of the last settled turns, those with an answer that may have to be repeated."""
    seen: dict[str, Seen] = {}
    """The documents that this conversation wrote last, oldest first."""
    ids: dict[str, str] = {}
    """Ids of sent activities that the bot may have stored, oldest first."""
    inbox: list[Entry] = []
    """Accepted activities, in order."""
    running: Running | None = None
    """The owner of the conversation."""
    watch: str = ""
    """The token of the bell in charge."""

    @classmethod
    def of(cls, key: str, value: Any) -> "Journal":
        """The journal in a document; one that no turn has written (None) has an empty one."""
        if value is None:
            return _EMPTY
        if isinstance(value, dict) and (OPEN in value or WATCHED in value):
            no_fields = {OPEN, WATCHED}
            if value.get(WATCHED) != value.get("stamp", 0):
                no_fields.add("watch")
            value = {name: item for name, item in value.items() if name not in no_fields}
        return read_record(cls, value, digest(key)) or _EMPTY

    def to_json(self) -> dict[str, Any]:
        """Plain JSON but for the values in `writes`, which stay as the bot gave them."""
        plain = to_plain(self)
        if not self.is_free:
            plain[OPEN] = True
        if self.watch:
            plain[WATCHED] = self.stamp
        return plain

    @property
    def is_free(self) -> bool:
        """Everything that was accepted or committed has happened."""
        is_settled = self.last is None or self.last.is_settled
        return is_settled and self.running is None and not self.inbox

    @property
    def holds_last(self) -> bool:
        """Whether the unsettled turn, if there is one, is the owner's."""
        owner, last = self.running, self.last
        return owner is not None and last is not None and last.by == owner.name

    @property
    def is_put_off(self) -> bool:
        """What comes first was tried in vain, and is to be tried again when its bell rings."""
        if self.running is not None:
            return False
        if self.last is not None:
            return self.last.fruitless > 0
        return bool(self.inbox) and self.inbox[0].failed > 0

    @property
    def pulse(self) -> tuple[str, int] | None:
        """What tells whether the owner is alive. None: nobody owns the conversation."""
        return self.running.pulse if self.running is not None else None

    @property
    def unsettled(self) -> TurnRecord:
        """The turn that is not settled, where it is known that there is one."""
        if self.last is None:
            raise AssertionError("there is no last turn")
        return self.last

    # Which turns there were

    def attempt_at(self, turn_id: str, former_id: str | None = None) -> str | None:
        """
        The attempt that committed the turn, if it is among the last ones.

        `former_id` is what an earlier version called the turn: it noted no time.
        """
        for entry in reversed(self.done):
            # This goes through hundreds, and mostly in vain: the quick look first.
            if turn_id in entry or (former_id is not None and former_id in entry):
                by, _, rest = entry.partition(" ")
                if rest == former_id or rest.partition(" ")[0] == turn_id:
                    return by
        return None

    def answer_of(self, turn_id: str, former_id: str | None = None) -> list[str]:
        """What the HTTP response to a turn carried, as far as it is still known."""
        if self.last is not None and self.last.id in (turn_id, former_id):
            return self.last.answer or []
        return next((one.answer for one in reversed(self.answers) if one.id == turn_id), [])

    def next_stamp(self, now_s: float, read: Iterable["Journal"]) -> int:
        """
        Later than every turn of this conversation, and than every turn that this one has read of.

        The clocks of instances may differ; where they do, a turn that knows of another is
        later all the same. Two that do not know of each other are ordered by their clocks,
        and at the same millisecond by their conversations.
        """
        latest = max((journal.latest for journal in read), default=0)
        return max(self.stamp + 1, latest + 1, int(now_s * 1000))

    @property
    def latest(self) -> int:
        """The latest stamp in it."""
        return max(self.stamp, *(stamp for stamp, _ in self.stamps.values()), 0)

    # The steps of a turn, in the home document

    def commit(self, record: TurnRecord, own: Change | None, home_key: str) -> "Journal":
        """
        The journal with one more turn; a record without anything left to do is not kept.

        `own` is what the turn changes in the home document itself.
        """
        journal = self._without_last() if self.last is not None else self
        if own is not None:
            journal = journal.stamped(own.names, (record.stamp, digest(home_key)))
        at_s = record.stamp // 1000
        committed = msgspec.structs.replace(
            journal,
            version=self.version + 1,
            stamp=record.stamp,
            done=_recent([*self.done, f"{record.by} {record.id} {at_s}"], at_s),
            last=record,
        )
        return committed._without_last() if record.is_settled else committed

    def without_settled(self) -> "Journal":
        """The journal without a last turn that has nothing left to do."""
        is_settled = self.last is not None and self.last.is_settled
        return self._without_last() if is_settled else self

    def change_last(self, **changes: Any) -> "Journal":
        """The journal with something else about its unsettled turn."""
        last = msgspec.structs.replace(self.unsettled, **changes)
        return msgspec.structs.replace(self, version=self.version + 1, last=last)

    def settle(self, ids: dict[str, str], versions: dict[str, int], now_s: float) -> "Journal":
        """The journal without its last turn, whose changes are in documents of these versions."""
        kept = {**self.ids, **ids} if self.unsettled.keeps_ids else self.ids
        return msgspec.structs.replace(
            self._without_last().expect(versions, now_s),
            version=self.version + 1,
            ids=dict(list(kept.items())[-KEPT_ACTIVITY_IDS:]),
        )

    def expect(self, versions: dict[str, int], now_s: float) -> "Journal":
        """The journal that knows which versions this conversation gave to other documents."""
        if not versions:
            return self
        seen = {key: seen for key, seen in self.seen.items() if key not in versions}
        seen.update({key: Seen(version=version, at_s=now_s) for key, version in versions.items()})
        recent = list(seen.items())[-RECENT_DOCUMENTS:]
        last = recent[-SEEN_DOCUMENTS:]
        before = [pair for pair in recent[:-SEEN_DOCUMENTS] if now_s - pair[1].at_s < LAG_S]
        return msgspec.structs.replace(self, seen=dict([*before, *last]))

    def forget(self, keys: Set[str]) -> "Journal":
        """The journal that expects no version of these documents: they were deleted, say."""
        if not keys:
            return self
        seen = {key: seen for key, seen in self.seen.items() if key not in keys}
        return msgspec.structs.replace(self, seen=seen)

    # A change that comes from another conversation

    def later_part(self, change: Change, stamp: Stamp) -> Change:
        """What is left of a change without the properties that a later turn has changed."""

        def is_later(name: str) -> bool:
            return stamp > self.stamps.get(name, _NEVER)

        if stamp[0] <= self.applied.get(stamp[1], -1):
            return Change()
        return Change(
            put={name: value for name, value in change.put.items() if is_later(name)},
            drop=[name for name in change.drop if is_later(name)],
        )

    def stamped(self, names: Iterable[str], stamp: Stamp) -> "Journal":
        """The journal that says which turn changed these properties."""
        return msgspec.structs.replace(self, stamps={**self.stamps, **dict.fromkeys(names, stamp)})

    def with_properties(self, names: Iterable[str]) -> "Journal":
        """
        The journal of a document that has just these properties.

        Of those that were removed only the last are remembered.
        """
        present = set(names)
        removed = [name for name in self.stamps if name not in present]
        if len(removed) <= KEPT_REMOVALS:
            return self
        removed.sort(key=self.stamps.__getitem__)
        forgotten = set(removed[:-KEPT_REMOVALS])
        stamps = {name: stamp for name, stamp in self.stamps.items() if name not in forgotten}
        return msgspec.structs.replace(self, stamps=stamps)

    def written(self) -> "Journal":
        """The journal after one more write."""
        return msgspec.structs.replace(self, version=self.version + 1)

    def _without_last(self) -> "Journal":
        last, answers = self.unsettled, self.answers
        if last.answer is not None:
            answers = [*answers, Answer(id=last.id, answer=last.answer)]
        return msgspec.structs.replace(
            self, last=None, answers=_repeatable(answers, self.done) if answers else answers
        )


_EMPTY = Journal()
_NEVER: Stamp = (-1, "")


@lru_cache(maxsize=4096)
def digest(key: str) -> str:
    """A short name for a document or a turn, which does not reveal whose it is."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:16]


def _recent(done: list[str], now_s: int) -> list[str]:
    """The turns by which a redelivery is recognised: see `DONE_S` and the limits next to it."""
    size = sum(map(len, done))
    first = 0
    for entry in done[:-DONE_TURNS]:
        _, *name, at_s = entry.split(" ")
        if len(name) == 1 and at_s.isdecimal():
            is_old = int(at_s) < now_s - DONE_S
        else:
            # Earlier versions noted no time, and kept as many as this.
            is_old = len(done) - first > 64
        if size <= DONE_BYTES and not is_old:
            break
        size -= len(entry)
        first += 1
    return done[first:]


def _repeatable(answers: list[Answer], done: list[str]) -> list[Answer]:
    """Those of the last turns: always the newest, and older ones as far as there is room."""
    recent = {entry.split(" ")[1] for entry in done[-ANSWERS:]}
    kept: list[Answer] = []
    room = ANSWER_BYTES
    for one in reversed(answers):
        room -= sum(map(len, one.answer))
        if one.id in recent and (room >= 0 or not kept):
            kept.insert(0, one)
    return kept
