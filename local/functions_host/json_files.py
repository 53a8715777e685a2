"""The app's JSON files, as the Functions host reads them: with comments, and commas too many."""

import json
import re
from pathlib import Path
from typing import Any

from local.bootstrap.errors import LocalError

Json = dict[str, Any]

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def read_json(file: Path) -> Json:
    """Raise LocalError unless the file holds one JSON object."""
    try:
        content = json.loads(_strict(file.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        raise LocalError(f"{file} is missing; run this in a complete checkout.") from None
    except json.JSONDecodeError as error:
        raise LocalError(
            f"{file} is not JSON at line {error.lineno}, column {error.colno} ({error.msg})."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{file} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise LocalError(f"{file} must hold a JSON object, in curly brackets.")
    return content


def _strict(text: str) -> str:
    """Blank out what JSON does not have; everything else stays in its line and column."""
    return _LAST_COMMA.sub(_blank, _COMMENT.sub(_blank, text))


def _blank(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])
