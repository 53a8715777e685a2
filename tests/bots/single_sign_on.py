"""
The bot that signs in with a dialog, behind the SDK's middleware for single sign-on in Teams.

Each of a user's clients sends the same token; the middleware lets one through.
"""

from collections.abc import Iterable

from botbuilder.core import Bot, Middleware, Storage
from botbuilder.core.teams import TeamsSSOTokenExchangeMiddleware

from . import sign_in_dialog
from .sign_in_dialog import CONNECTION, exchange

STATE_TYPES: tuple[type, ...] = ()

SCRIPT = (
    "hello",
    exchange("a stranger's token"),
    exchange("a token of the client"),
    exchange("a token of the client"),
    "yes",
    "logout",
)
"""What a user and the user's clients send, one after the other."""

PHRASES = SCRIPT
"""What users say in simulated histories."""


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Exchange tokens, each once."""
    return [TeamsSSOTokenExchangeMiddleware(storage, CONNECTION)]


def create_bot(storage: Storage) -> Bot:
    """Make a bot that keeps its dialogs in `storage`."""
    return sign_in_dialog.create_bot(storage)
