"""
How new those documents are known to be that this process has lately read or written.
"""

from collections import OrderedDict

from shared.turns.clock import loop_time_s
from shared.turns.limits import LAG_S

_MOST = 4096


class Known:
    """
    The versions of the last few thousand documents.

    Known to the process and not only to a turn: otherwise the next request of the conversation
    could read a copy from before the last turn's commit, and the bot would run twice.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def note(self, key: str, version: int) -> None:
        """Remember that the document has this version."""
        now_s = loop_time_s()
        if version != self._seen.get(key, (-1, 0.0))[0]:
            self._seen[key] = version, now_s
            self._seen.move_to_end(key)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)

    def least(self, key: str, asked_s: float) -> int:
        """
        The version below which an answer to a read that began at that time is an old copy.

        A document that is older long after it was seen was deleted or restored.
        """
        version, seen_s = self._seen.get(key, (0, asked_s))
        return version if asked_s < seen_s + LAG_S else 0
