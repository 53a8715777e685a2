"""
All bots that are compared in one app, so that killing one host kills them all.

This file is deployed as shared/bot, with the bots beside it: a conversation's id says which of
them it is with.
"""

from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from botbuilder.core import Bot, Middleware, MiddlewareSet, Storage, TurnContext

BOTS = {
    path.stem.replace("_", "-"): import_module(f"{__name__}.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))
}

STATE_TYPES = tuple(kind for bot in BOTS.values() for kind in bot.STATE_TYPES)


def bot_of(context: TurnContext) -> ModuleType | None:
    """Return the bot of the conversation. None: one of them has begun it, with logic of its own."""
    return BOTS.get(context.activity.conversation.id.partition(";")[0])


class Street(Bot):
    """Hands each turn to the bot of its conversation."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def on_turn(self, context: TurnContext) -> None:
        bot = bot_of(context)
        assert bot is not None
        await bot.create_bot(self._storage).on_turn(context)


class StreetMiddleware(Middleware):
    """Runs the middleware of the conversation's bot."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        create = getattr(bot_of(context), "create_middleware", None)
        middleware = MiddlewareSet()
        for one in create(self._storage) if create else ():
            middleware.use(one)
        await middleware.receive_activity_internal(context, lambda _: logic())


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Make middleware that is that of all of them."""
    return [StreetMiddleware(storage)]


async def on_error(context: TurnContext, error: Exception) -> None:
    """Handle an error as the conversation's bot does."""
    handle = getattr(bot_of(context), "on_error", None)
    if handle is None:
        raise error
    await handle(context, error)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that is all of them."""
    return Street(storage)
