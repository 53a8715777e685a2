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
    former_id: str | None
    """What earlier versions, which looked at the activity's id alone, called the turn."""

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
            turn_id=_turn_id(activity, user_id) if activity.id else None,
            former_id=_former_id(activity) if activity.id else None,
        )


def _turn_id(activity: Activity, user_id: str | None) -> str:
    """
    Name what makes an activity this one and no other, in 16 characters without a blank.

    The id alone does not: two senders, or a message and an invoke, may have the same.
    """
    parts = [str.__str__(activity.type), user_id, activity.id]
    if activity.type in _SAME_ID_AGAIN:
        # Two of one millisecond, or without a time, still differ in what they say.
        parts += [str(activity.timestamp), activity.text]
        for reactions in (activity.reactions_added, activity.reactions_removed):
            parts.append(",".join(str(reaction.type) for reaction in reactions or []))
    name = "".join(f"{len(part or '')}:{part or ''}" for part in parts)
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]


def _former_id(activity: Activity) -> str | None:
    former_id = str(activity.id)
    if activity.type in _SAME_ID_AGAIN:
        former_id = f"{activity.type}:{activity.id}:{activity.timestamp}"
    if len(former_id) > _READABLE:
        former_id = hashlib.sha256(former_id.encode(errors="surrogatepass")).hexdigest()
    # An id with a blank could be made to look like an entry that has a time.
    return None if " " in str(activity.id) else former_id
