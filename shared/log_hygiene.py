"""What the app says about itself, and what it does not."""

import logging
import traceback
import unicodedata
from collections.abc import Mapping
from numbers import Number
from typing import Any

SHOWN_CHARACTERS = 1000
"""Of one text from outside. Ids, keys and URLs of real channels have a few hundred."""

MESSAGE_CHARACTERS = 16_000
"""Of one message in the log. Application Insights keeps 32,768 of it."""

# At INFO they write a line for each request; at DEBUG the headers, texts and tokens in it.
_VERBOSE_LIBRARIES = (
    "aiohttp",
    "azure",
    "botbuilder",
    "botframework",
    "charset_normalizer",
    "msal",
    "msal_extensions",
    "msrest",
    "oauthlib",
    "requests",
    "requests_oauthlib",
    "urllib3",
    "werkzeug",
)


def quiet_libraries() -> None:
    """
    Let libraries report only warnings.

    The Functions worker sets the root logger to INFO, at which azure-core writes every request
    to the store with its headers: CPU in each turn, and telemetry that is paid for by the byte.
    Someone who sets it to DEBUG wants to see what the bot does, not what users said to it.
    """
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def escape_logs() -> None:
    """
    Let no log record of this process steer a terminal, look like another line, or be endless.

    Whatever code wrote it and wherever it is shown, the message's arguments are `shown`; its own
    line breaks stay, and so do those of `Lines`, with what follows them indented.
    """
    # Not a filter: the loggers and handlers that libraries and the worker make have none of ours.
    logging.setLogRecordFactory(_EscapedRecord)


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """
    Return a text from outside as it may be shown: in one line, with nothing invisible in it.

    Control characters, line breaks, marks that turn the direction of writing and characters
    without width become escapes such as `\\x1b`. Of a long text the first `limit` characters
    are left, and how many were cut off.
    """
    if len(text) <= limit and text.isprintable():
        return text
    kept: list[str] = []
    room = limit
    for character in text[:limit]:
        escaped = _escaped(character)
        room -= len(escaped)
        if room < 0:
            break
        kept.append(escaped)
    more = len(text) - len(kept)
    return "".join(kept) + (f"... ({more} more characters)" if more else "")


def shown_lines(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """Return the text as `shown`, but with its line breaks, and what follows them indented."""
    if text.isprintable() and len(text) <= limit:
        return text
    if len(text) > limit:
        text = f"{text[:limit]}... ({len(text) - limit} more characters)"
    first, *others = (shown(line, limit) for line in text.split("\n"))
    return first + "".join(f"\n    {line}" if line else "\n" for line in others)


class Lines(str):
    """A text that the app itself has put into several lines: the log shows them as such."""

    __slots__ = ()


def trace_without_messages(error: BaseException) -> Lines:
    """
    Tell the kinds of an error and of its causes, and where they were raised, in several lines.

    Not what they say: a bot's errors quote what users wrote.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{trace_without_messages(cause)}which led to\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return Lines(f"{before}{type(error).__module__}.{type(error).__qualname__}\n{frames}")


def _escaped(character: str) -> str:
    # Spaces of any width are harmless, and those of Japanese and French are no ASCII ones.
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()


class _EscapedRecord(logging.LogRecord):
    """A record whose texts are escaped when a handler asks for them, and not before."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if self.exc_info:
            # Formatters use this text where there is one.
            self.exc_text = shown_lines(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 (the base class's name)
        message = str(self.msg)
        if isinstance(self.args, Mapping):
            message %= {name: _argument(value) for name, value in self.args.items()}
        elif self.args:
            message %= tuple(map(_argument, self.args))
        return shown_lines(message)


class _Argument:
    """What a message's `%s` or `%r` shows in the place of the value."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return shown(str(self._value))

    def __repr__(self) -> str:
        return shown(repr(self._value))


def _argument(value: object) -> object:
    # `%d` and its kin take only numbers.
    return value if isinstance(value, Number | Lines) else _Argument(value)
