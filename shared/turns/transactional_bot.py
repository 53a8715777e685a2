"""
An ordinary bot, with turns that happen completely and once.
"""

import logging
import time
from collections.abc import Callable, Iterable

from botbuilder.core import Bot, Middleware, Storage, TurnContext
from botbuilder.schema import ActivityTypes

from shared.errors import LogicFailed
from shared.turns.apologies import Apologies
from shared.turns.backoff import LASTING_FAULTS, Backoff
from shared.turns.chance import Chance
from shared.turns.clock import Clock, loop_time_s
from shared.turns.identity import TurnIdentity
from shared.turns.limits import TURN_DEADLINE_S
from shared.turns.pipeline import LOGIC_KEY, OnError, Pipeline
from shared.turns.process import Process
from shared.turns.replies.delivery import Channel
from shared.turns.replies.operations import message
from shared.turns.replies.outbox import Logic
from shared.turns.state.unit_of_work import UnitOfWork
from shared.turns.turn import Turn

_logger = logging.getLogger(__name__)


class TransactionalBot(Bot):
    """
    Gives the bot that `create_bot` makes atomic turns.

    `create_bot` gets a storage that stages what the bot writes; it is called once for
    each attempt at a turn, so it should do no more than put objects together. So is
    `create_middleware`, whose middleware is around the bot as the adapter's would be, but
    inside the turn. `on_error` gets what the bot or its middleware raises, where the SDK's
    `on_turn_error` would. `storage` keeps the contract of `shared.storage.base`. Works under
    any adapter of the SDK.
    """

    def __init__(
        self,
        create_bot: Callable[[Storage], Bot],
        storage: Storage,
        *,
        create_middleware: Callable[[Storage], Iterable[Middleware]] = lambda _: (),
        on_error: OnError | None = None,
        apologies: Apologies | None = None,
        now_s: Clock = time.time,
        chance: Chance | None = None,
    ) -> None:
        self._create_bot = create_bot
        self._create_middleware = create_middleware
        self._on_error = on_error
        self._storage = storage
        self._apologies = apologies or Apologies()
        self._process = Process(now_s, chance or Chance())

    async def on_turn(self, context: TurnContext) -> None:
        """
        Handle one activity; see `Turn.complete` for what it raises.

        Raises:
            MalformedActivity: the activity belongs to no conversation.
        """
        identity = TurnIdentity.of(context.activity)
        deadline_s = loop_time_s() + TURN_DEADLINE_S
        backoff = Backoff(self._process.chance, deadline_s)
        apologies = self._apologies.in_locale(context.activity.locale)
        turn = Turn(
            identity,
            self._pipeline,
            self._storage,
            context,
            backoff,
            self._process,
            apologies,
        )
        async with self._process.conversations.hold(identity.home_key, deadline_s):
            try:
                await turn.complete()
            except LASTING_FAULTS as error:
                if LOGIC_KEY in context.turn_state:
                    raise
                # Without its home document a turn cannot be committed, now or later, so
                # the user hears of it and the activity is not delivered again.
                _logger.error("A conversation cannot go on: %s", error)
                if context.activity.type == ActivityTypes.message:
                    sorry = message(apologies.for_error(error), context.activity)
                    await Channel(context).say(sorry.subject)

    async def run(self, context: TurnContext, logic: Logic) -> None:
        """
        Run `logic` in place of the bot, as the turn of the context's activity.

        Raises what `on_turn` does, and what the logic raises: then nothing has changed.
        """
        context.turn_state[LOGIC_KEY] = logic
        try:
            await self.on_turn(context)
        except LogicFailed as failure:
            raise (failure.__cause__ or failure) from None

    def _pipeline(self, unit: UnitOfWork) -> Pipeline:
        bot = self._create_bot(unit)
        return Pipeline(bot.on_turn, self._create_middleware(unit), self._on_error, unit)
