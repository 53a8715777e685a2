"""
What the turns of one process share.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from botbuilder.core import Storage

from shared.bells.base import Bells
from shared.turns.apologies import Apologies
from shared.turns.chance import Chance
from shared.turns.clock import Clock
from shared.turns.known import Known
from shared.turns.limits import OUTLIVING
from shared.turns.locks import Locks
from shared.turns.mailbox.contexts import Contexts
from shared.turns.mailbox.lines import Lines
from shared.turns.watch import Watch

if TYPE_CHECKING:
    from shared.turns.mailbox.ownership import Ownership
    from shared.turns.pipeline import Pipeline
    from shared.turns.state.unit_of_work import UnitOfWork


class Process:
    """Made once for a bot, and handed to each of its turns. It may be forgotten at any time."""

    def __init__(
        self,
        create_pipeline: "Callable[[UnitOfWork], Pipeline]",
        storage: Storage,
        bells: Bells,
        contexts: Contexts,
        apologies: Apologies,
        now_s: Clock,
        chance: Chance,
    ) -> None:
        self.create_pipeline = create_pipeline
        self.storage = storage
        self.bells = bells
        self.contexts = contexts
        self.apologies = apologies
        self.now_s = now_s
        self.chance = chance
        self.watch = Watch()
        self.known = Known()
        self.lines = Lines()
        self.documents = Locks()
        """Changes to one document come from turns of many conversations, and wait likewise."""
        self.owned: set[Ownership] = set()
        """The conversations that are run here."""
        self.is_leaving = False
        """The process is about to be stopped, and begins nothing that takes long."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def may_outlive(self) -> bool:
        """Whether one more turn may go on here when its request is answered."""
        outliving = sum(not one.is_tracked for one in self.owned)
        return not self.is_leaving and outliving < OUTLIVING

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin what may take longer than its request."""
        task = asyncio.get_running_loop().create_task(work)
        # The event loop itself holds tasks by weak references only.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
