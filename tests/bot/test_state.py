"""What the bot remembers, as it is stored."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botbuilder.core import Storage

from shared.bot.conversation_data import ConversationData
from shared.bot.user_profile import UserProfile
from shared.storage.codec.documents import DocumentCodec
from tests.bot.conftest import Chat

USER, CONVERSATION = "test/users/user", "test/conversations/conversation"


Stored = Callable[[], Awaitable[dict[str, dict[str, Any]]]]


@pytest.fixture
def stored(storage: Storage, codec: DocumentCodec) -> Stored:
    """Read the documents as they are stored, without their ETags."""

    async def stored() -> dict[str, dict[str, Any]]:
        documents = await storage.read([USER, CONVERSATION])
        for document in documents.values():
            del document["e_tag"]
        return {key: codec.encode(document) for key, document in documents.items()}

    return stored


async def test_a_welcome_is_not_remembered(chat: Chat, stored: Stored) -> None:
    """Who only joins leaves nothing behind."""
    await chat.sends("conversationUpdate", membersAdded=[{"id": "user"}])

    assert {} == await stored()


async def test_who_was_asked_is_remembered_with_the_conversation(
    chat: Chat, stored: Stored
) -> None:
    """After the question, the conversation knows whom it was put to."""
    await chat.says("hi")

    documents = await stored()

    assert ["user"] == documents[CONVERSATION]["ConversationData"]["prompted_for_user_name"]


async def test_the_name_is_remembered_with_the_user_and_the_message_with_the_conversation(
    chat_with_ada: Chat, stored: Stored
) -> None:
    """The name is in user state, time and channel in conversation state, the text in neither."""
    await chat_with_ada.says("hello")

    assert {
        USER: {"UserProfile": {"$type": "UserProfile", "$version": 1, "name": "Ada"}},
        CONVERSATION: {
            "ConversationData": {
                "$type": "ConversationData",
                "$version": 2,
                "timestamp": "05:15:30 PM, Friday, November 20 of 2026 UTC",
                "channel_id": "test",
                "prompted_for_user_name": [],
            }
        },
    } == await stored()


def test_documents_of_the_articles_sample_are_read(codec: DocumentCodec) -> None:
    """Pointed at the sample's container, the bot knows its users; an open question is put again."""
    document = {
        "UserProfile": {"py/object": "data_models.user_profile.UserProfile", "name": "Ada"},
        "ConversationData": {
            "py/object": "data_models.conversation_data.ConversationData",
            "timestamp": "05:15:30 PM, Friday, November 20 of 2026",
            "channel_id": "emulator",
            "prompted_for_user_name": True,
        },
    }

    assert {
        "UserProfile": UserProfile(name="Ada"),
        "ConversationData": ConversationData(
            timestamp="05:15:30 PM, Friday, November 20 of 2026",
            channel_id="emulator",
            prompted_for_user_name=[],
        ),
    } == codec.decode(document)
