"""
What was committed, in order: read from what the store was told, and from nothing else.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.simulation.channel import is_counted, key_of
from tests.simulation.mailboxes import Mailboxes
from tests.simulation.script import Said
from tests.simulation.store import Document

_FAILED_INVOKE = "500"


@dataclass
class Committed:
    """A turn as the store got to know it."""

    order: int
    place: str
    home_key: str
    said: Said
    by: str
    """The attempt."""
    stamp: int
    at_s: float
    e_tag: str
    replies: list[str] = field(default_factory=list)
    """Keys of what goes to the channel, in order. The product may add to them later."""
    added_at_s: dict[str, float] = field(default_factory=dict)
    """When it did, by key."""
    answer: list[str] = field(default_factory=list)
    """Keys of what goes into the HTTP response."""
    writes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What it puts into other documents, by key. A property that it removes is None."""
    count: int = 0
    """The conversation's count after it."""
    count_before: int = 0

    @property
    def counts(self) -> bool:
        """Whether the bot did its work; else the turn is an apology."""
        return any(is_counted(key) for key in (*self.replies, *self.answer))

    @property
    def users_count(self) -> int:
        """The user's count in the conversation that it read, and one more."""
        key = next(key for key in (*self.replies, *self.answer) if is_counted(key))
        return int(key.split("/")[3])

    @property
    def saw(self) -> str | None:
        """Whose label it read in the property that conversations share."""
        for key in (*self.replies, *self.answer):
            found = re.search(r"/saw ([az]\d+)", key)
            if found:
                return found[1]
        return None


@dataclass(frozen=True)
class Reset:
    """A document lost its past: it was deleted, expired, restored or poisoned."""

    key: str
    at_s: float
    how: str


class Chronicle:
    """The commits of a history, and when documents lost what they knew of them."""

    def __init__(self) -> None:
        self.commits: list[Committed] = []
        self.resets: list[Reset] = []
        self.faults: list[str] = []
        """What was wrong with a write when it happened."""
        self.contents: dict[str, list[tuple[float, Document]]] = defaultdict(list)
        """The bot's own properties of each document, whenever they changed."""
        self.accepted: dict[str, list[str]] = defaultdict(list)
        """The ids of each conversation's turns, as they were first written, claims and all."""
        self.mailboxes = Mailboxes()
        self._journals: dict[str, dict[str, Any]] = {}
        self._unfinished: dict[str, Committed] = {}

    def wrote(
        self, key: str, e_tag: str, document: Document, said_of: dict[str, Said], at_s: float
    ) -> None:
        """Read what an instance wrote; `said_of` tells what the id of a turn stands for."""
        properties = {name: value for name, value in document.items() if name != "$turns"}
        before = self.contents[key][-1][1] if self.contents[key] else {}
        if properties != before:
            self.contents[key].append((at_s, properties))
        journal = document["$turns"]
        old = self._journals.get(key, {})
        self._journals[key] = journal
        self._keep_unknown_fields(key, old, journal)
        if "/conversations/" not in key:
            return
        self._note_accepted(key, old, journal)
        self.mailboxes.wrote(key, old, journal, at_s)
        new = [entry for entry in journal.get("done", [])[-1:] if entry not in old.get("done", [])]
        last = journal.get("last") or {}
        for entry in new:
            said = said_of[entry.split(" ")[1]]
            commit = Committed(
                len(self.commits),
                said.place,
                key,
                said,
                entry.split(" ")[0],
                last.get("stamp", journal.get("stamp", 0)),
                at_s,
                e_tag,
                count=properties.get("count", 0),
                count_before=before.get("count", 0),
            )
            self.commits.append(commit)
            self._unfinished[key] = commit
            if said.identity.home_key != key:
                self.faults.append(f"{said.label} committed in {key}")
            for other, change in (last.get("writes") or {}).items():
                commit.writes[other] = {
                    **(change.get("put") or {}),
                    **dict.fromkeys(change.get("drop") or []),
                }
            commit.answer = keys_of(last.get("answer") or _answer_of(journal, entry))
        if not new and properties != before:
            self.faults.append(f"{key} changed without a commit, from {before} to {properties}")
        self._add_replies(key, last, at_s)

    def reset(self, key: str, at_s: float, how: str, document: Document | None) -> None:
        """Note that somebody else than the app changed a document."""
        self.resets.append(Reset(key, at_s, how))
        properties = {n: v for n, v in (document or {}).items() if n != "$turns"}
        self.contents[key].append((at_s, properties))
        journal = (document or {}).get("$turns")
        self._journals[key] = journal if isinstance(journal, dict) else {}
        self.mailboxes.reset(key, at_s, self._journals[key])
        self._unfinished.pop(key, None)

    def was_reset(self, key: str, after_s: float, until_s: float = float("inf")) -> bool:
        """Whether a document lost its past in that time."""
        return any(one.key == key and after_s <= one.at_s <= until_s for one in self.resets)

    def of_place(self, place: str) -> list[Committed]:
        """The turns of a conversation, in the order of their commits."""
        return [one for one in self.commits if one.place == place]

    def of_said(self, said: Said) -> list[Committed]:
        """The turns that an activity became: one, unless its conversation was reset."""
        return [one for one in self.commits if one.said.label == said.label]

    def _note_accepted(self, key: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        order = self.accepted[key]
        done = [entry.split(" ")[1] for entry in new.get("done", [])]
        for turn_id in (*_inbox_of(new), *done[-1:]):
            if turn_id not in order:
                order.append(turn_id)
        for turn_id in _inbox_of(old):
            if turn_id in _inbox_of(new) or turn_id in done:
                continue
            # Nobody waited for its answer any more, unless it was begun again and forgotten.
            if all(turn_id != commit.said.identity.turn_id for commit in self.commits):
                order.remove(turn_id)

    def _add_replies(self, key: str, last: dict[str, Any], at_s: float) -> None:
        """A turn may get to say more than it was committed with: what could not be kept."""
        commit = self._unfinished.get(key)
        if commit is None:
            return
        answer = keys_of(last.get("answer") or [])
        if len(answer) > len(commit.answer):
            commit.answer = answer
        replies = keys_of(last.get("replies") or [])
        if len(replies) > len(commit.replies):
            if commit.replies != replies[: len(commit.replies)]:
                self.faults.append(f"the replies of {commit.said.label} are others by now")
            added = replies[len(commit.replies) :]
            commit.added_at_s.update({one: at_s for one in added if at_s > commit.at_s})
            commit.replies = replies

    def _keep_unknown_fields(self, key: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """What a newer version put into a journal stays there."""
        if "novel" in old and "novel" not in new:
            self.faults.append(f"{key} lost a field that a newer version wrote")
        old_last, last = old.get("last") or {}, new.get("last") or {}
        if not isinstance(old_last, dict):
            return
        is_same = old_last.get("id") == last.get("id") and old.get("done") == new.get("done")
        if is_same and "novel" in old_last and last and "novel" not in last:
            self.faults.append(f"{key} lost a field of its last turn")


def _inbox_of(journal: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in journal.get("inbox", [])]


def _answer_of(journal: dict[str, Any], entry: str) -> list[str]:
    """What a turn answered that had nothing else to do, and so was finished at once."""
    turn_id = entry.split(" ")[1]
    answers = [one for one in journal.get("answers", []) if one["id"] == turn_id]
    return list(answers[-1].get("answer", [])) if answers else []


def keys_of(operations: list[str]) -> list[str]:
    """The names of what operations in a journal say."""
    return [key for operation in operations for key in _key_of(msgspec.json.decode(operation))]


def _key_of(operation: dict[str, Any]) -> Iterator[str]:
    subject = operation["subject"]
    if operation["verb"] != "send":
        return
    if subject["type"] == "invokeResponse":
        value = subject["value"]
        yield str(value.get("body") or value["status"])
    else:
        recipient = (subject.get("recipient") or {}).get("id")
        yield key_of(subject.get("text") or "", subject.get("replyToId"), recipient)
