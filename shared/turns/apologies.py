"""
What a user is told when a turn cannot be what it should be.
"""

import logging
from dataclasses import dataclass

from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from shared import log_hygiene
from shared.errors import BotApplicationError, StateTooLarge, StateUnreadable
from shared.turns.attempt import Attempt
from shared.turns.replies.operations import Operation, failed_invoke, message
from shared.turns.state.stored_document import StoredDocument

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Apologies:
    """The sentences; give `TransactionalBot` your own."""

    bot_failed: str = "Sorry, something went wrong here. Please try again."
    state_unreadable: str = "Sorry, what I remember about you could not be read."
    too_large: str = "Sorry, that is more than I can remember. Please make it shorter."
    not_kept: str = "Sorry, I could not remember this: {names}."
    """`names` are those of the state properties that were not stored."""

    def for_error(self, error: Exception) -> str:
        """What the user is told of it."""
        if isinstance(error, StateUnreadable):
            return self.state_unreadable
        if isinstance(error, StateTooLarge):
            return self.too_large
        return self.bot_failed


def apology(
    error: Exception, trigger: Activity, by: str, home: StoredDocument, texts: Apologies
) -> Attempt:
    """The attempt that stands in for one that failed: nothing changes, the user is told."""
    # What an error of the bot's says may quote the user, so it stays out of the log.
    ours = isinstance(error, BotApplicationError)
    reason = str(error) if ours else log_hygiene.trace_without_messages(error)
    _logger.error("The bot failed at activity %s: %s", trigger.id, reason)
    said: list[Operation] = []
    answer: list[Operation] | None = None
    if trigger.type == ActivityTypes.invoke:
        answer = [failed_invoke(trigger)]
    elif trigger.type == ActivityTypes.message:
        said = [message(texts.for_error(error), trigger)]
    # With anything else nobody has said anything, and an apology would be read, which may
    # well be the next such event.
    if trigger.delivery_mode == DeliveryModes.expect_replies:
        said, answer = [], [*said, *(answer or [])]
    return Attempt(by, said, answer, home.properties, is_apology=True)
