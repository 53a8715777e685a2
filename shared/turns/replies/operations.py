"""
What a bot asks of its channel in a turn, as it waits in the journal.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from typing import Any

import msgspec
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference

from shared.errors import StateNotStorable
from shared.sdk_json import activity_from_json, to_plain_json

_logger = logging.getLogger(__name__)


class Verb(StrEnum):
    """What is done with an activity."""

    SEND = "send"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Operation:
    """One thing to do in the channel."""

    verb: Verb
    subject: Activity | ConversationReference
    """A reference where the verb is DELETE, else an activity."""
    given_id: str = ""
    """The id that the bot was given for an activity before it was sent."""

    def to_text(self) -> str:
        """
        The operation as JSON; kept as text, it is opaque to whatever stores it.

        Raises:
            StateNotStorable: it contains something that JSON cannot express.
        """
        return self._text

    @cached_property
    def _text(self) -> str:
        try:
            plain = {
                "verb": self.verb.value,
                "id": self.given_id,
                "subject": to_plain_json(self.subject),
            }
            return msgspec.json.encode(plain).decode()
        except UnicodeEncodeError as error:
            raise StateNotStorable(
                "A reply contains half of a surrogate pair, which is not a character; remove it."
            ) from error
        except Exception as error:
            # It has no end, say, or contains an object of the bot's whose own code fails.
            raise StateNotStorable(
                f"A reply contains something that JSON cannot express ({type(error).__name__})."
            ) from error

    @property
    def is_invoke_response(self) -> bool:
        """Whether it is the answer to an invoke, and nothing for the channel."""
        return self.verb is Verb.SEND and self.subject.type == ActivityTypes.invoke_response

    @classmethod
    def from_text(cls, text: str) -> "Operation":
        """The operation that was stored."""
        plain: dict[str, Any] = msgspec.json.decode(text)
        verb = Verb(plain["verb"])
        subject = plain["subject"]
        if verb is Verb.DELETE:
            return cls(verb, ConversationReference.deserialize(subject))
        activity = activity_from_json(subject)
        if activity.type == ActivityTypes.invoke_response and activity.value is not None:
            # The adapter reads status and body as attributes.
            activity.value = InvokeResponse(**activity.value)
        return cls(verb, activity, plain["id"])


def read_operations(texts: list[str]) -> list[Operation | None]:
    """The operations that were stored. None: one that cannot be read, which the log tells."""
    operations: list[Operation | None] = []
    for text in texts:
        try:
            operations.append(Operation.from_text(text))
        except Exception as error:
            # Whatever it is: what is stored will not change, and the turn must go on.
            _logger.error("A stored reply cannot be read (%s).", type(error).__name__)
            operations.append(None)
    return operations


def message(text: str, trigger: Activity) -> Operation:
    """A text to the sender of the activity."""
    return Operation(Verb.SEND, _reply(trigger, ActivityTypes.message, text=text))


def typing_to(trigger: Activity) -> Activity:
    """The sign that an answer is being made."""
    return _reply(trigger, ActivityTypes.typing)


def failed_invoke(trigger: Activity) -> Operation:
    """The answer to an invoke that the bot did not survive."""
    response = InvokeResponse(status=int(HTTPStatus.INTERNAL_SERVER_ERROR))
    return Operation(Verb.SEND, _reply(trigger, ActivityTypes.invoke_response, value=response))


def _reply(trigger: Activity, activity_type: str, **fields: Any) -> Activity:
    reference = TurnContext.get_conversation_reference(trigger)
    hint = None if activity_type == ActivityTypes.typing else "acceptingInput"
    reply = Activity(type=activity_type, input_hint=hint, **fields)
    return TurnContext.apply_conversation_reference(reply, reference)
