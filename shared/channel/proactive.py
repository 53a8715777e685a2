"""
What begins a turn that no request from the channel asks for: the bot speaks first.
"""

import uuid

from botbuilder.core.conversation_reference_extension import get_continuation_activity
from botbuilder.schema import Activity, ConversationReference

from shared.errors import MalformedActivity

_IDS = uuid.UUID("0d6f0a1c-6d0e-4c8e-9f7b-6c1f4b1f5f4e")
"""Keeps these ids apart from those that a channel gives."""


def continuation(reference: ConversationReference, turn_id: str) -> Activity:
    """
    Return the activity that the SDK makes up, always with the same id for the same turn.

    Raises:
        MalformedActivity: the reference does not say where a conversation is.
    """
    if not reference.service_url or not reference.conversation:
        raise MalformedActivity("The reference has no service_url or no conversation.")
    activity = get_continuation_activity(reference)
    activity.id = str(uuid.uuid5(_IDS, turn_id))
    return activity
