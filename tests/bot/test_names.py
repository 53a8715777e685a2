"""What may be a name, and why not."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizers_number import Culture, recognize_number
from recognizers_number.resources.english_numeric import EnglishNumeric

from shared.bot.names import MAX_NAME_CHARACTERS, objection_to


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Prince",
        "O",
        "Anne-Marie O'Neill",
        "José",
        "Juan Uno",
        "J.R.R. Tolkien",
        "Mr. Li",
        "St.John",
        "李小龙",
        "三",
        "Иван",
        "عمر",
        "علی‌رضا",
        "ⴰⵎⵖⴰⵔ",
        "Null",
        "None",
        "Henry the Eighth",
        "🦊",
    ],
)
async def test_names_of_the_world(name: str) -> None:
    """A name is a name in any script."""
    assert await objection_to(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "Ada 2",
        "X Æ A-12",
        "R2-D2",
        "twenty one pilots",
        "One Smith",
        "Ada (ada@example.com)",
        "Ada, +1 425 555 0123",
    ],
)
async def test_a_name_may_contain_what_is_none(name: str) -> None:
    """Only a text that is nothing else than a number or an address is refused."""
    assert await objection_to(name) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a number", "42"),
        ("a number", "-7"),
        ("a number", "3.14"),
        ("a number", "1,000,000"),
        ("a number", "50%"),
        ("a number", "½"),
        ("a number", "④②"),
        ("a number", "٤٢"),
        ("a number", "12:30"),
        ("a number", "one"),
        ("a number", "Forty-two"),
        ("a number", "1 2 3"),
        ("an e-mail address", "ada@example.com"),
        ("an e-mail address", "<ada.lovelace+bot@mail.example.co.uk>"),
        ("a phone number", "+1 425 555 0123"),
        ("a phone number", "(425) 555-0123"),
        ("a phone number", "+44 20 7946 0958"),
        ("a URL", "https://example.com/ada?name=Ada"),
        ("a URL", "www.example.com"),
        ("a URL", "example.com"),
        ("a URL", "http://localhost"),
    ],
)
async def test_what_is_no_name_is_refused_for_what_it_is(kind: str, text: str) -> None:
    """A text that is a number, spelled or not, an e-mail address, a phone number or a URL."""
    assert f"That looks like {kind}." == await objection_to(text)


@pytest.mark.parametrize("text", ["", "\u200b", "\u2066\u2069"])
async def test_a_name_can_be_seen(text: str) -> None:
    """A text of which nothing can be seen is no name."""
    assert "There is no text in that." == await objection_to(text)


async def test_a_name_has_a_hundred_characters_at_most() -> None:
    """A hundred characters are a name, one more is not."""
    assert await objection_to("é" * MAX_NAME_CHARACTERS) is None
    assert "That is longer than 100 characters." == await objection_to(
        "é" * (MAX_NAME_CHARACTERS + 1)
    )
    assert "That is longer than 100 characters." == await objection_to("\u200b" * 500_000)


@given(st.text())
async def test_every_text_is_either_a_name_or_refused_with_a_sentence(text: str) -> None:
    """No text fails the turn, and none is refused without a reason."""
    objection = await objection_to(text)

    assert objection is None or objection.endswith(".")


@given(
    st.text(
        st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo"], max_codepoint=0x1FFFF),
        min_size=1,
        max_size=MAX_NAME_CHARACTERS,
    ),
    st.sampled_from(["Ada", "Grace", "李"]),
)
async def test_letters_after_a_name_are_a_name(letters: str, name: str) -> None:
    """A name and whatever other letters is a name."""
    assert await objection_to(f"{name} {letters}"[:MAX_NAME_CHARACTERS]) is None


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2))
async def test_no_number_is_a_name(number: object) -> None:
    """Whatever its sign, its length or its decimals."""
    assert await objection_to(str(number)) is not None


def _run(program: str) -> str:
    """Run a program in a process of its own, where nothing is imported yet."""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.starts_programs
def test_the_recognizers_are_not_imported_with_the_bot() -> None:
    """A process that starts does not pay for what only a new user's name needs."""
    program = """
import sys
import shared.bot
print([name for name in sys.modules if "recognizers" in name])
"""
    assert "[]" == _run(program)


@pytest.mark.starts_programs
def test_a_plain_name_needs_no_recognizers() -> None:
    """Most names are letters that spell no number, and cost a process nothing."""
    program = """
import asyncio, sys
from shared.bot.names import objection_to
for name in ("Ada", "Anne-Marie O'Neill", "Simon Peyton Jones"):
    asyncio.run(objection_to(name))
print([name for name in sys.modules if "recognizers" in name])
"""
    assert "[]" == _run(program)


_WORDS = [
    *EnglishNumeric.CardinalNumberMap,
    *EnglishNumeric.OrdinalNumberMap,
    *EnglishNumeric.RoundNumberMap,
    *EnglishNumeric.RelativeReferenceOffsetMap,
    *("and", "over", "in", "out of", "point", "minus", "percent", "Ada"),
]
"""All that the recognizers know of English numbers, and what stands between."""


def _is_number(text: str) -> bool:
    found = [(match.start, match.end) for match in recognize_number(text, Culture.English)]
    return found == [(0, len(text) - 1)]


async def test_no_number_word_is_taken_for_a_plain_name() -> None:
    """Each word that the recognizers find a number in is refused."""
    for text in [*_WORDS, *(f"a {word}" for word in _WORDS)]:
        refused = await objection_to(text) == "That looks like a number."
        assert _is_number(text) <= refused, text


@given(st.lists(st.sampled_from(_WORDS), min_size=2, max_size=5), st.sampled_from([" ", "-"]))
async def test_no_spelled_number_is_taken_for_a_plain_name(words: list[str], joint: str) -> None:
    """Nor is a number of several words."""
    text = joint.join(words)[:MAX_NAME_CHARACTERS]
    refused = await objection_to(text) == "That looks like a number."

    assert _is_number(text) <= refused


@pytest.mark.starts_programs
def test_the_recognizers_leave_the_precision_of_decimals_alone() -> None:
    """Checking a name changes no computation elsewhere in the process."""
    program = """
import asyncio, decimal
decimal.getcontext()
from shared.bot.names import objection_to
asyncio.run(objection_to("42"))
print(decimal.getcontext().prec)
"""
    assert "28" == _run(program)
