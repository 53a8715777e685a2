"""A queue's message as a function gets it."""

import base64
import re
from datetime import UTC, datetime

from azure.functions.queue import QueueMessage

from local.functions_host.triggers.queue import Message

_SPACE = re.compile(r"[ \t\r\n]")
_BASE64 = re.compile("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def decoded(text: str, *, is_base64: bool) -> bytes:
    """
    Return the body that a message's text stands for.

    Raises:
        ValueError: the text is no base64.
    """
    if not is_base64:
        return text.encode()
    # .NET lets spaces and line breaks in base64 pass, but, other than Python, no surplus "====".
    letters = _SPACE.sub("", text)
    if not _BASE64.fullmatch(letters):
        raise ValueError("the text is no base64")
    return base64.b64decode(letters)


def to_function(message: Message, body: bytes, *, as_bytes: bool) -> QueueMessage:
    """
    Return the message as Azure's Python worker makes it for a function.

    Unless the binding's `dataType` is "binary", the host hands the body on as text, in which what
    is no UTF-8 has become U+FFFD.
    """
    return QueueMessage(  # type: ignore[no-untyped-call]
        id=message.id,
        body=body if as_bytes else body.decode(errors="replace"),
        dequeue_count=message.dequeue_count,
        expiration_time=_utc(message.expires_on),
        insertion_time=_utc(message.inserted_on),
        time_next_visible=_utc(message.next_visible_on),
        pop_receipt=message.pop_receipt,
    )


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)
