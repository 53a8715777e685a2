"""
JSON as Newtonsoft.Json reads it, the library of the Functions host.

It takes comments, commas too many, single quotes, names without quotes, and numbers such as 0x1F.
"""

import json
import re
from typing import Any

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"{_STRING}|'(?:\\.|[^'\\])*'|//[^\n]*|/\*.*?\*/", re.DOTALL)
_OTHER = re.compile(
    rf"{_STRING}|'(?:\\.|[^'\\])*'|,(?=\s*[}}\]])|[\w$]+(?=\s*:)|[-+.\w]+", re.DOTALL
)


def read(text: str) -> Any:
    """
    Return what the text stands for; None if there is nothing but space and comments in it.

    Raises:
        json.JSONDecodeError: it is no JSON. Lines are those of the text.
    """
    strict = _OTHER.sub(_strict, _COMMENT.sub(_without_comment, text))
    if not strict.strip():
        return None
    try:
        return json.loads(strict, strict=False)
    except RecursionError:
        raise json.JSONDecodeError("it is nested too deeply", text, 0) from None


def _without_comment(found: re.Match[str]) -> str:
    return found[0] if found[0][0] in "\"'" else re.sub(r"[^\n]", " ", found[0])


def _strict(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith('"'):
        return text
    if text.startswith("'"):
        return '"' + re.sub(r'\\.|"', _in_double_quotes, text[1:-1], flags=re.DOTALL) + '"'
    if text.startswith(","):
        return " "
    is_name = re.match(r"\s*:", found.string[found.end() :])
    return json.dumps(text) if is_name else _value(text)


def _in_double_quotes(found: re.Match[str]) -> str:
    return {"\\'": "'", '"': r"\""}.get(found[0], found[0])


def _value(word: str) -> str:
    if word == "undefined":
        return "null"
    if re.fullmatch("0[xX][0-9a-fA-F]+", word):
        return str(int(word, 16))
    if re.fullmatch("0[0-7]+", word):
        return str(int(word, 8))
    if re.fullmatch(r"-?(\d+\.|\.\d+)", word):
        return str(float(word))
    return word
