"""
What conversations' mailboxes are seen to go through: who owns them, for how long, and how often.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Journal = dict[str, Any]

HAND_OVER_S = 60.0
WRITE_S = 20.0
"""So long a write may take, or be tried again, that was decided on in time."""


@dataclass(frozen=True)
class Sign:
    """A write to a home document, as a sign of life of whoever looks after the conversation."""

    at_s: float
    pulse: tuple[str, int] | None
    """Owner and beat; None: nobody owns it."""
    is_open: bool
    watch: str = ""
    """The bell in charge."""


@dataclass
class Mailboxes:
    """Told of each write to a home document, and of each that was changed from outside."""

    signs: dict[str, list[Sign]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    withdrawn: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By conversation, the invokes that nobody waited for any more."""
    _owned_since_s: dict[tuple[str, str], float] = field(default_factory=dict)
    _owner: dict[str, str] = field(default_factory=dict)

    def wrote(self, key: str, old: Journal, new: Journal, at_s: float) -> None:
        """See the module."""
        running = new.get("running") or {}
        by = running.get("by", "")
        pulse = (by, running.get("beat", 1)) if by else None
        self.signs[key].append(Sign(at_s, pulse, bool(new.get("open")), new.get("watch", "")))
        if by and by != self._owner.get(key) and (key, by) in self._owned_since_s:
            self.faults.append(f"{by} owns {key} again, which was taken from it")
        self._owner[key] = by
        since_s = self._owned_since_s.setdefault((key, by), at_s) if by else at_s
        self._judge_entries(key, old, new, at_s - since_s)

    def reset(self, key: str, at_s: float, new: Journal) -> None:
        """Somebody else than the app changed it; who has owned it is forgotten with its past."""
        running = new.get("running")
        by = running.get("by", "") if isinstance(running, dict) else ""
        self.signs[key].append(Sign(at_s, None, bool(new.get("open"))))
        self._owner[key] = by
        for owned in [one for one in self._owned_since_s if one[0] == key]:
            del self._owned_since_s[owned]

    def _judge_entries(self, key: str, old: Journal, new: Journal, owned_s: float) -> None:
        before = {one["id"]: one for one in old.get("inbox", [])}
        done = [entry.split(" ")[1] for entry in new.get("done", [])]
        now = [one["id"] for one in new.get("inbox", [])]
        for turn_id, entry in before.items():
            if turn_id in now or turn_id in done:
                continue
            if entry.get("waits"):
                self.withdrawn[key] += 1
            else:
                self.faults.append(f"{turn_id} was accepted in {key}, and dropped")
        head = next(iter(new.get("inbox", [])), None)
        if head is None or head.get("tries", 0) <= before.get(head["id"], head).get("tries", 0):
            return
        if new.get("last"):
            self.faults.append(f"{head['id']} is blamed while it only waits")
        if owned_s > HAND_OVER_S + WRITE_S:
            self.faults.append(f"{head['id']} is begun by who has owned {key} for {owned_s:.0f} s")
