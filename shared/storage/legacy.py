"""
What the stock SDK wrote, taken apart without importing, calling or building what it names.

Its storage writes with jsonpickle, whose own reader runs whatever a document names: a document
with `py/reduce` in it can run any program. Here tags are data.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from shared.errors import StateUnreadable
from shared.storage.tags import LEGACY_PREFIX

VERSION = 1
"""What its documents count as: they carry no version."""


@dataclass(frozen=True)
class Object:
    """An instance of the class that had the import path `path`."""

    path: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Collection:
    """A tuple or a set; JSON, and so this app, has but lists."""

    items: list[Any]


def parse(stored: dict[str, Any], at: str) -> Object | Collection | date:
    """
    Read one level of `stored`, which has at least one of jsonpickle's tags.

    Raises:
        StateUnreadable: it has tags that cannot be read without running something, or
            references to other parts of the document.
    """
    tags = sorted(key for key in stored if key.startswith(LEGACY_PREFIX))
    tagged = stored[tags[0]]
    if tags in (["py/tuple"], ["py/set"]) and len(stored) == 1 and isinstance(tagged, list):
        return Collection(tagged)
    if tags == ["py/object"] and isinstance(tagged, str):
        fields = {key: value for key, value in stored.items() if key != "py/object"}
        if tagged in ("datetime.datetime", "datetime.date"):
            return _date(tagged, fields, at)
        if "__reduce__" not in fields:
            return Object(tagged, fields)
    raise StateUnreadable(
        f"{at} was stored by the stock SDK in a form (jsonpickle's {', '.join(tags)}) that is "
        "read only by running what it names, or by following references, which this app never does."
    )


def _date(path: str, fields: dict[str, Any], at: str) -> date:
    """Read {"__reduce__": [{"py/type": path}, [base64 of the value's bytes]]}."""
    match fields:
        case {"__reduce__": [{"py/type": same}, [str(text)]]} if same == path and len(fields) == 1:
            try:
                # Packed by the standard library: year (2 bytes), month, day, hour, minute,
                # second, microsecond (3 bytes); no time zone, that would be a second argument.
                packed = b64decode(text, validate=True)
                day = date(int.from_bytes(packed[:2], "big"), packed[2], packed[3])
                if path == "datetime.date" and len(packed) == 4:
                    return day
                if path == "datetime.datetime" and len(packed) == 10:
                    hour, minute, second = packed[4:7]
                    microsecond = int.from_bytes(packed[7:], "big")
                    return datetime.combine(day, time(hour, minute, second, microsecond))
            except (Base64Error, ValueError, IndexError):
                pass
    raise StateUnreadable(f"{at} was stored by the stock SDK as a date that cannot be read.")
