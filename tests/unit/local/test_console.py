"""What a terminal is shown, and what a pipe gets."""

import re
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from local.bootstrap.console import Console
from tests.programs.programs import eventually


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def timeless(text: str) -> str:
    """The text without the seconds that anything took."""
    return re.sub(r"in \d+ s", "in N s", text)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of an ordinary terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_terminal_has_colours() -> None:
    """A style is an escape sequence around the text."""
    assert "\x1b[31mno\x1b[0m" == Console(Terminal()).red("no")


def test_a_pipe_has_none() -> None:
    """A file or a log gets plain text."""
    assert "no" == Console(StringIO()).red("no")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """NO_COLOR and terminals that know no colours are respected."""
    monkeypatch.setenv(name, value)

    assert "no" == Console(Terminal()).red("no")


@pytest.mark.parametrize("stream", [StringIO(), Terminal()], ids=["pipe", "terminal"])
@pytest.mark.parametrize(
    "show",
    [
        lambda console, text: console.say(text),
        lambda console, text: console.say("The bot answered", text),
        lambda console, text: console.say(console.bold("Bot"), text),
        lambda console, text: console.say(console.red(text)),
        lambda console, text: console.say(f"{console.red('the bot')}: {text}"),
    ],
)
def test_a_text_cannot_steer_the_terminal(
    stream: StringIO, show: Callable[[Console, str], None]
) -> None:
    """Escape sequences that are not the console's own are shown, in colour and without."""
    show(Console(stream), "\x1b]0;x\x07\x1b[2J\u202e\r\u2028")

    assert "\\x1b]0;x\\x07\\x1b[2J\\u202e\\r\\u2028" in stream.getvalue()
    assert re.sub(r"\x1b\[\d*m|\n", "", stream.getvalue()).isprintable()


def test_a_long_text_is_cut() -> None:
    """Each line has an end, and the lines of one text stay lines."""
    stream = StringIO()

    Console(stream).say("a" * 200_000 + "\nb")

    first, second = stream.getvalue().splitlines()
    assert len(first) < 10_100
    assert "b" == second


def test_a_stream_that_lacks_characters_gets_escapes() -> None:
    """What a code page cannot say ends no command."""
    written = BytesIO()
    stream = TextIOWrapper(written, encoding="ascii")

    Console(stream).say("Grüße")

    assert [b"Gr\\xfc\\xdfe"] == written.getvalue().splitlines()


def test_what_is_shown_meanwhile_is_erased() -> None:
    """On a terminal it stands there until the block ends; a pipe never sees it."""
    terminal, pipe = Terminal(), StringIO()
    for stream in (terminal, pipe):
        with Console(stream).meanwhile("typing"):
            pass

    assert "typing" in terminal.getvalue()
    assert "" == terminal.getvalue().rpartition("\x1b[K")[2]
    assert "" == pipe.getvalue()


def test_progress_shows_what_others_print_escaped() -> None:
    """The lines of an installer are escaped while they are painted."""
    stream = Terminal()
    with Console(stream).progress() as progress:
        progress.show("Packing", "\x1b]0;x\x07")
        eventually(lambda: "x\\x07" in stream.getvalue())

    assert "\x07" not in stream.getvalue()


def test_progress_in_a_pipe_is_a_line_at_each_end() -> None:
    """A log tells when a task began and how it ended, and nothing in between."""
    stream = StringIO()
    with Console(stream).progress() as progress:
        progress.show("Packing", "socks")
        progress.show("Packing", "shirts")
        progress.show("Leaving")

    assert [
        "Packing ...",
        "Packing: done in N s",
        "Leaving ...",
        "Leaving: done in N s",
    ] == timeless(stream.getvalue()).splitlines()


def test_progress_on_a_terminal_leaves_one_line_for_each_task() -> None:
    """What was painted meanwhile is erased by the last word on the task."""
    stream = Terminal()
    with Console(stream).progress() as progress:
        progress.show("Packing")
        progress.show("Leaving")

    written = timeless(stream.getvalue()).split("\n")
    remaining = [line.rpartition("\x1b[K")[2] for line in written]
    assert ["Packing: done in N s", "Leaving: done in N s", ""] == remaining


def test_an_interrupted_task_is_not_called_done() -> None:
    """What ended in an exception says so."""
    stream = StringIO()
    console = Console(stream)

    def pack() -> None:
        with console.progress() as progress:
            progress.show("Packing")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack()

    assert timeless(stream.getvalue()).endswith("Packing: interrupted in N s\n")


def test_no_task_no_line() -> None:
    """Where there was nothing to do, nothing is said."""
    stream = StringIO()
    with Console(stream).progress():
        pass

    assert "" == stream.getvalue()
