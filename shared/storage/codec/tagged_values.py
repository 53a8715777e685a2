"""
What JSON does not know, and may stand anywhere in state: written with a tag, and read by it.

    {"$type": "$tuple", "$version": 1, "items": [1, "a"]}
    {"$type": "$dict", "$version": 1, "items": [[1, "a"], [2, "b"]]}
    {"$type": "$enum", "$version": 1, "path": "shared.bot.colours.Colour", "name": "RED"}

The caller of these functions writes and reads what stands inside: `inner` gets the value, where it
is, and how many levels of JSON below.
"""

import json
from collections.abc import Callable, Iterable
from enum import Enum, Flag
from typing import Any

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage.codec import standard_values
from shared.storage.codec.loaded_classes import (
    enum_at,
    is_named_tuple,
    member_of_value,
    named_tuple,
    named_tuple_at,
    path_of,
)
from shared.storage.codec.reserved_keys import (
    DICT,
    ENUM,
    FROZENSET,
    NAMED_TUPLE,
    SET,
    TAG_VERSION,
    TUPLE,
    TYPE,
    VERSION,
)

Inner = Callable[[Any, str, int], Any]

_ITEMS_BELOW = 2
_PAIRS_BELOW = 3

_COLLECTIONS: dict[str, Callable[[list[Any]], Any]] = {
    TUPLE: tuple,
    SET: set,
    FROZENSET: frozenset,
}
_WITH_INNER = {*_COLLECTIONS, DICT, ENUM, NAMED_TUPLE}


def write(value: Any, at: str, inner: Inner) -> dict[str, Any] | None:
    """Return the JSON of a value; None, if it is none of these, or would not come back."""
    if isinstance(value, Enum):
        return _write_member(value, at, inner)
    if isinstance(value, tuple):
        if is_named_tuple(type(value)):
            return _write_named_tuple(value, at, inner)
        return _tag(TUPLE, items=_write_items(value, at, inner))
    if isinstance(value, set | frozenset):
        # In the same order in every process: otherwise unchanged state would look changed.
        items = sorted(_write_items(value, at, inner), key=json.dumps)
        return _tag(SET if isinstance(value, set) else FROZENSET, items=items)
    name = standard_values.tag_of(value)
    fields = standard_values.dump(name, value) if name is not None else None
    return None if name is None or fields is None else _tag(name, **fields)


def write_dictionary(
    mapping: dict[Any, Any], at: str, inner_key: Inner, inner: Inner
) -> dict[str, Any]:
    """
    Return the JSON of a dictionary with keys that are no text.

    Raises:
        StateNotStorable: it is the document, whose keys are names.
    """
    if not at:
        raise StateNotStorable(
            "The document has a key that is not a string; names of properties must be."
        )
    pairs = [
        [
            inner_key(key, f"a key of {at}", _PAIRS_BELOW),
            inner(value, f"{at}[...]", _PAIRS_BELOW),
        ]
        for key, value in mapping.items()
    ]
    return _tag(DICT, items=pairs)


def read(stored: dict[str, Any], at: str, inner_key: Inner, inner: Inner) -> Any:
    """
    Return the value whose JSON `stored` is; values of dictionaries are read by `inner`.

    Raises:
        StateUnreadable: `write` did not write it, or its class is missing.
    """
    tag = stored[TYPE]
    fields = {key: value for key, value in stored.items() if key not in (TYPE, VERSION)}
    made: Any = None
    if stored.get(VERSION) == TAG_VERSION:
        match fields:
            case {"items": list(items)} if tag in _COLLECTIONS:
                return collected(_COLLECTIONS[tag], _read_items(items, at, inner_key), at)
            case {"items": list(items)} if tag == DICT:
                return collected(dict, [_pair(item, at, inner_key, inner) for item in items], at)
            case {"path": path, "name": str(name)} if tag == ENUM:
                made = _member(enum_at(path), name)
            case {"path": path, "value": value} if tag == ENUM:
                made = _member_of_value(enum_at(path), value)
            case {"path": path, "fields": dict(items)} if tag == NAMED_TUPLE:
                made = _named_tuple(named_tuple_at(path), items, at, inner_key)
            case _ if tag not in _WITH_INNER:
                made = standard_values.load(tag, fields)
    if made is None:
        raise StateUnreadable(f"{at} is not a value that this app can read ({tag}); {_advice(tag)}")
    return made


def collected(make: Callable[[list[Any]], Any], values: list[Any], at: str) -> Any:
    """
    Return a collection of values that came out of a document.

    Raises:
        StateUnreadable: not all of them can be in it.
    """
    try:
        made = make(values)
    except TypeError as error:  # A list in a set, say.
        raise StateUnreadable(
            f"{at} holds something that it cannot contain; overwrite it."
        ) from error
    if len(made) != len(values):
        raise StateUnreadable(f"{at} holds two values that have become one; overwrite it.")
    return made


def _tag(tag: str, /, **fields: Any) -> dict[str, Any]:
    return {TYPE: tag, VERSION: TAG_VERSION, **fields}


def _write_items(values: Iterable[Any], at: str, inner: Inner) -> list[Any]:
    return [inner(value, f"{at}[{index}]", _ITEMS_BELOW) for index, value in enumerate(values)]


_read_items = _write_items


def _write_member(member: Enum, at: str, inner: Inner) -> dict[str, Any] | None:
    path = path_of(type(member))
    if path is None:
        return None
    if isinstance(member, Flag):
        # A combination may have no name.
        return _tag(ENUM, path=path, value=inner(member.value, at, 1))
    return _tag(ENUM, path=path, name=member.name)


def _member(cls: type[Enum] | None, name: str) -> Enum | None:
    return None if cls is None else cls.__members__.get(name)


def _member_of_value(cls: type[Enum] | None, value: Any) -> Enum | None:
    return None if cls is None else member_of_value(cls, value)


def _write_named_tuple(value: Any, at: str, inner: Inner) -> dict[str, Any] | None:
    path = path_of(type(value))
    if path is None:
        return None
    fields = {
        name: inner(item, f"{at}.{name}", _ITEMS_BELOW)
        for name, item in zip(value._fields, value, strict=True)
    }
    return _tag(NAMED_TUPLE, path=path, fields=fields)


def _named_tuple(cls: Any, items: dict[Any, Any], at: str, inner: Inner) -> Any:
    if cls is None:
        return None
    fields = {name: inner(item, f"{at}.{name}", _ITEMS_BELOW) for name, item in items.items()}
    return named_tuple(cls, fields)


def _pair(item: Any, at: str, inner_key: Inner, inner: Inner) -> tuple[Any, Any]:
    if not isinstance(item, list) or len(item) != 2:
        raise StateUnreadable(f"{at} is not a dictionary as this app writes them; overwrite it.")
    key, value = item
    return (
        inner_key(key, f"a key of {at}", _PAIRS_BELOW),
        inner(value, f"{at}[...]", _PAIRS_BELOW),
    )


def _advice(tag: str) -> str:
    if tag in (ENUM, NAMED_TUPLE):
        return "import the module with its class where the bot starts, and keep the class's name."
    return "deploy the app that wrote it, or overwrite the property."
