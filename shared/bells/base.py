"""What turns ask of a queue of reminders, whichever service keeps it."""

from dataclasses import dataclass
from typing import Protocol

import msgspec

from shared.errors import MalformedBell

RING_S = 2.0
"""
How long one ring may take.

A turn rings before it accepts a message, and has to answer within 12 s. The sweep makes up for a
ring that fails.
"""


@dataclass(frozen=True)
class Bell:
    """
    A reminder to look after a conversation. It carries no text and no name.

    It may come late, or twice, or be handled twice at once: so the conversation is looked at
    first.
    """

    conversation: str
    """The key of the conversation's document."""
    token: str
    """Its own name: a conversation notes which bell is in charge of it."""
    pulse: tuple[str, int] | None = None
    """Owner and beat of the conversation when it was rung. None: nobody has looked yet."""

    def to_text(self) -> str:
        """The bell as the text of a message."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str | bytes) -> "Bell":
        """
        Return the bell that `to_text` made the text of.

        Raises:
            MalformedBell: it is not one of this app's.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedBell("A message in the queue of bells is not a bell.") from error


class Bells(Protocol):
    """The port: two methods, so that another queue can stand in for Azure Storage's."""

    async def ring(self, bell: Bell, delay_s: float) -> None:
        """
        Make sure that the bell is heard, but not before `delay_s` seconds from now.

        It takes no longer than `RING_S`, and tries once.

        Raises:
            BellUnavailable: it is not certain that it will be heard.
        """

    async def close(self) -> None:
        """Close what is open. A later ring opens it again."""
