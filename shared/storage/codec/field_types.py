"""Which types the fields of a registered class may have."""

from collections.abc import Container, Iterator
from typing import Any

from msgspec import inspect

from shared.storage.codec.state_types import E_TAG, Schema

TypedFields = dict[str, bool]
"""
By field name, whether the field's type says all: no `Any` in it, at any depth.

Only then does a string in the store tell by itself that it is, say, a date.
"""


def typed_fields(schema: Schema, registered: Container[type]) -> TypedFields:
    """
    Look at the fields of a class as msgspec understands them.

    Raises:
        TypeError: one has a type that cannot be stored.
    """
    try:
        shape: Any = inspect.type_info(schema.shape)
    except (TypeError, NameError) as error:
        raise TypeError(f"{schema.name} cannot be stored: {error}. Declare Any instead.") from error
    found = {}
    for field in shape.fields:
        if field.name == E_TAG:
            continue
        parts = list(_parts(field.type, set()))
        for part in parts:
            cls = getattr(part, "cls", None)
            if isinstance(part, _NEEDS_REGISTRATION) and cls not in registered:
                name = getattr(cls, "__name__", repr(cls))
                raise TypeError(
                    f"{schema.name}.{field.name} is a {name}, which is not registered; "
                    "register it in STATE_TYPES (shared/bot/__init__.py)."
                )
        found[field.name] = not any(isinstance(part, inspect.AnyType) for part in parts)
    return found


def typed_dict_fields(schema: Schema) -> tuple[str, ...]:
    """Return the names of the fields with a TypedDict in them: it may be given keys later, too."""
    shape: Any = inspect.type_info(schema.shape)
    return tuple(
        field.name
        for field in shape.fields
        if any(isinstance(part, inspect.TypedDictType) for part in _parts(field.type, set()))
    )


_NEEDS_REGISTRATION = (inspect.DataclassType, inspect.StructType, inspect.CustomType)


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
