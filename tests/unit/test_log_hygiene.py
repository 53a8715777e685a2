"""The log tells what happened and where, and not what users said."""

import logging
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import log_hygiene
from shared.app import create_app
from shared.log_hygiene import Lines, shown
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

# By the name of what each does where it is shown as it is.
TRICKS = {
    "sets the title of the window": "\x1b]0;x\x07",
    "the same in one character": "\x9d0;x\x9c",
    "begins another line": "a\nERROR all is lost",
    "writes over the line": "a\rERROR all is lost",
    "begins another line in Unicode": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "is written from the right": "\u202egpj.exe",
    "is written from the right, isolated": "\u2067abc\u2069",
    "has no width": "ad\u200bmin\u2060\ufeff",
    "hides in tags": "a\U000e0041",
    "is half a character": "\ud800",
    "goes back": "abc\b\b\bxyz",
    "ends the text for C": "a\0b",
}
tricks = pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS.keys())


# azure-cosmos gives these a level of their own, and writes nothing to them.
SILENT_LOGGERS = {
    "azure.cosmos._endpoint_discovery_retry_policy",
    "azure.cosmos._session_retry_policy",
}


def fail(text: str) -> None:
    try:
        raise ValueError(f"cannot parse {text}")
    except ValueError as error:
        raise RuntimeError(f"no turn for {text}") from error


def description(text: str) -> str:
    try:
        fail(text)
    except RuntimeError as error:
        return log_hygiene.trace_without_messages(error)
    return ""


def test_an_error_is_told_by_kind_and_place() -> None:
    """An operator sees which error was raised where, and what caused it."""
    lines = description("marked").splitlines()

    assert "builtins.ValueError" == lines[0]
    assert "builtins.RuntimeError" in lines
    assert "which led to" in lines
    assert any("in fail" in line for line in lines)


def test_an_error_is_not_quoted() -> None:
    """What an error says may be what a user wrote, so it stays out."""
    assert "marked" not in description("marked")


class TestShown:
    @tricks
    def test_nothing_steers_or_hides(self, text: str) -> None:
        """What is no visible character is shown as its escape, in the same line."""
        told = shown(text)

        assert told.isprintable()
        assert text.encode("unicode_escape").decode() == told

    @pytest.mark.parametrize(
        "text", ["Ada", "Grüße, 你好", "👩🏽", "", "a b", "1\u00a0000\u3000円"]
    )
    def test_ordinary_texts_stay(self, text: str) -> None:
        """Letters, emoji and spaces of all kinds are shown as they are."""
        assert text == shown(text)

    def test_a_long_text_is_cut(self) -> None:
        """Its beginning is left, and it is told how much is not there."""
        assert "aaa... (199997 more characters)" == shown("a" * 200_000, limit=3)

    def test_an_escape_is_left_whole_or_out(self) -> None:
        """Escapes count as what they take, and none is cut in the middle."""
        assert "a\\x1b... (2 more characters)" == shown("a\x1b\x1bb", limit=6)

    @given(st.text(), st.integers(0, 20))
    def test_whatever_it_is_it_fits(self, text: str, limit: int) -> None:
        """No text has more than the limit, and none is not printable."""
        beginning = re.sub(r"\.\.\. \(\d+ more characters\)$", "", shown(text, limit))

        assert len(beginning) <= limit
        assert beginning.replace("\u3000", " ").translate(SPACES).isprintable()


SPACES = {
    ord(space): " "
    for space in "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
}


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What a plain handler writes, as the app and its libraries log."""
    before = logging.getLogRecordFactory()
    written = StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    log_hygiene.escape_logs()
    yield written
    logging.setLogRecordFactory(before)
    logging.getLogger().removeHandler(handler)


class TestLog:
    @tricks
    @pytest.mark.parametrize("form", ["activity %s", "activity %r", "%(id)s"])
    def test_an_argument_is_one_line(self, log: StringIO, text: str, form: str) -> None:
        """Whoever logs what came from outside need not think of it."""
        arguments: Any = {"id": text} if "(" in form else text

        logging.getLogger("any.library").warning(form, arguments)

        assert 1 == log.getvalue().count("\n")
        assert log.getvalue().rstrip("\n").isprintable()

    @tricks
    def test_an_error_is_shown_as_its_text_would_be(self, log: StringIO, text: str) -> None:
        """An exception that quotes what came from outside is an argument like any other."""
        logging.getLogger("any.library").warning("failed: %s", ValueError(text))

        assert f"failed: {shown(text)}\n" == log.getvalue()

    @tricks
    def test_a_finished_message_forges_no_line(self, log: StringIO, text: str) -> None:
        """What was put into the message beforehand can only go on it, indented."""
        logging.getLogger("any.library").warning(f"activity {text}")

        first, *others = log.getvalue().removesuffix("\n").split("\n")
        assert first.startswith("activity ")
        assert all(line.startswith("    ") and line.isprintable() for line in others)

    @tricks
    def test_a_traceback_forges_no_line(self, log: StringIO, text: str) -> None:
        """Tracebacks keep their lines; what the exception quotes begins none at the margin."""
        try:
            raise ValueError(text)
        except ValueError:
            logging.getLogger("any.library").exception("failed")

        first, second, *others = log.getvalue().removesuffix("\n").split("\n")
        assert ("failed", "Traceback (most recent call last):") == (first, second)
        assert all(line.startswith("    ") and line.isprintable() for line in others)

    def test_a_long_argument_is_cut(self, log: StringIO) -> None:
        """An id of 200 kB makes no line of 200 kB."""
        logging.getLogger("any.library").warning("activity %s", "1" * 200_000)

        assert len(log.getvalue()) < 1100

    def test_a_long_message_is_cut(self, log: StringIO) -> None:
        """Nor does a message that was made of it."""
        logging.getLogger("any.library").warning("1" * 200_000)

        assert len(log.getvalue()) < 16_100

    def test_numbers_are_formatted_as_asked(self, log: StringIO) -> None:
        """Arguments that are no texts are numbers still."""
        logging.getLogger("any.library").warning("%d %.1f %5s|", 7, 1.25, "a")

        assert "7 1.2     a|\n" == log.getvalue()

    def test_lines_of_our_own_are_lines(self, log: StringIO) -> None:
        """The app's descriptions of errors can be read, and each line of them is indented."""
        logging.getLogger("shared").error("A turn failed: %s", Lines("one\ntwo\n"))

        assert "A turn failed: one\n    two\n\n" == log.getvalue()

    def test_a_description_of_an_error_is_lines(self) -> None:
        """What `trace_without_messages` returns is shown so."""
        assert isinstance(log_hygiene.trace_without_messages(ValueError()), Lines)


def test_the_app_escapes_what_it_logs(log: StringIO) -> None:
    """Whatever hosts the app, its log is escaped from the start."""
    logging.setLogRecordFactory(logging.LogRecord)

    create_app(Settings.from_environ({"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}))
    logging.getLogger("any.library").warning("activity %s", "a\nERROR")

    assert log.getvalue().endswith("activity a\\nERROR\n")


@pytest.mark.parametrize("name", ["azure", "botbuilder", "msrest"])
def test_the_app_quiets_its_libraries(name: str) -> None:
    """Whatever hosts it, and whatever level was set before."""
    library = logging.getLogger(name)
    library.setLevel(logging.DEBUG)

    create_app(Settings.from_environ({"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}))

    assert not library.isEnabledFor(logging.INFO)


def test_libraries_report_only_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """Lines for each request, with its texts at DEBUG, are off whatever the root logger shows."""
    caplog.set_level(logging.DEBUG)
    names = set(loggers_of_libraries())
    log_hygiene.quiet_libraries()

    assert {"azure.core.pipeline.policies._universal", "msrest.http_logger"} < names
    told = {name for name in names if logging.getLogger(name).isEnabledFor(logging.INFO)}
    assert set() == told - SILENT_LOGGERS
    assert logging.getLogger("azure.cosmos").isEnabledFor(logging.WARNING)


def loggers_of_libraries() -> Iterator[str]:
    """Yield the names of the loggers in all that the deployed function imports."""
    at_import = re.compile(
        r"^\w+ = (?:logging\.)?getLogger\((__name__|[\"'][\w.]+[\"'])\)", re.MULTILINE
    )
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name in re.findall(r"^([a-z0-9-]+)==", requirements, re.MULTILINE):
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:  # it is for another platform
            continue
        for file in files:
            if file.suffix == ".py":
                module = ".".join(file.with_suffix("").parts)
                for logger in at_import.findall(file.read_text("utf-8")):
                    yield logger.strip("\"'").replace("__name__", module)
