"""The conversation, turn by turn; no bot object lives longer than one turn."""

from collections.abc import Callable

import pytest
from botbuilder.core import Storage

from shared.bot.conversation_data import MAX_PROMPTED
from tests.kit.chat import Chat

WELCOME = "Welcome to State Bot Sample. Type anything to get started."
QUESTION = "What is your name?"
THANKS = "Thanks Ada. To see conversation data, type anything."
RECEIVED_AT = "Message received at: 05:15:30 PM, Friday, November 20 of 2026 UTC"
RECEIVED_FROM = "Message received from: test"


class TestWelcome:
    async def test_a_new_member_is_welcomed(self, chat: Chat) -> None:
        """A user who joins is welcomed."""
        replies = await chat.sends("conversationUpdate", membersAdded=[{"id": "user"}])

        assert [WELCOME] == replies

    async def test_the_bot_does_not_welcome_itself(self, chat: Chat) -> None:
        """Nothing is said when the bot is all that joined."""
        replies = await chat.sends("conversationUpdate", membersAdded=[{"id": "bot"}])

        assert [] == replies

    async def test_members_who_join_together_are_welcomed_once(self, chat: Chat) -> None:
        """A conversation that starts with a bot and two users starts with one welcome."""
        members = [{"id": "bot"}, {"id": "user"}, {"id": "other"}]

        replies = await chat.sends("conversationUpdate", membersAdded=members)

        assert [WELCOME] == replies

    async def test_a_channel_need_not_say_who_the_bot_is(self, chat: Chat) -> None:
        """Without a recipient, whoever joins is welcomed."""
        members = [{"id": "user"}]

        assert [WELCOME] == await chat.sends(
            "conversationUpdate", membersAdded=members, recipient=None
        )

    async def test_who_leaves_gets_no_message(self, chat: Chat) -> None:
        """Nothing is said when a member leaves."""
        replies = await chat.sends("conversationUpdate", membersRemoved=[{"id": "user"}])

        assert [] == replies


class TestName:
    async def test_the_first_message_is_answered_with_the_question(self, chat: Chat) -> None:
        """Whatever a stranger says first, the bot asks for the name."""
        assert [QUESTION] == await chat.says("hi")

    async def test_the_second_message_is_the_name(self, chat: Chat) -> None:
        """The answer to the question is taken as the name, without the space around it."""
        await chat.says("hi")

        assert [THANKS] == await chat.says("  Ada\n")

    async def test_the_name_is_asked_once(self, chat_with_ada: Chat) -> None:
        """A known user is never asked again in the same conversation."""
        replies = await chat_with_ada.says("hello")

        assert QUESTION not in replies

    async def test_the_name_is_known_in_every_conversation(
        self, chat_with_ada: Chat, chat_of: Callable[..., Chat]
    ) -> None:
        """The name belongs to the user: another conversation with the same user has it too."""
        replies = await chat_of(conversation_id="another").says("hello")

        assert "Ada sent: hello" == replies[0]

    async def test_a_forgotten_user_is_asked_again(
        self, chat_with_ada: Chat, storage: Storage
    ) -> None:
        """When the user's document is deleted, the next message is not taken for an answer."""
        await storage.delete(["test/users/user"])

        assert [QUESTION] == await chat_with_ada.says("hello")

    async def test_what_is_no_name_is_answered_with_why_and_the_question(self, chat: Chat) -> None:
        """A refused name costs nothing: the next answer may be the name."""
        await chat.says("hi")

        assert [f"That looks like a number. {QUESTION}"] == await chat.says("42")
        assert [f"That looks like an e-mail address. {QUESTION}"] == await chat.says("a@b.com")
        assert [f"That is longer than 100 characters. {QUESTION}"] == await chat.says("a" * 101)
        assert [THANKS] == await chat.says("Ada")

    async def test_a_question_in_one_conversation_is_not_answered_in_another(
        self, chat: Chat, chat_of: Callable[..., Chat]
    ) -> None:
        """Only the conversation that heard the question takes a message as its answer."""
        await chat.says("hi")

        assert [QUESTION] == await chat_of(conversation_id="another").says("hello")


class TestKnownUser:
    async def test_a_message_is_answered_with_what_when_and_where(
        self, chat_with_ada: Chat
    ) -> None:
        """Three replies: the message, its time and its channel."""
        replies = await chat_with_ada.says("hello")

        assert ["Ada sent: hello", RECEIVED_AT, RECEIVED_FROM] == replies

    async def test_the_time_is_the_users_own(self, chat_with_ada: Chat) -> None:
        """The time is read off the user's clock, if the channel sends it."""
        replies = await chat_with_ada.says("hello", localTimestamp="2026-11-20T18:15:30+01:00")

        assert "Message received at: 06:15:30 PM, Friday, November 20 of 2026" == replies[1]

    async def test_a_users_words_are_shown_as_they_are(self, chat_with_ada: Chat) -> None:
        """Markup in a message is text: it cannot become a link under the bot's name."""
        [echo, *_] = await chat_with_ada.replies_to("message", text="[log in](https://evil.test)")

        assert ("Ada sent: [log in](https://evil.test)", "plain") == (echo.text, echo.text_format)

    async def test_a_users_name_is_shown_as_it_is(self, chat: Chat) -> None:
        """Markup in a name is text, too."""
        await chat.says("hi")

        [thanks] = await chat.replies_to("message", text="**Ada**")

        assert "Thanks **Ada**. To see conversation data, type anything." == thanks.text
        assert "plain" == thanks.text_format


NO_TEXT = [
    pytest.param({"text": None, "attachments": [{"contentType": "image/png"}]}, id="attachment"),
    pytest.param({"text": None, "value": {"choice": 1}}, id="card-submit"),
    pytest.param({"text": " \n\t"}, id="whitespace"),
    pytest.param(
        {
            "text": "<at>Bot</at>\n",
            "entities": [
                {"type": "mention", "mentioned": {"id": "bot"}, "text": "<at>Bot</at>"},
            ],
        },
        id="only-the-mention",
    ),
]


@pytest.mark.parametrize("message", NO_TEXT)
class TestMessageWithoutText:
    async def test_it_is_asked_who_sent_it(self, chat: Chat, message: dict[str, object]) -> None:
        """From a stranger, it is answered with the question, as every first message."""
        assert [QUESTION] == await chat.sends("message", **message)

    async def test_it_is_no_name(self, chat: Chat, message: dict[str, object]) -> None:
        """In place of a name, it is answered with the question again."""
        await chat.says("hi")

        assert [f"There is no text in that. {QUESTION}"] == await chat.sends("message", **message)
        assert [THANKS] == await chat.says("Ada")

    async def test_it_is_acknowledged(
        self, chat_with_ada: Chat, message: dict[str, object]
    ) -> None:
        """From a known user, it is answered like any other message."""
        replies = await chat_with_ada.sends("message", **message)

        assert ["Ada sent a message without text.", RECEIVED_AT, RECEIVED_FROM] == replies


class TestGroup:
    async def test_everyone_is_asked_and_answers_for_themselves(
        self, chat_of: Callable[..., Chat]
    ) -> None:
        """What another member says meanwhile is not taken as the name that one was asked for."""
        ada, grace = chat_of("ada"), chat_of("grace")

        assert [QUESTION] == await ada.says("hi")
        assert [QUESTION] == await grace.says("hello everybody")
        assert [THANKS] == await ada.says("Ada")
        assert ["Thanks Grace. To see conversation data, type anything."] == await grace.says(
            "Grace"
        )
        assert "Ada sent: nice to meet you" == (await ada.says("nice to meet you"))[0]

    async def test_a_name_may_be_told_by_mentioning_the_bot(self, chat: Chat) -> None:
        """Where a bot must be mentioned to hear a message, the mention is no part of the name."""
        mention = {
            "type": "mention",
            "mentioned": {"id": "bot", "name": "Bot"},
            "text": "<at>Bot</at>",
        }
        await chat.says("<at>Bot</at> hi", entities=[mention])

        assert [THANKS] == await chat.says("<at>Bot</at> Ada", entities=[mention])

    async def test_a_large_group_does_not_grow_without_bound(
        self, chat_of: Callable[..., Chat], storage: Storage
    ) -> None:
        """Of the many who never answer the first are forgotten, and asked again when they speak."""
        for n in range(MAX_PROMPTED + 1):
            assert [QUESTION] == await chat_of(f"user-{n}").says("hi")

        documents = await storage.read(["test/conversations/conversation"])
        prompted = documents["test/conversations/conversation"]["ConversationData"]
        assert MAX_PROMPTED == len(prompted.prompted_for_user_name)
        assert [THANKS] == await chat_of(f"user-{MAX_PROMPTED}").says("Ada")
        assert [QUESTION] == await chat_of("user-0").says("Ada")
        assert [THANKS] == await chat_of("user-0").says("Ada")


class TestOtherActivities:
    @pytest.mark.parametrize(
        "activity_type",
        [
            "messageUpdate",
            "messageDelete",
            "messageReaction",
            "event",
            "typing",
            "installationUpdate",
            "endOfConversation",
            "contactRelationUpdate",
            "never heard of",
        ],
    )
    async def test_nothing_is_said_and_nothing_remembered(
        self, chat: Chat, storage: Storage, activity_type: str
    ) -> None:
        """What is no message changes no state and gets no reply, not even in place of a name."""
        await chat.says("hi")
        before = await self._documents(storage)

        assert [] == await chat.sends(activity_type, text="Bob", name="Bob", action="add")
        assert before == await self._documents(storage)

    async def test_an_unknown_invoke_is_not_implemented(self, chat: Chat) -> None:
        """An invoke that the bot does not know is answered with HTTP status 501."""
        [response] = await chat.replies_to("invoke", name="unknown/invoke")

        assert ("invokeResponse", 501) == (response.type, response.value.status)

    @staticmethod
    async def _documents(storage: Storage) -> str:
        keys = ["test/users/user", "test/conversations/conversation"]
        return repr(await storage.read(keys))
