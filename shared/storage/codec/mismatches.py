"""What msgspec found wrong, in words that carry no value from the document."""

import re

import msgspec

# Its messages name types and paths; the one that quotes a value is cut off before it.
_KNOWN = re.compile(
    r"(?P<fault>Expected [^'\"]*?|Object missing required field `\w+`|Invalid [\w ]+?)"
    r"(?: ['\"].*['\"])?(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?",
    re.DOTALL,
)


def explain_mismatch(error: msgspec.ValidationError, at: str) -> str:
    """Return a sentence on what is wrong where, `at` being what msgspec looked at."""
    known = _KNOWN.fullmatch(str(error))
    # With a cause, the text may be that of the class's own __post_init__ and say anything.
    if known is None or (error.__cause__ and known["fault"] != "Invalid enum value"):
        return f"{at} was refused by its own class."
    return f"{at}{known['path'] or ''}: {known['fault']}."
