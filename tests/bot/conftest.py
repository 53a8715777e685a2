"""The sample's users, beside what tests/kit has."""

import pytest

from tests.kit.chat import Chat


@pytest.fixture
async def chat_with_ada(chat: Chat) -> Chat:
    """A chat with a user whose name the bot knows."""
    await chat.says("hi")
    await chat.says("Ada")
    return chat
