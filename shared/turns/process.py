"""
What the turns of one process share.
"""

from shared.turns.limits import WAITING
from shared.turns.locks import Locks
from shared.turns.surroundings import Surroundings
from shared.turns.watch import Watch


class Process:
    """Made once for a bot, and handed to each of its turns. It may be forgotten at any time."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.watch = Watch()
        self.conversations = Locks(most=WAITING)
        """Turns of one conversation run one after the other."""
        self.documents = Locks()
        """So do changes to one document, which may come from turns of many conversations."""
