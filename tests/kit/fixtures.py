"""The fixtures of the kit, for every test."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from botbuilder.core import Storage

from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage
from tests.kit.chat import Chat, Clock
from tests.simulation.histories import play_own

Stored = Callable[[str], Awaitable[dict[str, Any] | None]]
"""Reads a document as it is stored, without its ETag; None: there is none."""

History = Callable[[int], list[str]]
"""Plays the history with this seed; returns what went wrong in it."""


@pytest.fixture
def bot_module() -> ModuleType:
    """The bot under test: a module with `create_bot` and `STATE_TYPES`."""
    return import_module("shared.bot")


@pytest.fixture
def codec(bot_module: ModuleType) -> DocumentCodec:
    """Turns what the bot remembers into JSON, and back."""
    return DocumentCodec(bot_module.STATE_TYPES)


@pytest.fixture
def storage(codec: DocumentCodec) -> Storage:
    """What the bot remembers: nothing at first."""
    return MemoryStorage(codec)


@pytest.fixture
def stored(storage: Storage, codec: DocumentCodec) -> Stored:
    """Read a document by its key: "test/users/user", "test/conversations/conversation"."""

    async def stored(key: str) -> dict[str, Any] | None:
        found = (await storage.read([key])).get(key)
        return None if found is None else codec.encode(found)

    return stored


@pytest.fixture
def clock() -> Clock:
    """A Friday afternoon, until the test sets another time."""
    return Clock()


@pytest.fixture
def chat_of(bot_module: ModuleType, storage: Storage, clock: Clock) -> Callable[..., Chat]:
    """Make a chat; those with one conversation id are the same group."""

    def chat_of(user_id: str = "user", conversation_id: str = "conversation") -> Chat:
        return Chat(bot_module.create_bot, storage, clock, user_id, conversation_id)

    return chat_of


@pytest.fixture
def chat(chat_of: Callable[..., Chat]) -> Chat:
    """A chat with a user whom the bot has never met."""
    return chat_of()


@pytest.fixture
def history(bot_module: ModuleType) -> History:
    """Play a history of failures, as `python3 dev.py torture --own --seed` does."""
    return lambda seed: play_own(seed, bot=bot_module)[1].wrong
