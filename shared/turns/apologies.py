"""
What a user is told when a turn cannot be what it should be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from shared.errors import StateTooLarge, StateUnreadable
from shared.turns.attempt import Attempt
from shared.turns.pipeline import report
from shared.turns.replies.operations import Operation, failed_invoke, message
from shared.turns.state.stored_document import StoredDocument


@dataclass(frozen=True)
class Apologies:
    """The sentences; a bot's own are `APOLOGIES` in its module (see `bot_module`)."""

    bot_failed: str = "Sorry, something went wrong here. Please try again."
    state_unreadable: str = "Sorry, what I remember about you could not be read."
    too_large: str = "Sorry, that is more than I can remember. Please make it shorter."
    not_kept: str = "Sorry, I could not remember this: {names}."
    """`names` are those of the state properties that were not stored."""
    by_locale: Mapping[str, "Apologies"] = field(default_factory=dict)
    """Those of other locales, in lower case: "de" also serves "de-AT" unless that has its own."""

    def in_locale(self, locale: str | None) -> "Apologies":
        """The sentences for a user with this locale. None: the locale is not known."""
        tag = (locale or "").lower().replace("_", "-")
        while tag:
            if tag in self.by_locale:
                return self.by_locale[tag]
            tag = tag.rpartition("-")[0]
        return self

    def for_error(self, error: Exception) -> str:
        """What the user is told about the error."""
        if isinstance(error, StateUnreadable):
            return self.state_unreadable
        if isinstance(error, StateTooLarge):
            return self.too_large
        return self.bot_failed


def apology(
    error: Exception, trigger: Activity, by: str, home: StoredDocument, texts: Apologies
) -> Attempt:
    """The attempt that stands in for one that failed: nothing changes, the user is told."""
    report(error, trigger)
    said: list[Operation] = []
    answer: list[Operation] | None = None
    if trigger.type == ActivityTypes.invoke:
        answer = [failed_invoke(trigger)]
    elif trigger.type == ActivityTypes.message:
        said = [message(texts.for_error(error), trigger)]
    # For anything else nobody has said anything, and an apology would be read, which may
    # well be the next such event.
    if trigger.delivery_mode == DeliveryModes.expect_replies:
        said, answer = [], [*said, *(answer or [])]
    return Attempt(by, said, answer, home.properties, is_apology=True)
