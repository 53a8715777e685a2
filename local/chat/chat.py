"""`dev.py chat`: talk to the running bot in the terminal."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from uuid import uuid4

from local.bootstrap.commands import DEFAULT_URL, ROOT, command_parser
from local.bootstrap.console import LINE_CHARACTERS, Console
from local.bootstrap.errors import LocalError
from local.chat.replies import TYPING, lines
from local.chat.terminal_channel import Activity, TerminalChannel
from shared.log_hygiene import shown

with contextlib.suppress(ImportError):  # Windows has none
    import readline  # noqa: F401 (gives input() its line editing)

HELP = """\
/new    begin a new conversation
/help   show this
/quit   leave (so does Ctrl-D)
Everything else is sent to the bot."""

YOU = "You "
BOT = "Bot "


class Conversations:
    """Which conversation each user is in, remembered from one chat to the next."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def current(self, user_name: str) -> str:
        """Return the id of the user's last conversation, or of a first one."""
        return self._read().get(user_name) or self.begin(user_name)

    def begin(self, user_name: str) -> str:
        """Return the id of a new conversation."""
        conversation_id = str(uuid4())
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(self._read() | {user_name: conversation_id}))
        return conversation_id

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


class Chat:
    """The conversation as it is shown, and the commands in it."""

    def __init__(self, channel: TerminalChannel, conversations: Conversations) -> None:
        self._channel = channel
        self._conversations = conversations
        self._console = Console(sys.stdout)
        self._failed = False

    def run(self) -> int:
        """Chat until the user leaves; return 1 if the bot could not be reached."""
        if sys.stdin.isatty():
            self._note(f"{self._channel.url}, as {self._channel.user_name}. /help for help.")
        self._exchange(self._channel.join)
        for line in self._lines():
            match line.strip():
                case "":
                    continue
                case "/quit":
                    break
                case "/help":
                    self._note(HELP)
                case "/new":
                    self._channel.conversation_id = self._conversations.begin(
                        self._channel.user_name
                    )
                    self._exchange(self._channel.join)
                case text:
                    self._exchange(partial(self._channel.say, text))
        return int(self._failed)

    def _lines(self) -> Iterator[str]:
        """Yield what the user types, or each line of a pipe."""
        if not sys.stdin.isatty():
            for line in filter(str.strip, sys.stdin):
                # A terminal shows what is typed; a pipe's output should show it as well.
                self._console.say(YOU, shown(line.rstrip("\n").expandtabs(), LINE_CHARACTERS))
                yield line
            return
        try:
            while True:
                yield input(f"{YOU} ")
        except EOFError:
            self._console.say()
        except KeyboardInterrupt:
            # The terminal shows ^C behind the prompt.
            self._console.say()
            raise

    def _exchange(self, send: Callable[[], list[Activity]]) -> None:
        """Send something and show what comes back."""
        try:
            with self._console.meanwhile(f"{BOT} {TYPING}"):
                activities = send()
        except LocalError as error:
            self._failed = True
            self._console.say(self._console.red(str(error)))
            return
        for activity in activities:
            for number, line in enumerate(lines(activity)):
                speaker = self._console.cyan(BOT) if number == 0 else " " * len(BOT)
                self._console.say(speaker, self._console.dim(line) if line == TYPING else line)

    def _note(self, text: str) -> None:
        self._console.say(self._console.dim(text))


@dataclass(frozen=True)
class ChatOptions:
    """Who chats, and where the bot is."""

    name: str
    url: str


def parse(arguments: Sequence[str]) -> ChatOptions:
    """Read the options; exit with a usage message if they are wrong."""
    parser = command_parser("chat")
    parser.add_argument(
        "--as",
        dest="name",
        default="User",
        metavar="NAME",
        help="chat as this user (default: User)",
    )
    parser.add_argument(
        "--url", default=DEFAULT_URL, help="URL to send activities to (default: %(default)s)"
    )
    return ChatOptions(**vars(parser.parse_args(arguments)))


def main(arguments: list[str]) -> int:
    """Chat until the user leaves; return the exit code."""
    options = parse(arguments)
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    conversations = Conversations(ROOT / ".local" / "chat.json")
    channel = TerminalChannel(options.url, options.name, conversations.current(options.name))
    return Chat(channel, conversations).run()
