"""
What the stock SDK wrote, taken apart without importing, calling or building what it names.

Its storage writes with jsonpickle, whose own reader runs whatever a document names: a document
with `py/reduce` in it can run any program. Here tags are data, and the few names that stand for
values of the standard library are known by their text.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.errors import StateUnreadable
from shared.storage.codec import stock_sdk_values as values
from shared.storage.codec.reserved_keys import LEGACY_PREFIX

VERSION = 1
"""What its documents count as: they carry no version."""

Follow = Callable[[Any], Any]
"""Returns what a reference stands for, and anything else as it is."""


class Object(msgspec.Struct, frozen=True):
    """An instance of the class that had the import path `path`."""

    path: str
    fields: dict[str, Any]


class Collection(msgspec.Struct, frozen=True):
    """A tuple, a set or a frozenset."""

    items: list[Any]
    make: Callable[[list[Any]], Any]


class Entries(msgspec.Struct, frozen=True):
    """A kind of dictionary."""

    items: dict[str, Any]


class Value(msgspec.Struct, frozen=True):
    """A value of the standard library."""

    value: Any


class Made(msgspec.Struct, frozen=True):
    """What the class with the import path `path` makes of one argument: an Enum of a value."""

    argument: Any
    path: str


class Items(msgspec.Struct, frozen=True):
    """A collection of the class with the import path `path`: a named tuple, a deque."""

    items: list[Any]
    path: str


Item = Object | Collection | Entries | Value | Made | Items


def parse(stored: dict[str, Any], at: str, follow: Follow) -> Item:
    """
    Read one level of `stored`, which has at least one of jsonpickle's tags, and no reference.

    Raises:
        StateUnreadable: it has tags that cannot be read without running something.
    """
    tags = sorted(key for key in stored if key.startswith(LEGACY_PREFIX))
    item: Item | None = None
    # What it is comes first, what it was made of and with after it.
    tags.sort(key=lambda tag: tag != "py/object")
    match tags:
        case ["py/tuple" | "py/set" as tag] if len(stored) == 1:
            make = tuple if tag == "py/tuple" else set
            item = Collection(stored[tag], make) if isinstance(stored[tag], list) else None
        case ["py/b64" | "py/b85" as tag] if len(stored) == 1:
            item = _value(values.binary(tag, stored[tag]))
        case ["py/object", *more] if isinstance(stored["py/object"], str):
            item = _object(stored, more, follow)
        case ["py/reduce"] if len(stored) == 1 and isinstance(stored["py/reduce"], list):
            zone = values.of_zone(stored, follow)
            item = _reduced(stored["py/reduce"], follow) if zone is None else Value(zone)
    if item is None:
        raise StateUnreadable(
            f"{at} was stored by the stock SDK in a form (jsonpickle's {', '.join(tags)}) that can "
            "be read only by running what it names, which this app never does; overwrite the "
            "property."
        )
    return item


def _object(stored: dict[str, Any], more: list[str], follow: Follow) -> Item | None:
    path = stored["py/object"]
    attributes = {key: stored[key] for key in stored if not key.startswith(LEGACY_PREFIX)}
    if path in values.BY_OBJECT:
        return None if more else _value(values.of_object(stored, follow))
    if path == "collections.defaultdict" and not more:
        attributes.pop("default_factory", None)
        return Entries(attributes)
    match more:
        case []:
            return None if "__reduce__" in attributes else Object(path, attributes)
        case ["py/state"] if not attributes:
            return _with_state(path, follow(stored["py/state"]), follow)
        case ["py/newargs"] | ["py/newargs", "py/seq"] if not attributes:
            items = values.items_of(follow(stored["py/newargs"]))
            return None if items is None else Items(items, path)
    return None


def _with_state(path: str, state: Any, follow: Follow) -> Item | None:
    if values.is_plain_mapping(state):
        return Object(path, state)
    # Of a class with slots: its dictionary, if it has one, and its slots.
    parts = [follow(part) or {} for part in values.items_of(state) or []]
    if len(parts) == 2 and all(map(values.is_plain_mapping, parts)):
        return Object(path, parts[0] | parts[1])
    return None


def _reduced(parts: list[Any], follow: Follow) -> Item | None:
    parts = [follow(part) for part in parts]
    if not 2 <= len(parts) <= 5:
        return None
    made_by, arguments, state, items, entries = parts + [None] * (5 - len(parts))
    arguments = values.items_of(arguments)
    if arguments is None:
        return None
    if made_by == "py/newobj" and arguments:
        made_by, *arguments = arguments
    path = values.path_of(made_by)
    match path:
        case "collections.OrderedDict" | "collections.Counter" if state is None and items is None:
            return _entries(arguments, entries, follow)
        case "collections.deque" if state is None and entries is None:
            found = values.items_of(items) if items is not None else []
            return None if found is None else Items(found, path)
        case "builtins.frozenset" if len(parts) == 2 and len(arguments) == 1:
            found = follow(arguments[0])
            return Collection(found, frozenset) if isinstance(found, list) else None
    if path is None or items is not None or entries is not None:
        return None
    if path in values.BY_CALL:
        return None if state else _value(values.of_call(path, arguments, follow))
    if not arguments:
        return _with_state(path, state, follow) if state is not None else None
    # An Enum is made of its value; a class of its own that was made of one value looks the same.
    if state is None and len(arguments) == 1:
        return Made(arguments[0], path)
    return None


def _entries(arguments: list[Any], entries: Any, follow: Follow) -> Entries | None:
    first = follow(arguments[0]) if len(arguments) == 1 else {}
    if len(arguments) > 1 or not values.is_plain_mapping(first):
        return None
    pairs = [values.items_of(follow(pair)) for pair in values.items_of(entries) or []]
    found = dict(first)
    for pair in pairs:
        if pair is None or len(pair) != 2 or not isinstance(pair[0], str):
            return None
        found[pair[0]] = pair[1]
    return Entries(found)


def _value(value: Any) -> Value | None:
    return None if value is None else Value(value)
