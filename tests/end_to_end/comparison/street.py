"""
All bots that are compared in one app, so that killing one host kills them all.

This file is deployed as shared/bot, with the bots beside it: a conversation's id says which of
them it is with.
"""

from importlib import import_module
from pathlib import Path

from botbuilder.core import Bot, Storage, TurnContext

BOTS = {
    path.stem.replace("_", "-"): import_module(f"{__name__}.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))
}

STATE_TYPES = tuple(kind for bot in BOTS.values() for kind in bot.STATE_TYPES)


class Street(Bot):
    """Hands each turn to the bot of its conversation."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def on_turn(self, context: TurnContext) -> None:
        bot = BOTS[context.activity.conversation.id]
        await bot.create_bot(self._storage).on_turn(context)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that is all of them."""
    return Street(storage)
