"""
A JSON object of a bounded size, at a bounded cost.

Most bodies that are too large are found by passes in C over the bytes, so that the decoder and one
walk in Python meet no more values than are allowed.
"""

from itertools import chain
from typing import Any

import msgspec

from shared.errors import MalformedActivity, RequestTooLarge

MAX_BODY_BYTES = 1024 * 1024
"""
Direct Line takes the most, 262,144 UTF-16 units of serialised activity (Azure Bot Service, "Send
an activity to the bot"), which are up to 768 KiB in UTF-8. No limit of the e-mail channel's is
documented: 170,000 characters fit even where each is escaped.
"""

MAX_NESTING = 64
"""Adaptive Cards in the wild stay below 20; Python's own limit is far above."""

MAX_VALUES = 10_000
"""
Objects, lists, strings and so on in one body, without the keys. Of them the largest that a channel
makes are members of a team and the inputs of a card: some hundreds, of a few values each.
"""


def read_object(body: bytes) -> dict[str, Any]:
    """
    Decode a body that is one JSON object.

    Raises:
        RequestTooLarge: more than `MAX_BODY_BYTES`.
        MalformedActivity: anything else is wrong with it.
    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestTooLarge(f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.")
    if not body.strip():
        raise MalformedActivity("The body is empty; an activity is a JSON object.")
    outside = _outside_of_strings(body)
    # Each value has at most two of them: the comma after it, and its own opening bracket.
    if _count(outside, b",[{") > 2 * MAX_VALUES:
        raise _too_many_values()
    try:
        fields = msgspec.json.decode(body)
    except RecursionError:
        raise MalformedActivity(f"The body is nested deeper than {MAX_NESTING} levels.") from None
    except UnicodeDecodeError:
        raise MalformedActivity("The body is not valid UTF-8.") from None
    except ValueError as error:
        raise MalformedActivity(f"The body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedActivity("The body is JSON, but not an object; an activity is one.")
    # msgspec lets the last of two equal keys win, and a proxy in front of us may let the first:
    # what one checks, the other would not obey. A colon outside of strings belongs to a key.
    if _count_keys(fields) != outside.count(b":"):
        raise MalformedActivity("The body is not JSON: an object has the same key twice.")
    return fields


def _outside_of_strings(body: bytes) -> bytes:
    """Return the characters outside of strings. For what is not JSON it may return anything."""
    if b"\\" in body:
        # From the left, so of three backslashes and a quotation mark the third escapes the mark.
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # A value has at most two strings, its key and itself.
    if _count(body, b'"') > 4 * MAX_VALUES:
        raise _too_many_values()
    return b"".join(body.split(b'"')[::2])


def _count(content: bytes, signs: bytes) -> int:
    """Count characters, in a time that does not depend on how many there are."""
    return len(content) - len(content.translate(None, signs))


def _too_many_values() -> MalformedActivity:
    return MalformedActivity(
        f"The body has more than {MAX_VALUES} values, or is nested deeper than "
        f"{MAX_NESTING} levels."
    )


def _count_keys(root: dict[str, Any]) -> int:
    """Return how many keys there are in all; refuse too many values and too deep a nesting."""
    keys, values = 0, 1
    level: list[Any] = [root]
    for _ in range(MAX_NESTING):
        objects = [container for container in level if type(container) is dict]
        lists = [container for container in level if type(container) is list]
        keys += sum(map(len, objects))
        values += sum(map(len, level))
        if values > MAX_VALUES:
            raise _too_many_values()
        inner = chain(chain.from_iterable(map(dict.values, objects)), chain.from_iterable(lists))
        level = [value for value in inner if type(value) in (dict, list)]
        if not level:
            return keys
    raise MalformedActivity(f"The body is nested deeper than {MAX_NESTING} levels.")
