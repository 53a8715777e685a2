"""
For how long something has been so, as this process saw it with its own clock.

Clocks of two machines may differ, and the time of day may jump. What one process has seen
itself depends on neither.
"""

from collections import OrderedDict
from collections.abc import Hashable

from shared.turns.clock import loop_time_s

_MOST = 4096


class Watch:
    """Remembers when this process first saw what it was asked for, for the last few thousand."""

    def __init__(self) -> None:
        self._since_s: OrderedDict[Hashable, float] = OrderedDict()

    def has_seen(self, what: Hashable) -> bool:
        """Whether this process was asked for it before."""
        return what in self._since_s

    def seconds(self, what: Hashable) -> float:
        """For how long `what` has been known here: 0 when it is asked for the first time."""
        now_s = loop_time_s()
        since_s = self._since_s.setdefault(what, now_s)
        self._since_s.move_to_end(what)
        if len(self._since_s) > _MOST:
            self._since_s.popitem(last=False)
        return now_s - since_s
