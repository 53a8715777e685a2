"""
The bot with what its author puts around it: middleware, and `on_error`.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable

from botbuilder.core import Middleware, MiddlewareSet, TurnContext
from botbuilder.schema import Activity

from shared import log_hygiene
from shared.errors import BotApplicationError
from shared.storage.of_turn import STORAGE_KEY
from shared.turns.backoff import LASTING_FAULTS
from shared.turns.replies.outbox import Logic
from shared.turns.state.unit_of_work import UnitOfWork

OnError = Callable[[TurnContext, Exception], Awaitable[object]]

LOGIC_KEY = "shared.turns.Logic"
"""The key under which a turn context has the logic that runs instead of the bot, if any."""

_logger = logging.getLogger(__name__)


class Pipeline:
    """
    What the SDK's adapters have around a bot, inside the turn.

    So middleware sees staged state and keeps what it sends, and what `on_error` does is part of
    the turn that went wrong.
    """

    def __init__(
        self,
        logic: Logic,
        middleware: Iterable[Middleware],
        on_error: OnError | None,
        unit: UnitOfWork,
    ) -> None:
        self._logic = logic
        self._middleware = MiddlewareSet()
        for one in middleware:
            # One by one: the SDK's `use` takes several and keeps the first.
            self._middleware.use(one)
        self._on_error = on_error
        self._unit = unit

    async def on_turn(self, context: TurnContext) -> None:
        """
        Run the bot, or what the turn is for (`LOGIC_KEY`).

        Raises what that raises, unless `on_error` takes it.
        """
        await self.run(context, context.turn_state.get(LOGIC_KEY, self._logic))

    async def run(self, context: TurnContext, logic: Logic) -> None:
        """Run some logic as the adapter would run the bot."""
        context.turn_state[STORAGE_KEY] = self._unit
        try:
            await self._middleware.receive_activity_with_status(context, logic)
        except Exception as error:
            if self._on_error is None or self._may_pass():
                raise
            report(error, context.activity)
            await self._on_error(context, error)

    def _may_pass(self) -> bool:
        """Whether the store is at fault, so it is better to run the turn again than to end it."""
        failure = self._unit.failure
        return failure is not None and not isinstance(failure, LASTING_FAULTS)


def report(error: Exception, activity: Activity) -> None:
    """Log that the bot failed, and where."""
    # The message of an error of the bot's may quote the user, so it stays out of the log.
    ours = isinstance(error, BotApplicationError)
    reason = str(error) if ours else log_hygiene.trace_without_messages(error)
    _logger.error("The bot failed at activity %s: %s", activity.id, reason)
