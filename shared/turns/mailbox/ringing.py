"""
Ringing for a conversation, and what happens if the queue cannot be reached.
"""

import logging
from dataclasses import dataclass

from shared.bells.base import Bell, Bells
from shared.errors import BellUnavailable
from shared.turns.chance import Chance
from shared.turns.clock import loop_time_s
from shared.turns.limits import AFTERWARDS_S, LAG_S, LOOK_S, RINGS
from shared.turns.state.journal import digest

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rung:
    """A bell that was rung before the write that it is for."""

    token: str
    """Empty: the queue did not take it. The sweep sees to it instead."""
    at_s: float


class Ringer:
    """Rings for one conversation."""

    def __init__(self, bells: Bells, conversation: str, chance: Chance) -> None:
        self._bells = bells
        self._conversation = conversation
        self._chance = chance

    async def ring_before_write(self) -> Rung:
        """
        Make sure that what is about to be written is looked after.

        A process that dies in between leaves a bell without work, which is harmless.
        """
        at_s = loop_time_s()
        return Rung(await self.ring(LOOK_S), at_s)

    async def ring_again_if_late(self, rung: Rung) -> None:
        """Make up for a slow write: its bell may have come before it, and found nothing."""
        if rung.token and loop_time_s() - rung.at_s > LOOK_S - LAG_S:
            await self.ring(LOOK_S, rung.token)

    async def ring_afterwards(self) -> None:
        """Let the next owner begin soon with what was just written."""
        await self.ring(AFTERWARDS_S)

    async def ring(
        self,
        delay_s: float,
        token: str | None = None,
        pulse: tuple[str, int] | None = None,
        tries: int = RINGS,
    ) -> str:
        """Ring a new bell, or the one of `token` once more. Empty: it may not be heard."""
        token = token or self._chance.token()
        for _ in range(tries):
            try:
                await self._bells.ring(Bell(self._conversation, token, pulse), delay_s)
                return token
            except BellUnavailable as error:
                _logger.warning("bell.unavailable for=%s: %s", digest(self._conversation), error)
        return ""
