"""
How an activity that was accepted gets a turn context when its request is over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from botbuilder.core import TurnContext


@dataclass(frozen=True)
class Accepted:
    """An activity, and what of its request is needed to answer it."""

    activity: str
    """As plain JSON."""
    service_url: str
    audience: str
    """The OAuth scope of its sender. Empty: the channel itself."""


class Contexts(Protocol):
    """The port to the adapter that the requests come through."""

    async def run(
        self, accepted: Accepted, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        """Run `logic` on a turn context of the activity, as if it had just arrived."""
