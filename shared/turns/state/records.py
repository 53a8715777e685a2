"""
Records that several versions of the app read and write: JSON to structs and back.

A newer version may have written fields that this one does not know: they are kept, and
written back. A field that cannot be read is left out, and the log says which.
"""

import logging
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

_logger = logging.getLogger(__name__)

Count = Annotated[int, msgspec.Meta(ge=0, le=2**52)]
"""Cosmos DB keeps integers up to 2^53 exactly; nothing here counts further than half of that."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What is stored as a JSON object.

    A field may be a plain value, another record (or None), or a dictionary or list of either.
    """

    unknown: dict[str, Any] = msgspec.field(default_factory=dict, name="")
    """The fields of another version, as they were found. None of them has an empty name."""


R = TypeVar("R", bound=Record)


def to_plain(record: Record) -> dict[str, Any]:
    """Plain JSON without the fields that have their default, but for values typed as Any."""
    plain = dict(record.unknown)
    for field in _fields(type(record)):
        value = getattr(record, field.name)
        if value != field.default:
            plain[field.name] = _plain(value) if field.has_parts else value
    return plain


def read_record(kind: type[R], value: Any, of: str) -> R | None:
    """
    Return what `to_plain` made `value` of, as far as it can be read.

    None: nothing of it can be read, or something is missing that this kind of record needs. `of`
    names it in the log.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        # Another version's, or damaged: this way is slow.
        faults: list[str] = []
        record = _salvage(kind, value, "$turns", faults)
    if faults:
        _logger.error(
            "Parts of the document %s cannot be read and are left out: %s", of, faults[:9]
        )
    return record


class _Field(msgspec.Struct, frozen=True):
    name: str
    type: Any
    default: Any
    has_parts: bool
    """It contains records or tuples, which are not plain JSON."""


_FIELDS: dict[type[Record], list[_Field]] = {}


def _fields(kind: type[Record]) -> list[_Field]:
    if kind not in _FIELDS:
        _FIELDS[kind] = [
            _Field(field.name, field.type, _default(field), _has_parts(field.type))
            for field in msgspec.structs.fields(kind)
            if field.name != "unknown"
        ]
    return _FIELDS[kind]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


def _has_parts(kind: Any) -> bool:
    return _is_record(kind) or get_origin(kind) is tuple or any(map(_has_parts, get_args(kind)))


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return to_plain(value)
    if type(value) is dict:
        return {name: _plain(item) for name, item in value.items()}
    if type(value) in (list, tuple):
        return [_plain(item) for item in value]
    return value


class _Unreadable(Exception):
    """A value is not of its type."""


def _salvage(kind: type[R], value: Any, at: str, faults: list[str]) -> R | None:
    if not isinstance(value, dict):
        faults.append(at)
        return None
    fields = {field.name: field for field in _fields(kind)}
    read: dict[str, Any] = {"unknown": {n: v for n, v in value.items() if n not in fields}}
    for name in value.keys() & fields.keys():
        try:
            read[name] = _read(fields[name].type, value[name], f"{at}.{name}", faults)
        except _Unreadable:
            faults.append(f"{at}.{name}")
    try:
        return kind(**read)
    except TypeError:
        # Without a field that it must have.
        faults.append(at)
        return None


def _read(kind: Any, value: Any, at: str, faults: list[str]) -> Any:
    """Return the value as `kind`; entries of dictionaries and lists are left out one by one."""
    record = next((one for one in (kind, *get_args(kind)) if _is_record(one)), None)
    if get_origin(kind) is dict and isinstance(value, dict):
        of = get_args(kind)[1]
        pairs = ((name, _entry(of, item, f"{at}[...]", faults)) for name, item in value.items())
        return {name: item for name, item in pairs if item is not _LEFT_OUT}
    if get_origin(kind) is list and isinstance(value, list):
        of = get_args(kind)[0]
        items = (_entry(of, item, f"{at}[...]", faults) for item in value)
        return [item for item in items if item is not _LEFT_OUT]
    if record is not None and value is not None:
        found = _salvage(record, value, at, faults)
        if found is None:
            raise _Unreadable
        return found
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _Unreadable from error


def _entry(kind: Any, value: Any, at: str, faults: list[str]) -> Any:
    try:
        return _read(kind, value, at, faults)
    except _Unreadable:
        faults.append(at)
        return _LEFT_OUT


_LEFT_OUT = object()


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)
