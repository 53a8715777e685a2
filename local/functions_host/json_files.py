"""The app's JSON files, as the Functions host reads them."""

import json
from pathlib import Path
from typing import Any

from local.bootstrap.errors import LocalError
from local.functions_host import lenient_json

Json = dict[str, Any]


def read_json(file: Path) -> Json:
    """Raise LocalError unless the file holds one JSON object."""
    try:
        content = lenient_json.read(file.read_text(encoding="utf-8-sig"))
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
