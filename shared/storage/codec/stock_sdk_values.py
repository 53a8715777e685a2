"""Values of the standard library, made of what jsonpickle wrote of them."""

import re
from base64 import b64decode, b85decode
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from shared.storage.codec.reserved_keys import LEGACY_PREFIX

Follow = Callable[[Any], Any]

BY_OBJECT = ("datetime.datetime", "datetime.date", "datetime.time", "uuid.UUID")
BY_CALL = ("datetime.timedelta", "decimal.Decimal")

# ValueError: also of base64, UUID and Unicode. What a document says may be of any size and type.
_BAD = (ValueError, IndexError, TypeError, OverflowError, InvalidOperation)

_ZONE_NAME = re.compile(r"[\w+-]+(/[\w+-]+){0,3}", re.ASCII)


def items_of(stored: Any) -> list[Any] | None:
    """Return the items of a tuple; None if it is none."""
    match stored:
        case {"py/tuple": [*items]} if len(stored) == 1:
            return items
    return None


def path_of(stored: Any) -> str | None:
    """Return the import path of a class or a function; None if it is none."""
    match stored:
        case {"py/type": str(path)} | {"py/function": str(path)} if len(stored) == 1:
            return path
    return None


def is_plain_mapping(stored: Any) -> bool:
    """Whether it is a dictionary without tags."""
    return isinstance(stored, dict) and not any(key.startswith(LEGACY_PREFIX) for key in stored)


def binary(tag: str, text: Any) -> bytes | None:
    """Return the bytes that are written in base 64 or 85; None if they are not."""
    try:
        return b64decode(text, validate=True) if tag == "py/b64" else b85decode(text)
    except _BAD:
        return None


def of_object(stored: dict[str, Any], follow: Follow) -> Any:
    """Return what jsonpickle has a form for, of a path in BY_OBJECT; None if it is not that."""
    path = stored["py/object"]
    try:
        match stored:
            case {"hex": str(digits)} if path == "uuid.UUID" and len(stored) == 2:
                return UUID(digits)
            case {"__reduce__": [{"py/type": same}, [str(packed), *zone]]} if (
                same == path and len(stored) == 2 and len(zone) <= 1
            ):
                return _date(path, b64decode(packed, validate=True), zone, follow)
    except _BAD:
        pass
    return None


def of_call(path: str, arguments: list[Any], follow: Follow) -> Any:
    """Return what the class at a path in BY_CALL makes of the arguments; None if it does not."""
    try:
        match arguments:
            case [str(digits)] if path == "decimal.Decimal":
                return Decimal(digits)
            case [int(days), int(seconds), int(microseconds)] if path == "datetime.timedelta":
                return timedelta(days, seconds, microseconds)
    except _BAD:
        pass
    return None


def of_zone(stored: dict[str, Any], follow: Follow) -> tzinfo | None:
    """Return the time zone that was written by itself; None if it is none."""
    try:
        return _zone(stored, follow)
    except _BAD:
        return None


def _date(path: str, packed: bytes, zone: list[Any], follow: Follow) -> date | time | None:
    """
    Read what the standard library packs.

    Year (2 bytes), month, day, hour, minute, second, microsecond (3 bytes).
    """
    within = _zone(follow(zone[0]), follow) if zone else None
    if zone and within is None:
        return None
    if path == "datetime.date" and len(packed) == 4 and not zone:
        return _day(packed)
    if path == "datetime.time" and len(packed) == 6:
        return _clock(packed, within)
    if path == "datetime.datetime" and len(packed) == 10:
        return datetime.combine(_day(packed), _clock(packed[4:], within))
    return None


def _day(packed: bytes) -> date:
    return date(int.from_bytes(packed[:2], "big"), packed[2], packed[3])


def _clock(packed: bytes, within: tzinfo | None) -> time:
    return time(packed[0], packed[1], packed[2], int.from_bytes(packed[3:], "big"), within)


def _zone(stored: Any, follow: Follow) -> tzinfo | None:
    match stored:
        case {"py/reduce": [made_by, arguments, *state]} if len(stored) == 1:
            path, items = path_of(made_by), items_of(arguments)
            state = [follow(part) for part in state]
            if path is not None and items is not None:
                return _known_zone(path, [follow(item) for item in items], state, follow)
    return None


def _known_zone(path: str, items: list[Any], state: list[Any], follow: Follow) -> tzinfo | None:
    match path, items, state:
        case (("isodate.tzinfo._Utc" | "isodate.tzinfo.Utc" | "msrest.serialization.UTC"), [], _):
            return UTC
        case "pytz._UTC", [], []:
            return UTC
        case "datetime.timezone", [offset, *name], [] if len(name) <= 1:
            return _fixed(_span(offset, follow))
        case "isodate.tzinfo.FixedOffset", [], [{"_FixedOffset__offset": offset}]:
            return _fixed(_span(follow(offset), follow))
        case "pytz._p", [str(), int(seconds), *_], []:
            return _fixed(timedelta(seconds=seconds))
        case (("zoneinfo.ZoneInfo._unpickle" | "None.ZoneInfo._unpickle"), [str(name), 0 | 1], []):
            return named_zone(name)
    return None


def _span(stored: Any, follow: Follow) -> timedelta | None:
    match stored:
        case {"py/reduce": [made_by, arguments]} if path_of(made_by) == "datetime.timedelta":
            span = of_call("datetime.timedelta", items_of(arguments) or [], follow)
            return span if isinstance(span, timedelta) else None
    return None


def _fixed(offset: timedelta | None) -> tzinfo | None:
    return None if offset is None else timezone(offset)


def named_zone(name: str) -> tzinfo | None:
    """Return the zone of that name in the zone database; None, if it has none."""
    # Not above: few documents have one, and every cold start would pay for it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name) if _ZONE_NAME.fullmatch(name) else None
    except (ZoneInfoNotFoundError, OSError):
        return None
