"""Chatting in the terminal, through pipes, with a bot in a process of its own."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.bootstrap.ports import listen
from local.chat.chat import Conversations
from local.chat.terminal_channel import Activity, TerminalChannel
from local.functions_host.host_process import HostProcess
from tests.programs.conftest import Run


@pytest.fixture
def bot(project: Path) -> Iterator[str]:
    """The URL of a bot that runs."""
    with HostProcess(project, quiet=True) as host:
        host.start({})
        yield f"http://127.0.0.1:{host.port}/api/messages"


@pytest.fixture
def nobody() -> str:
    """A URL where no bot runs."""
    with listen(0) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/api/messages"


class TestChat:
    def test_lines_of_a_pipe_are_sent_and_answered(self, run: Run, bot: str) -> None:
        """The bot greets, then answers each line; the transcript is plain text."""
        chat = run("-m", "local", "chat", "--url", bot)

        chat.type("hello\n\nagain\n")

        assert 0 == chat.wait()
        assert [
            "Bot  Welcome",
            "You  hello",
            "Bot  Turn 2: hello",
            "You  again",
            "Bot  Turn 3: again",
        ] == chat.output.splitlines()

    def test_quit_leaves(self, run: Run, bot: str) -> None:
        """Nothing after /quit is sent."""
        chat = run("-m", "local", "chat", "--url", bot)

        chat.type("/quit\nhello\n")

        assert 0 == chat.wait()
        assert "hello" not in chat.output

    def test_help_is_not_sent(self, run: Run, bot: str) -> None:
        """/help explains the commands, and is no turn."""
        chat = run("-m", "local", "chat", "--url", bot)

        chat.type("/help\nhello\n")

        chat.wait()
        assert "/new " in chat.output
        assert "Turn 2: hello" in chat.output

    def test_a_user_goes_on_in_the_same_conversation(self, run: Run, bot: str) -> None:
        """A second chat of one user is the same conversation; another user has another."""
        ada = talk(run, bot, "Ada")
        ada_again = talk(run, bot, "Ada")
        bob = talk(run, bot, "Bob")

        assert ada["conversation"] == ada_again["conversation"]
        assert ada["conversation"] != bob["conversation"]
        assert ("Ada", "Bob") == (ada_again["from"]["name"], bob["from"]["name"])

    def test_new_begins_a_new_conversation(self, run: Run, bot: str) -> None:
        """After /new the bot greets again, and later chats stay in the new conversation."""
        before = talk(run, bot, "Ada")
        chat = run("-m", "local", "chat", "--url", bot, "--as", "Ada")
        chat.type("/new\n")
        chat.wait()
        after = talk(run, bot, "Ada")

        assert 2 == chat.output.count("Welcome")
        assert before["conversation"] != after["conversation"]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("refuse", "The bot answered 400: no such thing\n"),
            ("fail", "The bot failed (500); the console where it runs says why."),
        ],
    )
    def test_an_error_is_one_sentence(self, run: Run, bot: str, text: str, complaint: str) -> None:
        """What goes wrong is told, the chat goes on, and the exit code remembers it."""
        chat = run("-m", "local", "chat", "--url", bot)

        chat.type(f"{text}\nhello\n")

        assert 1 == chat.wait()
        assert complaint in chat.output
        assert ": hello" in chat.output

    def test_nothing_that_is_said_steers_the_terminal(self, run: Run, bot: str) -> None:
        """What is typed, answered and complained of is shown escaped, each in its line."""
        chat = run("-m", "local", "chat", "--url", bot)

        chat.type("\x1b]0;x\x07\u202e\nrepeat \x1b]0;y\x07\n")

        assert 1 == chat.wait()
        assert [
            "Bot  Welcome",
            "You  \\x1b]0;x\\x07\\u202e",
            "Bot  Turn 2: \\x1b]0;x\\x07\\u202e",
            "You  repeat \\x1b]0;y\\x07",
            "The bot answered 400: repeat \\x1b]0;y\\x07",
        ] == chat.output.splitlines()

    def test_what_is_no_text_is_sent_as_well_as_it_can(self, run: Run, bot: str) -> None:
        """A pipe may bring any bytes."""
        chat = run("-m", "local", "chat", "--url", bot)
        chat.process.communicate(b"\xff\n")

        assert 0 == chat.wait()
        assert "Bot  Turn 2: \ufffd" == chat.output.splitlines()[-1]

    def test_without_a_bot_it_says_how_to_start_one(self, run: Run, nobody: str) -> None:
        """Nobody has to know what "connection refused" means."""
        chat = run("-m", "local", "chat", "--url", nobody)

        chat.type("")

        assert 1 == chat.wait()
        assert f"No bot answers at {nobody}; start it with: python3 dev.py start\n" == chat.output


def talk(run: Run, url: str, name: str) -> Activity:
    """Chat as that user, and return the message as the bot has got it."""
    chat = run("-m", "local", "chat", "--url", url, "--as", name)
    chat.type("show\n")
    chat.wait()
    shown = chat.output.splitlines()[-1]
    activity: Activity = json.loads(shown.removeprefix("Bot  "))
    return activity


class TestActivities:
    def test_a_message_has_what_a_channel_sends(self, bot: str) -> None:
        """Times, places and people of a message are those of a real channel."""
        channel = TerminalChannel(bot, "Ada", "conversation-1")

        sent = json.loads(channel.say("show")[0]["text"])

        assert {
            "type": "message",
            "text": "show",
            "textFormat": "plain",
            "channelId": "emulator",
            "deliveryMode": "expectReplies",
            "conversation": {"id": "conversation-1"},
            "from": {"id": "terminal-Ada", "name": "Ada", "role": "user"},
            "recipient": {"id": "bot", "name": "Bot", "role": "bot"},
            "serviceUrl": bot.removesuffix("/api/messages"),
        }.items() <= sent.items()
        assert datetime.fromisoformat(sent["timestamp"]) == datetime.fromisoformat(
            sent["localTimestamp"]
        )

    def test_the_local_time_is_the_users(self, run: Run, bot: str) -> None:
        """The clock and the name of this machine's time zone go with each message."""
        chat = run("-m", "local", "chat", "--url", bot, TZ="Asia/Kolkata")
        chat.type("show\n")
        chat.wait()

        sent = json.loads(chat.output.splitlines()[-1].removeprefix("Bot  "))
        assert "Asia/Kolkata" == sent["localTimezone"]
        offset = datetime.fromisoformat(sent["localTimestamp"]).utcoffset()
        assert timedelta(hours=5, minutes=30) == offset

    def test_every_activity_has_an_id_of_its_own(self, bot: str) -> None:
        """The same words twice are two messages, not a redelivery."""
        channel = TerminalChannel(bot, "Ada", "conversation-1")

        ids = {json.loads(channel.say("show")[0]["text"])["id"] for _ in range(2)}

        assert 2 == len(ids)

    @pytest.mark.parametrize("url", ["messages", "ftp://localhost/", "http://"])
    def test_a_wrong_url_is_an_error(self, url: str) -> None:
        """The error says which option to check."""
        with pytest.raises(LocalError) as caught:
            TerminalChannel(url, "Ada", "conversation-1").join()

        assert "--url" in str(caught.value)

    def test_something_else_at_the_url_is_an_error(self, bot: str) -> None:
        """A web server that is no bot is recognised as such."""
        root = bot.removesuffix("api/messages")

        with pytest.raises(LocalError) as caught:
            TerminalChannel(root, "Ada", "conversation-1").join()

        assert "not as a bot" in str(caught.value)


def test_a_damaged_memory_of_conversations_is_a_new_one(tmp_path: Path) -> None:
    """Whatever happened to the file, the chat begins."""
    file = tmp_path / "chat.json"
    file.write_text("{")

    conversation_id = Conversations(file).current("Ada")

    assert conversation_id == Conversations(file).current("Ada")
