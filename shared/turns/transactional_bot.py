"""
An ordinary bot, with turns that happen completely and once.
"""

import time
from collections.abc import Callable

from botbuilder.core import Bot, Storage, TurnContext

from shared.bells.base import Bell, Bells
from shared.turns.apologies import Apologies
from shared.turns.chance import Chance
from shared.turns.clock import Clock
from shared.turns.identity import TurnIdentity
from shared.turns.limits import LEAVING_S
from shared.turns.mailbox.arrival import Arrival
from shared.turns.mailbox.bell import Hearing, sweep
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.contexts import Contexts
from shared.turns.process import Process


class TransactionalBot(Bot):
    """
    Gives the bot that `create_bot` makes atomic turns.

    `create_bot` gets a storage that stages what the bot writes; it is called once for
    each attempt at a turn, so it should do no more than put objects together. `storage`
    keeps the contract of `shared.storage.base`. Works under any adapter of the SDK: `contexts`
    makes its turn contexts where there is no request.
    """

    def __init__(
        self,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        *,
        bells: Bells,
        contexts: Contexts,
        apologies: Apologies | None = None,
        now_s: Clock = time.time,
        chance: Chance | None = None,
    ) -> None:
        self._process = Process(
            create_bot,
            storage,
            bells,
            contexts,
            apologies or Apologies(),
            now_s,
            chance or Chance(),
        )

    async def on_turn(self, context: TurnContext) -> None:
        """
        Handle the activity of a request.

        Returns when all of it has happened, or when it is stored so that it will, whatever
        becomes of this process. The context may be used for longer than that.

        Raises:
            MalformedActivity: the activity belongs to no conversation.
            TurnDeadlineExceeded, InboxFull: it found no place in time.
            StateError: the store does not let us work, not even for an apology.
        """
        identity = TurnIdentity.of(context.activity)
        caller = Caller(identity, context, self._process)
        arrival = Arrival(identity, caller, self._process)
        await caller.wait(self._process.start(arrival.handle()))

    async def on_bell(self, bell: Bell) -> None:
        """
        Look after a conversation, as a bell asks; run what has been accepted, if nobody does.

        Raises:
            BotApplicationError: the bell has to be rung again, and could not be.
        """
        await self._process.start(Hearing(bell, self._process).handle())

    async def sweep(self) -> None:
        """Ring for what no bell may know of. Raises StateError if the store cannot be asked."""
        await sweep(self._process)

    async def hand_over(self) -> None:
        """
        Leave what runs here to other instances at once: the process is about to be stopped.

        Replies that are being sent are sent to their end.
        """
        self._process.is_leaving = True
        await self._process.settle(LEAVING_S)
