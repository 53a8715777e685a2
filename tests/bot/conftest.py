"""A conversation with the bot, in which nothing but the storage outlives a turn."""

from collections.abc import Callable
from typing import Any

import pytest
from botbuilder.core import Storage
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from shared.bot import STATE_TYPES, create_bot
from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage


class Chat:
    """Sends activities as a channel writes them and returns the texts of the replies."""

    def __init__(self, storage: Storage, user_id: str, conversation_id: str) -> None:
        self._storage = storage
        self._from = {
            "channelId": "test",
            "from": {"id": user_id},
            "recipient": {"id": "bot", "name": "Bot"},
            "conversation": {"id": conversation_id},
            "timestamp": "2026-11-20T17:15:30.123Z",
        }

    async def says(self, text: str | None, **fields: Any) -> list[str]:
        return await self.sends("message", text=text, **fields)

    async def sends(self, activity_type: str, **fields: Any) -> list[str]:
        return [reply.text for reply in await self.replies_to(activity_type, **fields)]

    async def replies_to(self, activity_type: str, **fields: Any) -> list[Activity]:
        activity = Activity.deserialize(self._from | {"type": activity_type} | fields)
        adapter = TestAdapter(create_bot(self._storage).on_turn, activity)
        # The adapter fills what is missing from its template, which is the activity itself.
        await adapter.receive_activity(Activity())
        replies: list[Activity] = adapter.activity_buffer
        return replies


@pytest.fixture
def codec() -> DocumentCodec:
    return DocumentCodec(STATE_TYPES)


@pytest.fixture
def storage(codec: DocumentCodec) -> Storage:
    return MemoryStorage(codec)


@pytest.fixture
def chat_of(storage: Storage) -> Callable[..., Chat]:
    """Make a chat; those with one conversation id are the same group."""

    def chat_of(user_id: str = "user", conversation_id: str = "conversation") -> Chat:
        return Chat(storage, user_id, conversation_id)

    return chat_of


@pytest.fixture
def chat(chat_of: Callable[..., Chat]) -> Chat:
    """A chat with a user whom the bot has never met."""
    return chat_of()


@pytest.fixture
async def chat_with_ada(chat: Chat) -> Chat:
    """A chat with a user whose name the bot knows."""
    await chat.says("hi")
    await chat.says("Ada")
    return chat
