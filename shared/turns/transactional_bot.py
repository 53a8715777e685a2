"""
An ordinary bot, with turns that happen completely and once.
"""

import time
from collections.abc import Callable, Iterable

from botbuilder.core import Bot, Middleware, Storage, TurnContext
from botbuilder.schema import Activity

from shared.bells.base import Bell, Bells
from shared.errors import LogicFailed, TurnDeadlineExceeded, WaitsForItself
from shared.turns.apologies import Apologies
from shared.turns.chance import Chance
from shared.turns.clock import Clock
from shared.turns.identity import TurnIdentity
from shared.turns.mailbox.arrival import Arrival
from shared.turns.mailbox.bell import Hearing, sweep
from shared.turns.mailbox.caller import Caller
from shared.turns.mailbox.contexts import Contexts
from shared.turns.own_turn import is_inside_turn, refuse_in_itself
from shared.turns.pipeline import LOGIC_KEY, OnError, Pipeline
from shared.turns.process import Process
from shared.turns.replies.outbox import Logic
from shared.turns.state.unit_of_work import UnitOfWork


class TransactionalBot(Bot):
    """
    Gives the bot that `create_bot` makes atomic turns.

    `create_bot` gets a storage that stages what the bot writes; it is called once for
    each attempt at a turn, so it should do no more than put objects together. So is
    `create_middleware`, whose middleware is around the bot as the adapter's would be, but
    inside the turn. `on_error` gets what the bot or its middleware raises, where the SDK's
    `on_turn_error` would. `storage` keeps the contract of `shared.storage.base`. Works under
    any adapter of the SDK: `contexts` makes its turn contexts where there is no request.
    """

    def __init__(
        self,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        *,
        bells: Bells,
        contexts: Contexts,
        create_middleware: Callable[[Storage], Iterable[Middleware]] = lambda _: (),
        on_error: OnError | None = None,
        apologies: Apologies | None = None,
        now_s: Clock = time.time,
        chance: Chance | None = None,
    ) -> None:
        self._create_bot = create_bot
        self._create_middleware = create_middleware
        self._on_error = on_error
        self._process = Process(
            self._pipeline,
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

        Returns when all of it has happened, or is stored and will happen, whatever
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

    async def run(self, context: TurnContext, logic: Logic) -> None:
        """
        Run `logic` in place of the bot, as the turn of the context's activity.

        Logic cannot be stored. So its turn waits for its place as long as an invoke may wait, and
        until it is committed it ends with this process, or with the task awaiting this. When this
        returns, the turn is committed; replies that the channel has not taken yet are sent later.

        Raises:
            WaitsForItself: this is called by a turn of the same conversation.
            TurnDeadlineExceeded: it found no place, or did not end, in time, or the process ends.
            StateError: the store does not let us work.
            Whatever the logic raises. Nothing has changed.
        """
        self.refuse_in_itself(context.activity)
        context.turn_state[LOGIC_KEY] = logic
        try:
            await self.on_turn(context)
        except TurnDeadlineExceeded as error:
            if is_inside_turn(TurnIdentity.of(context.activity).home_key):
                raise WaitsForItself from error
            raise
        except LogicFailed as failure:
            raise (failure.__cause__ or failure) from None

    def refuse_in_itself(self, activity: Activity) -> None:
        """
        Do nothing unless a turn calls this that itself belongs to the activity's conversation.

        Raises:
            WaitsForItself: it does, and would wait in vain for another turn of that conversation.
            MalformedActivity: the activity belongs to no conversation.
        """
        refuse_in_itself(TurnIdentity.of(activity).home_key)

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

    def leave(self) -> None:
        """
        Leave what runs here to other instances, within a second or two.

        The process is about to end. Replies that are being sent are sent to their end; what still
        arrives is accepted, and left to others too.
        """
        self._process.is_leaving = True

    @property
    def is_busy(self) -> bool:
        """Whether there are conversations that nobody but this process looks after."""
        return bool(self._process.owned)

    def _pipeline(self, unit: UnitOfWork) -> Pipeline:
        bot = self._create_bot(unit)
        return Pipeline(bot.on_turn, self._create_middleware(unit), self._on_error, unit)
