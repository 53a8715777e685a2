"""
What is shown on a terminal, or written to a pipe. Standard library only.

Colours and lines that change are for terminals; NO_COLOR (https://no-color.org) is honoured.
Texts are shown escaped and cut: most errors quote something that came from outside.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

from shared.log_hygiene import shown

LINE_CHARACTERS = 10_000
"""How much of a line is shown. Messages may be ten times as long, but seldom as one line."""

_REFRESH_INTERVAL_S = 0.1
_ERASE_LINE = "\r\x1b[K"


class Styled(str):
    """A text in which the escape sequences are the console's own."""

    __slots__ = ()


class Console:
    """One output stream and what it can show."""

    def __init__(self, stream: TextIO) -> None:
        if isinstance(stream, TextIOWrapper):
            # Windows' code pages, and the C locale, lack most characters.
            stream.reconfigure(errors="backslashreplace")
        self._stream = stream
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self.is_terminal and not os.environ.get("NO_COLOR")
        if self._colours and sys.platform == "win32":
            # In older consoles an empty command switches escape sequences on.
            os.system("")  # noqa: S605 (a constant)

    def say(self, *parts: str) -> None:
        """Write the parts with spaces between them, and the end of the line, at once."""
        print(*map(_visible, parts), file=self._stream, flush=True)

    def bold(self, text: str) -> Styled:
        return self._styled(text, "1")

    def dim(self, text: str) -> Styled:
        return self._styled(text, "2")

    def red(self, text: str) -> Styled:
        return self._styled(text, "31")

    def green(self, text: str) -> Styled:
        return self._styled(text, "32")

    def yellow(self, text: str) -> Styled:
        return self._styled(text, "33")

    def cyan(self, text: str) -> Styled:
        return self._styled(text, "1;36")

    @contextmanager
    def meanwhile(self, text: str) -> Iterator[None]:
        """Show the text on a terminal while the block runs, then remove it."""
        if self.is_terminal:
            self._stream.write(self.dim(text))
            self._stream.flush()
        try:
            yield
        finally:
            if self.is_terminal:
                self._stream.write(_ERASE_LINE)
                self._stream.flush()

    @contextmanager
    def progress(self) -> Iterator["Progress"]:
        """Show one task at a time, with its seconds, until the block ends."""
        progress = Progress(self, self._stream)
        try:
            yield progress
        except BaseException:
            progress.end("interrupted")
            raise
        progress.end("done")

    def _styled(self, text: str, code: str) -> Styled:
        text = _visible(text)
        return Styled(f"\x1b[{code}m{text}\x1b[0m" if self._colours else text)


def _visible(text: str) -> str:
    if isinstance(text, Styled):
        return text
    return "\n".join(shown(line, LINE_CHARACTERS) for line in text.expandtabs().split("\n"))


class Progress:
    """A line that says what is being done and for how long; plain lines in a pipe."""

    def __init__(self, console: Console, stream: TextIO) -> None:
        self._console = console
        self._stream = stream
        self._task = ""
        self._detail = ""
        self._began_s = 0.0
        self._ended = threading.Event()
        self._painter = threading.Thread(target=self._paint_until_end, daemon=True)

    def show(self, task: str, detail: str = "") -> None:
        """Say what is being done now; a `detail` is only for terminals."""
        self._detail = shown(detail)
        if task == self._task:
            return
        if self._task:
            self._finish_line("done")
        self._task = task
        self._began_s = time.monotonic()
        if not self._console.is_terminal:
            self._console.say(f"{task} ...")
        elif not self._painter.is_alive():
            self._painter.start()

    def end(self, outcome: str) -> None:
        """Finish the last line with its outcome; show nothing if there was no task."""
        self._ended.set()
        if self._painter.is_alive():
            self._painter.join()
        if self._task:
            self._finish_line(outcome)

    def _finish_line(self, outcome: str) -> None:
        if self._console.is_terminal:
            self._stream.write(_ERASE_LINE)
        self._console.say(f"{self._task}: {outcome} in {self._seconds()} s")

    def _seconds(self) -> int:
        return round(time.monotonic() - self._began_s)

    def _paint_until_end(self) -> None:
        while not self._ended.wait(_REFRESH_INTERVAL_S):
            line = f"{shown(self._task)}  {self._seconds()} s  {self._detail}"
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(_ERASE_LINE + line[:width])
            self._stream.flush()
