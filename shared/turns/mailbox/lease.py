"""
The right to say what a conversation's last turn says, for some seconds.
"""

from collections.abc import Callable

from shared.bells.base import RING_S
from shared.errors import TurnDeadlineExceeded
from shared.turns.clock import loop_time_s
from shared.turns.limits import CLAIM_S, LOOK_S, SEND_S
from shared.turns.mailbox.ownership import NotHeld, Overtaken, Ownership
from shared.turns.mailbox.ringing import Ringer
from shared.turns.replies.delivery import DeliveryProgress


class HeldLease:
    """
    The lease on a turn that an owner is delivering.

    A delivery without a bell gets one when it takes long: the turn is not a fast one any more.
    `drags` is told then, since the rest is seen to whatever becomes of this process.
    """

    def __init__(self, owner: Ownership, ringer: Ringer, drags: Callable[[], None]) -> None:
        self._owner = owner
        self._ringer = ringer
        self._drags = drags
        self._bell_at_s = loop_time_s() + CLAIM_S

    @property
    def left_s(self) -> float:
        """For how many more seconds."""
        return self._owner.lease_left_s

    @property
    def renew_at_s(self) -> float:
        """When it should be renewed, by the event loop's clock."""
        at_s = self._owner.lease_ends_s - SEND_S
        return at_s if self._owner.journal.watch else min(at_s, self._bell_at_s)

    async def renew(self, progress: DeliveryProgress) -> bool:
        """Take it again from now, and note how far the delivery is. False: it is lost."""
        owner = self._owner
        try:
            if not (owner.journal.watch or owner.bell) and self.left_s >= SEND_S + RING_S:
                owner.bell = await self._ringer.ring(LOOK_S, tries=1)
            self._bell_at_s = float("inf")
            await owner.renew(progress, max(self.left_s, SEND_S))
        except (Overtaken, NotHeld, TurnDeadlineExceeded):
            return False
        self._drags()
        return True
