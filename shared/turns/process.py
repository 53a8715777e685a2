"""
What the turns of one process share.
"""

from shared.turns.chance import Chance
from shared.turns.clock import Clock
from shared.turns.limits import WAITING
from shared.turns.locks import Locks
from shared.turns.watch import Watch


class Process:
    """Made once for a bot, and handed to each of its turns. It may be forgotten at any time."""

    def __init__(self, now_s: Clock, chance: Chance) -> None:
        self.now_s = now_s
        self.chance = chance
        self.watch = Watch()
        self.conversations = Locks(most=WAITING)
        """Turns of one conversation run one after the other."""
        self.documents = Locks()
        """So do changes to one document, which may come from turns of many conversations."""
