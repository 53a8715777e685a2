"""Atomic turns without anything that looks after slow ones: for tests in which all are fast."""

from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import Bot, Storage, TurnContext

from shared.bells.event_loop import EventLoopBells
from shared.turns import Accepted, TransactionalBot


class NoContexts:
    """No turn is continued when its request is over."""

    async def run(
        self, accepted: Accepted, logic: Callable[[TurnContext], Awaitable[None]]
    ) -> None:
        raise NotImplementedError


def fast_turns(create_bot: Callable[[Storage], Bot], storage: Storage, **options: Any) -> Bot:
    """A bot with atomic turns."""
    return TransactionalBot(
        create_bot, storage, bells=EventLoopBells(), contexts=NoContexts(), **options
    )
