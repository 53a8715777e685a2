"""What is remembered about a conversation, whoever takes part in it."""

from dataclasses import dataclass, field
from typing import Any

from shared.storage import state_type

MAX_PROMPTED = 100
"""Users of one group who have been asked and have not answered."""


def _ask_again(fields: dict[str, Any]) -> dict[str, Any]:
    """Make version 2 of version 1, the article's, whose flag does not tell who was asked."""
    return fields | {"prompted_for_user_name": []}


@state_type(
    "ConversationData",
    version=2,
    formerly=("data_models.conversation_data.ConversationData",),
    migrations={1: _ask_again},
)
@dataclass
class ConversationData:
    """A property of the conversation state."""

    timestamp: str | None = None
    """When the last message was received, as its sender was told; None before the first."""
    channel_id: str | None = None
    """The channel that the last message came from; None before the first."""
    prompted_for_user_name: list[str] = field(default_factory=list)
    """Ids of the users who were asked and have not answered: in a group, others may speak first."""

    def prompt(self, user_id: str) -> None:
        """
        Note that a user was asked.

        Of more than `MAX_PROMPTED` the first are forgotten, and asked again when they speak: the
        list is read and written in every turn of the group.
        """
        self.prompted_for_user_name.append(user_id)
        del self.prompted_for_user_name[:-MAX_PROMPTED]
