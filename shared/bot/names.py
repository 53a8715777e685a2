"""
What may be a name.

Recognizers-Text tells what may not. It is imported with the first text that needs it rather
than with the bot: 14 MB and 0.2 s, which most processes never spend.
"""

import asyncio
import re
from collections.abc import Callable
from decimal import localcontext
from functools import cache
from typing import Any
from unicodedata import normalize

MAX_NAME_CHARACTERS = 100

_NUMBER_WORD = (
    r"\b(zero|n[ao]ught|one|two|three|thir|four|fort|fi[fv]|six|seven|eight|nine|ninth|ten|eleven"
    r"|twel|twent|hundred|thousand|[mb]illion|trillion|[mbt]ln|lakh|crore|doz|half|quarter)"
)
_PLAIN_NAME = re.compile(f"(?!.*{_NUMBER_WORD})[a-z' -]+", re.IGNORECASE | re.ASCII)
"""An address has other signs in it than these, and a spelled number has one of its words."""


async def objection_to(name: str) -> str | None:
    """
    Say why a text cannot be a name; None: it can.

    Only a text that is nothing else than a number, an address and so on is objected
    to: "Ada 2" is a name.
    """
    # First the length: all that follows looks at each character.
    if len(name) > MAX_NAME_CHARACTERS:
        return f"That is longer than {MAX_NAME_CHARACTERS} characters."
    if not any(map(str.isprintable, name)):
        return "There is no text in that."
    if _PLAIN_NAME.fullmatch(name):
        return None
    # In a thread, so that other turns go on: half a millisecond, but 0.2 s for the first time.
    kind = await asyncio.to_thread(_kind_of, name)
    return f"That looks like {kind}." if kind else None


def _kind_of(text: str) -> str | None:
    """Tell what a text is that consists of one kind of thing; None: of none or of several."""
    # "½" and digits in circles become what Recognizers-Text knows.
    text = normalize("NFKC", text)
    for kind, recognize in _recognizers().items():
        if _covers(recognize(text), text):
            return kind
    return None


@cache
def _recognizers() -> dict[str, Callable[[str], list[Any]]]:
    # The import sets the precision of the current decimal context to 15 digits.
    with localcontext():
        import recognizers_number as number
        import recognizers_sequence as sequence

    english = number.Culture.English
    return {
        "an e-mail address": lambda text: sequence.recognize_email(text, english),
        "a URL": lambda text: sequence.recognize_url(text, english),
        "a phone number": lambda text: sequence.recognize_phone_number(text, english),
        "a number": lambda text: number.recognize_number(text, english),
    }


def _covers(matches: list[Any], text: str) -> bool:
    """Whether no letter or digit of the text is outside the matches."""
    matched = {i for match in matches for i in range(match.start, match.end + 1)}
    return bool(matched) and all(i in matched for i, c in enumerate(text) if c.isalnum())
