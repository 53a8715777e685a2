"""
Which turn an activity is, and which documents it is about.
"""

import hashlib
from dataclasses import dataclass

from botbuilder.schema import Activity, ActivityTypes

from shared.errors import MalformedActivity

_SAME_ID_AGAIN = {
    ActivityTypes.message_update,
    ActivityTypes.message_delete,
    ActivityTypes.message_reaction,
}
"""Channels may give these the id of the message that they are about, each time."""

_READABLE = 80


@dataclass(frozen=True)
class TurnIdentity:
    """Equal for every delivery of one activity."""

    home_key: str
    """The document of the conversation's state: the SDK's key."""
    user_key: str | None
    """The document of the user's state. None: nobody in particular sent the activity."""
    turn_id: str | None
    """None: the activity has no id, and its redelivery cannot be recognised."""

    @classmethod
    def of(cls, activity: Activity) -> "TurnIdentity":
        """
        Identify the turn of an activity.

        Raises:
            MalformedActivity: it belongs to no conversation.
        """
        conversation, sender = activity.conversation, activity.from_property
        if not activity.channel_id or conversation is None or not conversation.id:
            raise MalformedActivity("The activity has no channelId or no conversation.id.")
        user_id = sender.id if sender is not None else None
        return cls(
            home_key=f"{activity.channel_id}/conversations/{conversation.id}",
            user_key=f"{activity.channel_id}/users/{user_id}" if user_id else None,
            turn_id=_turn_id(activity),
        )


def _turn_id(activity: Activity) -> str | None:
    if not activity.id:
        return None
    turn_id = activity.id
    if activity.type in _SAME_ID_AGAIN:
        turn_id = f"{activity.type}:{activity.id}:{activity.timestamp}"
    if len(turn_id) > _READABLE:
        return hashlib.sha256(turn_id.encode()).hexdigest()
    return str(turn_id)
