"""
Documents to plain JSON and back.

A document is a dictionary, by property name, of what JSON can say and of registered objects
(see schema), at any depth; or one registered object. What cannot come back equal is refused
when it is written; what does not fit its class is refused when it is read.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage import legacy
from shared.storage.faults import describe
from shared.storage.schema import E_TAG, Fields, Schema, schema_of
from shared.storage.shapes import typed_fields
from shared.storage.tags import LEGACY_PREFIX, TYPE, VERSION, escape, unescape

Document = Any
"""A dictionary of state properties, or one registered object."""

MAX_SAFE_INTEGER = 2**53
"""Cosmos DB keeps numbers as IEEE 754 doubles: beyond this, neighbours become one."""

MAX_DEPTH = 120
"""Cosmos DB takes 128 levels (its documented limit); the envelope and `$type` need some."""

# Come back as what they are only where a registered class's field says so.
_FIELD_ONLY = (date, time, timedelta, UUID, Decimal, bytes, Enum)
_FIELD_ONLY_COLLECTIONS = (tuple, set, frozenset)


class DocumentCodec:
    """Writes and reads documents with objects of `types` in them."""

    def __init__(self, types: Iterable[type | Schema]) -> None:
        """
        Check the types as a whole.

        Raises:
            TypeError: one is not registered, or has a field of a type that cannot be stored.
            ValueError: two have the same name, present or former.
        """
        schemas = [schema_of(registered) for registered in types]
        self._by_class = {schema.cls: schema for schema in schemas}
        self._by_name: dict[str, Schema] = {}
        for schema in schemas:
            for name in (schema.name, *schema.formerly):
                if self._by_name.setdefault(name, schema) is not schema:
                    raise ValueError(f"Two state types have the name {name}.")
        self._fields = {schema.cls: typed_fields(schema, self._by_class) for schema in schemas}

    def encode(self, document: Document) -> dict[str, Any]:
        """
        Return `document` as plain JSON that shares nothing with it, without its e_tag.

        Raises:
            StateNotStorable: it holds something that would not come back equal.
        """
        if isinstance(document, dict):
            properties = {key: value for key, value in document.items() if key != E_TAG}
            return self._encode_mapping(properties, "", 0, typed=False)
        if type(document) not in self._by_class:
            raise StateNotStorable(_not_registered(document, "The document"))
        return self._encode_object(document, type(document).__name__, 0)

    def decode(self, stored: Mapping[str, Any]) -> Document:
        """
        Return the document that `stored` was made of, without an e_tag.

        Raises:
            StateUnreadable: it is not what this or an older version of the app wrote.
        """
        return self._decode({key: value for key, value in stored.items() if key != E_TAG}, "")

    # -- writing ----------------------------------------------------------------------------

    def _encode(self, value: Any, at: str, depth: int, *, typed: bool) -> Any:
        kind = type(value)
        if kind is str:
            return _encode_text(value, at)
        if value is None or kind is bool:
            return value
        if kind is int:
            if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                raise StateNotStorable(
                    f"{at} is an integer beyond 2^53, which Cosmos DB rounds; store it as a string."
                )
            return value
        if kind is float:
            if not isfinite(value):
                raise StateNotStorable(f"{at} is not a finite number, which JSON cannot say.")
            return value
        if depth > MAX_DEPTH:
            raise StateNotStorable(
                f"{at[:100]}... is nested deeper than {MAX_DEPTH} levels, or contains itself."
            )
        if kind in self._by_class:
            return self._encode_object(value, at, depth)
        if kind is dict:
            return self._encode_mapping(value, at, depth, typed=typed)
        if kind is list or (typed and isinstance(value, _FIELD_ONLY_COLLECTIONS)):
            # Most of what is stored is text in ASCII, which is fine as it is.
            return [
                item
                if type(item) is str and item.isascii()
                else self._encode(item, f"{at}[{index}]", depth + 1, typed=typed)
                for index, item in enumerate(value)
            ]
        if typed and isinstance(value, _FIELD_ONLY):
            return msgspec.to_builtins(value)
        # Subclasses of what JSON knows come back as their base, which compares equal.
        for base, plain in _PLAIN.items():
            if isinstance(value, base):
                return self._encode(plain(value), at, depth, typed=typed)
        raise StateNotStorable(_not_registered(value, at))

    def _encode_mapping(
        self, mapping: dict[Any, Any], at: str, depth: int, *, typed: bool
    ) -> dict[str, Any]:
        encoded = {}
        for key, value in mapping.items():
            if type(key) is not str:
                raise StateNotStorable(
                    f"{at or 'The document'} has a key that is not a string, as JSON's keys are."
                )
            inner = f"{at}[...]" if at else key
            encoded[escape(_encode_text(key, inner))] = (
                value
                if type(value) is str and value.isascii()
                else self._encode(value, inner, depth + 1, typed=typed)
            )
        return encoded

    def _encode_object(self, value: object, at: str, depth: int) -> dict[str, Any]:
        schema = self._by_class[type(value)]
        fields = schema.dump(value)
        try:
            # What does not fit would be refused when read: it must not get into the store.
            msgspec.convert(fields, schema.shape)
        except msgspec.ValidationError as error:
            raise StateNotStorable(f"{describe(error, at)} It was not stored.") from error
        encoded: dict[str, Any] = {TYPE: schema.name, VERSION: schema.version}
        for name, typed in self._fields[schema.cls].items():
            encoded[name] = self._encode(fields[name], f"{at}.{name}", depth + 1, typed=typed)
        return encoded

    # -- reading ----------------------------------------------------------------------------

    def _decode(self, stored: Any, at: str) -> Any:
        kind = type(stored)
        if kind is dict:
            if TYPE in stored:
                return self._decode_object(stored, at)
            if any(key.startswith(LEGACY_PREFIX) for key in stored):
                return self._decode_legacy(stored, at)
            return {
                unescape(key): value
                if type(value) is str
                else self._decode(value, f"{at}[...]" if at else key)
                for key, value in stored.items()
            }
        if kind is list:
            return [
                item if type(item) is str else self._decode(item, f"{at}[{index}]")
                for index, item in enumerate(stored)
            ]
        if kind is int and not -MAX_SAFE_INTEGER <= stored <= MAX_SAFE_INTEGER:
            # It was a float: JavaScript, and so Cosmos DB, writes 1e20 with all its digits.
            return float(stored)
        return stored

    def _decode_object(self, stored: dict[str, Any], at: str) -> Any:
        name, version = stored[TYPE], stored.get(VERSION)
        schema = self._by_name.get(name) if isinstance(name, str) else None
        if schema is None:
            raise StateUnreadable(
                f"{at or 'The document'} is of a type that is not registered; register it in "
                "STATE_TYPES (shared/bot/__init__.py), or name it in the `formerly` of one that is."
            )
        if type(version) is not int or version < 1:
            raise StateUnreadable(f"{at or schema.name} has no valid $version.")
        if version > schema.version:
            raise StateUnreadable(
                f"{at or schema.name} has version {version} of {schema.name}, and this app knows "
                f"{schema.version} at most; deploy the app that wrote it, or a newer one."
            )
        fields = {
            name: self._decode(value, f"{at or schema.name}.{name}")
            for name, value in stored.items()
            if name not in (TYPE, VERSION)
        }
        return self._make(schema, version, fields, at or schema.name)

    def _decode_legacy(self, stored: dict[str, Any], at: str) -> Any:
        item = legacy.parse(stored, at or "The document")
        if isinstance(item, legacy.Collection):
            return [self._decode(value, f"{at}[{i}]") for i, value in enumerate(item.items)]
        if not isinstance(item, legacy.Object):
            return item
        schema = self._by_name.get(item.path)
        if schema is None:
            raise StateUnreadable(
                f"{at or 'The document'} was stored by the stock SDK as a class that is not known "
                "here; name its path in the `formerly` of a registered class."
            )
        at = at or schema.name
        fields = {name: self._decode(value, f"{at}.{name}") for name, value in item.fields.items()}
        return self._make(schema, legacy.VERSION, fields, at)

    def _make(self, schema: Schema, version: int, fields: Fields, at: str) -> Any:
        for step in range(version, schema.version):
            try:
                fields = schema.migrations[step](fields)
            except Exception as error:  # The migration is the bot builder's own code.
                raise StateUnreadable(
                    f"{at}: the migration of {schema.name} from version {step} failed."
                ) from error
        unknown = fields.keys() - self._fields[schema.cls].keys()
        if unknown:
            raise StateUnreadable(
                f"{at} has fields that {schema.name} version {schema.version} has not "
                f"({', '.join(sorted(unknown))}); raise its version and migrate them."
            )
        try:
            shaped = msgspec.convert(fields, schema.shape)
        except msgspec.ValidationError as error:
            raise StateUnreadable(f"{describe(error, at)} It was left as it is.") from error
        return schema.load(shaped)


# By unbound methods: what a subclass makes of its own conversion does not matter.
_PLAIN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    dict: dict,
    list: list,
}


def _encode_text(text: str, at: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise StateNotStorable(
                f"{at} has half of a surrogate pair, which is no character; remove it."
            ) from error
    return text


def _not_registered(value: object, at: str) -> str:
    kind = type(value)
    if isinstance(value, (*_FIELD_ONLY, *_FIELD_ONLY_COLLECTIONS)):
        return (
            f"{at} is a {kind.__name__}, which JSON does not know; keep it in a field of that "
            "type in a registered dataclass."
        )
    return (
        f"{at} is a {kind.__module__}.{kind.__qualname__}, which is not registered; add "
        "@state_type to it and list it in STATE_TYPES (shared/bot/__init__.py)."
    )
