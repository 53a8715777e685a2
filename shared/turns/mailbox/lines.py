"""
The requests of one conversation that wait in one process.
"""

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING

from shared.turns.limits import WAITING
from shared.turns.locks import Locks

if TYPE_CHECKING:
    from shared.turns.mailbox.caller import Caller


class Lines:
    """
    One line for each conversation, first come first served.

    The request at its head may do for those behind it what they would do next.
    """

    def __init__(self) -> None:
        self._locks = Locks(most=WAITING)
        self._waiting: dict[Hashable, list[Caller]] = {}

    async def enter(self, key: str, caller: "Caller") -> None:
        """
        Wait for those who came before.

        Raises:
            TurnDeadlineExceeded: they took too long, or there are too many.
        """
        place = _place(key)
        waiting = self._waiting.setdefault(place, [])
        waiting.append(caller)
        try:
            await self._locks.take(key, caller.deadline_s)
        finally:
            waiting.remove(caller)
            if not waiting:
                self._waiting.pop(place, None)

    def leave(self, key: str) -> None:
        """Let the next one in."""
        self._locks.leave(key)

    def behind(self, key: str) -> "list[Caller]":
        """Those who wait, in their order."""
        return list(self._waiting.get(_place(key), ()))


def _place(key: str) -> Hashable:
    """Those of another event loop cannot be answered from here."""
    return asyncio.get_running_loop(), key
