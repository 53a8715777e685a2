"""
What may be a name.

Recognizers-Text tells what may not. It is imported with the first name rather than
with the bot: most turns of most processes never need it.
"""

import asyncio
from collections.abc import Callable
from decimal import localcontext
from functools import cache
from typing import Any

MAX_NAME_CHARACTERS = 100


async def objection_to(name: str) -> str | None:
    """
    Say why a text cannot be a name; None: it can.

    Only a text that is nothing else than a number, an address and so on is objected
    to: "Ada 2" is a name.
    """
    if not any(map(str.isprintable, name)):
        return "There is no text in that."
    if len(name) > MAX_NAME_CHARACTERS:
        return f"That is longer than {MAX_NAME_CHARACTERS} characters."
    # In a thread, so that other turns go on: half a millisecond, but 0.2 s for the first name.
    kind = await asyncio.to_thread(_kind_of, name)
    return f"That looks like {kind}." if kind else None


def _kind_of(text: str) -> str | None:
    """Tell what a text is that consists of one kind of thing; None: of none or of several."""
    for kind, recognize in _recognizers().items():
        if _covers(recognize(text), text):
            return kind
    return None


@cache
def _recognizers() -> dict[str, Callable[[str], list[Any]]]:
    # The import sets the precision of the current decimal context to 15 digits.
    with localcontext():
        import ms_recognizers_number as number
        import ms_recognizers_sequence as sequence

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
