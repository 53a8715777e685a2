"""
The type, to msgspec, that an object's fields must fit.

It is the class itself, except where msgspec does not take it: of Enums it knows those whose values
are all text, or that are integers themselves. Any other, and whatever has one in it, is replaced
by a type whose only instances are the class's objects. They are stored with a tag, so such an
object is what is read.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, time
from enum import Enum
from functools import cache, reduce
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from shared.storage.codec.loaded_classes import is_named_tuple, member_of_value
from shared.storage.codec.standard_values import is_fixed
from shared.storage.codec.state_types import Fields, Schema

Loader = Callable[[Fields], Any]


class OnlyObjectsOf(type):
    """The type of stand-ins for a class: their only instances are its objects."""

    stands_for: Any

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.stands_for)


def shape_of(schema: Schema) -> tuple[Any, Loader]:
    """
    Return the type that the fields must fit, and what makes an object of them then.

    Raises:
        TypeError, NameError: a field has a type that cannot be.
    """
    if schema.shape == dict[str, Any] or not needs_tag(schema.shape):
        return schema.shape, schema.load
    if not is_dataclass(schema.shape):
        return _without_unknown_enums(schema.shape), schema.load
    hints = get_type_hints(schema.shape, include_extras=True)
    shape = {
        field.name: _without_unknown_enums(hints[field.name])
        if field.default is MISSING and field.default_factory is MISSING
        else NotRequired[_without_unknown_enums(hints[field.name])]
        for field in fields(schema.shape)
    }
    # Its name is known at run time only.
    return TypedDict(schema.name, shape), lambda values: _dataclass(schema.cls, values)  # type: ignore[operator]


def take_value(kind: Any, value: Any) -> Any:
    """
    Return the object of a class, or of what `kind` stands for, that was stored as `value`.

    Raises:
        ValueError, msgspec.ValidationError: there is none.
    """
    if isinstance(value, kind):
        return value
    cls = kind.stands_for if isinstance(kind, OnlyObjectsOf) else kind
    if issubclass(cls, Enum):
        member = member_of_value(cls, value)
        if member is not None:
            return member
        raise ValueError("Invalid enum value")
    if is_named_tuple(cls) and isinstance(value, list):
        items = tuple(_without_unknown_enums(hint) for hint in get_type_hints(cls).values())
        return tuple.__new__(cls, msgspec.convert(value, tuple[items], dec_hook=take_value))  # type: ignore[valid-type]
    raise msgspec.ValidationError(f"Expected `{cls.__name__}`, got `{type(value).__name__}`")


def is_told_by_field(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether `value` is of one of `kinds`, and a field of its type says all that JSON does not."""
    if not isinstance(value, kinds):
        return False
    if isinstance(value, Enum | tuple):
        return not needs_tag(type(value))
    if isinstance(value, datetime | time):
        return type(value) in (datetime, time) and not value.fold and is_fixed(value.tzinfo)
    return True


def needs_tag(kind: Any) -> bool:
    """Whether msgspec cannot tell an object of that type by what JSON says of it."""
    # What an annotation is annotated with may be anything, and have no hash.
    return _class_needs_tag(kind) if isinstance(kind, type) else _has_unknown_enum(kind)


@cache
def _class_needs_tag(cls: type) -> bool:
    return _has_unknown_enum(cls)


def _has_unknown_enum(kind: Any) -> bool:
    return any(
        isinstance(part, type) and issubclass(part, Enum) and not _is_known(part)
        for part in _parts(kind, set())
    )


def _is_known(cls: type[Enum]) -> bool:
    values = [member.value for member in cls.__members__.values()]
    base = int if issubclass(cls, int) else str
    return bool(values) and all(isinstance(value, base) for value in values)


def _parts(kind: Any, seen: set[type]) -> Iterator[Any]:
    """Yield a type and the types inside, at any depth."""
    if isinstance(kind, type):
        if kind in seen:
            return
        seen.add(kind)
    yield kind
    for inner in (*get_args(kind), *_hints(kind).values()):
        yield from _parts(inner, seen)


def _hints(kind: Any) -> dict[str, Any]:
    if not isinstance(kind, type):
        return {}
    if is_dataclass(kind) or is_typeddict(kind) or is_named_tuple(kind):
        try:
            return get_type_hints(kind, include_extras=True)
        except Exception:  # Whatever an annotation in quotes may raise; msgspec says what.
            return {}
    return {}


def _without_unknown_enums(kind: Any) -> Any:
    """The same type, with stand-ins for what msgspec does not know."""
    if not needs_tag(kind):
        return kind
    if is_typeddict(kind):
        hints = {name: _without_unknown_enums(hint) for name, hint in _hints(kind).items()}
        return TypedDict(kind.__name__, hints, total=kind.__total__)  # type: ignore[operator]
    if isinstance(kind, type) and not get_args(kind):
        return _stand_in(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return Annotated[(_without_unknown_enums(arguments[0]), *arguments[1:])]
    if origin is Final:
        return _without_unknown_enums(arguments[0])
    if origin in (Required, NotRequired):
        return origin[_without_unknown_enums(arguments[0])]
    inner = tuple(map(_without_unknown_enums, arguments))
    if origin in (Union, UnionType):
        stand_ins = [one for one in inner if isinstance(one, OnlyObjectsOf)]
        # In a union with others, msgspec does not take a type of its own.
        if stand_ins and len([one for one in inner if one is not NoneType]) > 1:
            return Any
        return reduce(operator.or_, inner)
    return kind.copy_with(inner) if hasattr(kind, "copy_with") else origin[inner]


@cache
def _stand_in(cls: type) -> OnlyObjectsOf:
    return OnlyObjectsOf(cls.__name__, (), {"stands_for": cls})


def _dataclass(cls: Any, values: Fields) -> Any:
    """What msgspec makes of fields that fit a dataclass."""
    made = object.__new__(cls)
    for field in fields(cls):
        if field.name in values:
            value = values[field.name]
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            value = field.default
        # Not by its own `__setattr__`: frozen dataclasses have one that refuses.
        object.__setattr__(made, field.name, value)
    if hasattr(made, "__post_init__"):
        made.__post_init__()
    return made
