"""What the bot remembers, as it is stored."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.bot.conversation_data import ConversationData
from shared.bot.user_profile import UserProfile
from shared.storage.codec.documents import DocumentCodec
from tests.kit.chat import Chat
from tests.kit.fixtures import Stored

USER, CONVERSATION = "test/users/user", "test/conversations/conversation"

Documents = Callable[[], Awaitable[dict[str, dict[str, Any]]]]


@pytest.fixture
def documents(stored: Stored) -> Documents:
    """Read both documents as they are stored."""

    async def documents() -> dict[str, dict[str, Any]]:
        found = {key: await stored(key) for key in (USER, CONVERSATION)}
        return {key: document for key, document in found.items() if document is not None}

    return documents


async def test_a_welcome_is_not_remembered(chat: Chat, documents: Documents) -> None:
    """Who only joins leaves nothing behind."""
    await chat.sends("conversationUpdate", membersAdded=[{"id": "user"}])

    assert {} == await documents()


async def test_who_was_asked_is_remembered_with_the_conversation(
    chat: Chat, documents: Documents
) -> None:
    """After the question, the conversation knows whom it was put to."""
    await chat.says("hi")

    found = await documents()

    assert ["user"] == found[CONVERSATION]["ConversationData"]["prompted_for_user_name"]


async def test_the_name_is_remembered_with_the_user_and_the_message_with_the_conversation(
    chat_with_ada: Chat, documents: Documents
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
    } == await documents()


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
