"""Which types the fields of a registered class may have."""

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from datetime import tzinfo
from typing import Any

from msgspec import inspect

from shared.storage.codec.shapes import OnlyObjectsOf
from shared.storage.codec.state_types import E_TAG

TypedFields = dict[str, bool]
"""
For each field name, whether the field's type says everything: no `Any` in it, at any depth.

Only then does a string in the store tell by itself that it is, say, a date.
"""


def typed_fields(name: str, shape: Any, is_registered: Callable[[type], bool]) -> TypedFields:
    """
    Look at the fields of the type `name`, whose shape this is, as msgspec understands them.

    Raises:
        TypeError: one has a type that cannot be stored.
    """
    try:
        known: Any = inspect.type_info(shape)
    except (TypeError, NameError) as error:
        raise TypeError(f"{name} cannot be stored: {error}. Declare Any instead.") from error
    found = {}
    for field in known.fields:
        if field.name == E_TAG:
            continue
        parts = list(_parts(field.type, set()))
        for part in parts:
            if isinstance(part, _NEEDS_REGISTRATION) and not _is_storable(part.cls, is_registered):
                raise TypeError(
                    f"{name}.{field.name} is a {part.cls.__name__}, which is not registered; "
                    "register it in STATE_TYPES (shared/bot/__init__.py)."
                )
        found[field.name] = not any(map(_says_nothing, parts))
    return found


def typed_dict_fields(shape: Any) -> tuple[str, ...]:
    """Return the names of the fields with a TypedDict in them: it may be given keys later, too."""
    known: Any = inspect.type_info(shape)
    return tuple(
        field.name
        for field in known.fields
        if any(isinstance(part, inspect.TypedDictType) for part in _parts(field.type, set()))
    )


_NEEDS_REGISTRATION = (inspect.DataclassType, inspect.StructType, inspect.CustomType)


def _is_storable(cls: type, is_registered: Callable[[type], bool]) -> bool:
    if isinstance(cls, OnlyObjectsOf):
        cls = cls.stands_for
        return not is_dataclass(cls) or is_registered(cls)
    return cls is object or issubclass(cls, tzinfo) or is_registered(cls)


def _says_nothing(part: inspect.Type) -> bool:
    return isinstance(part, inspect.AnyType) or getattr(part, "cls", None) is object


def _parts(kind: inspect.Type, seen: set[type]) -> Iterator[inspect.Type]:
    """Yield `kind` and the types inside, without those inside registered classes."""
    yield kind
    inner: list[inspect.Type] = []
    match kind:
        case inspect.Metadata(type=only):
            inner = [only]
        case inspect.CollectionType(item_type=item):
            inner = [item]
        case inspect.TupleType(item_types=items):
            inner = list(items)
        case inspect.DictType(key_type=key, value_type=value):
            inner = [key, value]
        case inspect.UnionType(types=members):
            inner = list(members)
        case inspect.TypedDictType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            inner = [field.type for field in fields]
        case inspect.NamedTupleType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            inner = [field.type for field in fields]
    for one in inner:
        yield from _parts(one, seen)
