"""What a terminal is shown, and what a pipe gets."""

from io import StringIO

import pytest

from local.console import Console


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


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


def test_progress_in_a_pipe_is_a_line_at_each_end() -> None:
    """A log tells when a task began and how it ended, and nothing in between."""
    stream = StringIO()
    with Console(stream).progress() as progress:
        progress.show("Packing", "socks")
        progress.show("Packing", "shirts")
        progress.show("Leaving")

    assert [
        "Packing ...",
        "Packing: done in 0 s",
        "Leaving ...",
        "Leaving: done in 0 s",
    ] == stream.getvalue().splitlines()


def test_progress_on_a_terminal_leaves_one_line_for_each_task() -> None:
    """What was painted meanwhile is erased by the last word on the task."""
    stream = Terminal()
    with Console(stream).progress() as progress:
        progress.show("Packing")
        progress.show("Leaving")

    remaining = [line.rpartition("\x1b[K")[2] for line in stream.getvalue().split("\n")]
    assert ["Packing: done in 0 s", "Leaving: done in 0 s", ""] == remaining


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

    assert stream.getvalue().endswith("Packing: interrupted in 0 s\n")


def test_no_task_no_line() -> None:
    """Where there was nothing to do, nothing is said."""
    stream = StringIO()
    with Console(stream).progress():
        pass

    assert "" == stream.getvalue()
