"""
Activities as texts: what is kept of one to run or to answer it when its request is over.
"""

import json

import msgspec
from botbuilder.schema import Activity, ActivityTypes

from shared.sdk_json import activity_from_json, to_plain_json
from shared.turns.replies.operations import Operation, Verb


def activity_text(activity: Activity) -> str:
    """The activity as JSON; kept as text, it is opaque to whatever stores it."""
    plain = to_plain_json(activity)
    try:
        return msgspec.json.encode(plain).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a user may type: only as an escape can it be stored.
        return json.dumps(plain)


def reference_text(activity: Activity) -> str:
    """As much of an activity as must be known to answer it."""
    return activity_text(
        Activity(
            type=ActivityTypes.message,
            id=activity.id,
            from_property=activity.from_property,
            recipient=activity.recipient,
            conversation=activity.conversation,
            channel_id=activity.channel_id,
            service_url=activity.service_url,
            locale=activity.locale,
        )
    )


def trigger_of(said: list[Operation | None], text: str = "") -> Activity | None:
    """
    As much of the activity that a turn answers as its replies tell, or else as `text` tells.

    None: neither tells anything.
    """
    for operation in said:
        if operation is not None and operation.verb is Verb.SEND:
            reply = operation.subject
            return Activity(
                type=ActivityTypes.message,
                id=reply.reply_to_id,
                from_property=reply.recipient,
                recipient=reply.from_property,
                conversation=reply.conversation,
                channel_id=reply.channel_id,
                service_url=reply.service_url,
                locale=reply.locale,
            )
    try:
        return activity_from_json(json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None
