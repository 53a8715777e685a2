"""
Values of the standard library that JSON does not know, as tagged JSON and back.

    {"$type": "$date", "$version": 1, "value": "2026-11-23"}

Each comes back equal and of its type. This has those with nothing else in them; tagged_values has
the others.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from shared.storage.codec.stock_sdk_values import named_zone

Fields = dict[str, Any]
"""What stands next to `$type` and `$version`."""

# What a document says may be of any type and size.
_BAD = (ValueError, TypeError, KeyError, OverflowError, InvalidOperation)


def tag_of(value: Any) -> str | None:
    """Return what a value is tagged with; None if this module does not handle it."""
    for name, (cls, _, _) in _KINDS.items():
        if isinstance(value, cls):
            return name
    return None


def dump(name: str, value: Any) -> Fields | None:
    """Return the fields of a value that is tagged with `name`; None, if it would not come back."""
    _, to_fields, _ = _KINDS[name]
    if type(value) in _EXACT:
        return to_fields(value)
    try:
        fields = to_fields(value)
        # A subclass may be more than its base, as which it comes back.
        return fields if fields is not None and bool(load(name, fields) == value) else None
    except Exception:  # The subclass's own code, which may raise anything.
        return None


def load(name: str, fields: Fields) -> Any:
    """Return what `dump` was given; None, if these are not its fields."""
    _, _, from_fields = _KINDS[name]
    try:
        return from_fields(**fields)
    except _BAD:
        return None


def is_fixed(zone: tzinfo | None) -> bool:
    """Whether ISO 8601 says all of a time zone: there is none, or an offset in whole minutes."""
    if zone is None:
        return True
    if type(zone) is not timezone:
        return False
    (offset, *name) = zone.__getinitargs__()  # type: ignore[attr-defined]  # as pickle does
    return not name and not offset % timedelta(minutes=1)


def _dump_datetime(value: datetime) -> Fields:
    return _with_zone(datetime.isoformat, value, value.utcoffset())


def _load_datetime(value: str, fold: int = 0, zone: Fields | None = None) -> datetime:
    made = datetime.fromisoformat(value).replace(fold=fold)
    return made if zone is None else made.replace(tzinfo=_load_zone(**zone))


def _dump_time(value: time) -> Fields | None:
    offset = value.utcoffset()
    if offset is None and not (value.tzinfo is None or _key_of(value.tzinfo)):
        return None  # A zone that has an offset only at a date, and no name.
    return _with_zone(time.isoformat, value, offset)


def _load_time(value: str, fold: int = 0, zone: Fields | None = None) -> time:
    made = time.fromisoformat(value).replace(fold=fold)
    return made if zone is None else made.replace(tzinfo=_load_zone(**zone))


def _with_zone(to_text: Callable[[Any], str], value: Any, offset: timedelta | None) -> Fields:
    fields: Fields = {"fold": 1} if value.fold else {}
    zone = value.tzinfo
    if zone is None or (offset is None and not _key_of(zone)):
        return {"value": to_text(value.replace(tzinfo=None)), **fields}
    if is_fixed(zone):
        return {"value": to_text(value), **fields}
    described = _dump_zone(zone) or {"offset": _dump_timedelta(offset or timedelta())["value"]}
    return {"value": to_text(value.replace(tzinfo=None)), **fields, "zone": described}


def _dump_zone(zone: tzinfo) -> Fields | None:
    if type(zone) is timezone:
        (offset, *name) = zone.__getinitargs__()  # type: ignore[attr-defined]  # as pickle does
        return {"offset": _dump_timedelta(offset)["value"]} | ({"name": name[0]} if name else {})
    key = _key_of(zone)
    return {"key": key} if key else None


def _load_zone(key: str | None = None, offset: Any = None, name: str | None = None) -> tzinfo:
    if key is not None:
        zone = named_zone(key)
        if zone is None:
            raise ValueError
        return zone
    span = _load_timedelta(offset)
    if name is not None:
        return timezone(span, name)
    return timezone(span) if span else UTC


def _key_of(zone: tzinfo) -> str | None:
    # Without importing it: few bots have one, and a value of it has been imported with it.
    if (type(zone).__module__, type(zone).__qualname__) != ("zoneinfo", "ZoneInfo"):
        return None
    key: str | None = zone.key  # type: ignore[attr-defined]  # a ZoneInfo's
    return key if key and named_zone(key) is not None else None


def _dump_timedelta(value: timedelta) -> Fields:
    return {"value": [value.days, value.seconds, value.microseconds]}


def _load_timedelta(value: Any) -> timedelta:
    days, seconds, microseconds = value
    if not all(type(part) is int for part in value):
        raise ValueError
    return timedelta(days, seconds, microseconds)


_Kind = tuple[type, Callable[[Any], Fields | None], Callable[..., Any]]

_KINDS: dict[str, _Kind] = {
    # A datetime is a date, too: it comes first.
    "$datetime": (datetime, _dump_datetime, _load_datetime),
    "$date": (
        date,
        lambda value: {"value": date.isoformat(value)},
        lambda value: date.fromisoformat(value),
    ),
    "$time": (time, _dump_time, _load_time),
    "$timedelta": (timedelta, _dump_timedelta, _load_timedelta),
    "$timezone": (tzinfo, _dump_zone, _load_zone),
    "$decimal": (
        Decimal,
        lambda value: {"value": Decimal.__str__(value)},
        lambda value: Decimal(_text(value)),
    ),
    "$uuid": (
        UUID,
        lambda value: {"value": UUID.__str__(value)},
        lambda value: UUID(_text(value)),
    ),
    "$bytes": (
        bytes,
        lambda value: {"value": b64encode(value).decode()},
        lambda value: b64decode(value, validate=True),
    ),
}

_EXACT = frozenset(cls for cls, _, _ in _KINDS.values())


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
