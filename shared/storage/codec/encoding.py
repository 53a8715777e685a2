"""Documents to plain JSON."""

from collections.abc import Callable
from enum import Enum
from math import isfinite
from typing import Any

import msgspec

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage.codec import sdk_types, tagged_values
from shared.storage.codec.mismatches import explain_mismatch
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.plain import (
    FIELD_ONLY,
    FIELD_ONLY_COLLECTIONS,
    MAX_DEPTH,
    MAX_SAFE_INTEGER,
    Document,
    is_text,
)
from shared.storage.codec.refusals import why_not_storable
from shared.storage.codec.registry import Registry
from shared.storage.codec.reserved_keys import KEPT, TYPE, VERSION, escape
from shared.storage.codec.shapes import is_told_by_field
from shared.storage.codec.state_types import E_TAG, Schema
from shared.storage.codec.stock_sdk_references import References
from shared.storage.codec.unknown_fields import UNKNOWN


class Encoder:
    """Writes documents with objects of registered classes in them."""

    def __init__(self, registry: Registry) -> None:
        self._by_class = registry.by_class
        self._fields = registry.fields
        self._shapes = registry.shapes

    def encode(self, document: Document) -> dict[str, Any]:
        """See `DocumentCodec.encode`."""
        if not isinstance(document, dict):
            schema = self._schema_of(type(document))
            if schema is None:
                raise StateNotStorable(why_not_storable(document, "The document"))
            return self._object(schema, document, type(document).__name__, 0)
        properties, opaque = {}, {}
        for name, value in document.items():
            if type(value) is Opaque:
                opaque[name] = value
            if name != E_TAG:
                properties[name] = value
        if not opaque:
            return self._mapping(properties, "", 0, typed=False)
        return self._with_opaque(properties, opaque)

    def _with_opaque(self, properties: dict[str, Any], opaque: dict[str, Opaque]) -> dict[str, Any]:
        """What could not be read stays in its place, as it was stored."""
        encoded = self._mapping(properties | dict.fromkeys(opaque), "", 0, typed=False)
        stored_as = {name: escape(name) for name in opaque}
        if TYPE in opaque and isinstance(Opaque.stored(opaque[TYPE]), str):
            # Not a property, but what the SDK for .NET says of the whole document.
            del encoded[stored_as[TYPE]]
            stored_as[TYPE] = TYPE
            encoded = {TYPE: None, **encoded}
        for name, value in opaque.items():
            encoded[stored_as[name]] = Opaque.stored(value)
        for name, value in opaque.items():
            if Opaque.has_references(value):
                _keep_meaning(encoded, stored_as[name], value)
        return encoded

    def _value(self, value: Any, at: str, depth: int, *, typed: bool) -> Any:
        kind = type(value)
        if kind is str:
            return _text(value, at)
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
                raise StateNotStorable(f"{at} is not a finite number; JSON has no others.")
            return value
        if depth > MAX_DEPTH:
            raise StateNotStorable(
                f"{at[:100]}... is nested deeper than {MAX_DEPTH} levels, or contains itself."
            )
        if kind in self._by_class:
            return self._object(self._by_class[kind], value, at, depth)
        if kind is dict:
            return self._mapping(value, at, depth, typed=typed)
        if kind is list or (typed and is_told_by_field(value, FIELD_ONLY_COLLECTIONS)):
            # Most of what is stored is text in ASCII, which is fine as it is.
            return [
                item
                if type(item) is str and item.isascii()
                else self._value(item, f"{at}[{index}]", depth + 1, typed=typed)
                for index, item in enumerate(value)
            ]
        if typed and is_told_by_field(value, FIELD_ONLY):
            return msgspec.to_builtins(value)
        if kind is Opaque:
            return {KEPT: Opaque.spelled(value)}
        schema = self._schema_of(kind)
        if schema is not None:
            return self._object(schema, value, at, depth)
        tagged = tagged_values.write(value, at, self._inside(depth, typed=False))
        if tagged is not None:
            return tagged
        # Subclasses of what JSON knows come back as their base, which compares equal.
        for base, plain in _PLAIN.items():
            if isinstance(value, base):
                return self._value(plain(value), at, depth, typed=typed)
        raise StateNotStorable(why_not_storable(value, at))

    def _schema_of(self, kind: type) -> Schema | None:
        return self._by_class.get(kind) or sdk_types.schema_of_class(kind)

    def _inside(self, depth: int, *, typed: bool) -> tagged_values.Inner:
        return lambda value, at, levels: self._value(value, at, depth + levels, typed=typed)

    def _mapping(
        self, mapping: dict[Any, Any], at: str, depth: int, *, typed: bool
    ) -> dict[str, Any]:
        encoded = {}
        for key, value in mapping.items():
            if type(key) is not str:
                if not isinstance(key, str) or (at and isinstance(key, Enum)):
                    return tagged_values.write_dictionary(
                        mapping,
                        at,
                        self._inside(depth, typed=False),
                        self._inside(depth, typed=typed),
                    )
                key = str.__str__(key)
            # A property may have an empty name; only the document itself has no place.
            inner = f"{at}[...]" if at else key or '""'
            encoded[escape(_text(key, inner))] = (
                value
                if type(value) is str and value.isascii()
                else self._value(value, inner, depth + 1, typed=typed)
            )
        return encoded

    def _object(self, schema: Schema, value: object, at: str, depth: int) -> dict[str, Any]:
        try:
            fields = schema.dump(value)
            # What does not fit would be refused when read: it must not get into the store.
            msgspec.convert(fields, self._shapes.get(schema.cls, schema.shape))
        except msgspec.ValidationError as error:
            raise StateNotStorable(f"{explain_mismatch(error, at)} It was not stored.") from error
        except Exception as error:  # The class's own code, which may raise anything.
            raise StateNotStorable(
                f"{at} was refused by its own class. It was not stored."
            ) from error
        encoded: dict[str, Any] = {TYPE: schema.name, VERSION: schema.version}
        known = self._fields.get(schema.cls)
        if known is None:  # The SDK's own: whatever attributes it has.
            for name, attribute in fields.items():
                inner = f"{at}.{name}"
                encoded[escape(name)] = self._value(attribute, inner, depth + 1, typed=False)
            return encoded
        for name, typed in known.items():
            encoded[name] = self._value(fields[name], f"{at}.{name}", depth + 1, typed=typed)
        unknown = getattr(value, UNKNOWN, None)
        return encoded if unknown is None else encoded | _without(encoded, unknown)


def _without(known: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in known}


def _keep_meaning(encoded: dict[str, Any], name: str, value: Opaque) -> None:
    """
    Put the things themselves in place of a property's references, if they lead elsewhere now.

    They count what stands before them in the document, and that may have changed.
    """
    try:
        means = References(encoded).spell_out(encoded[name], name)
    except StateUnreadable:
        means = None
    if means != Opaque.spelled(value):
        encoded[name] = Opaque.spelled(value)


# By unbound methods: what a subclass makes of its own conversion does not matter.
_PLAIN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    dict: dict,
    list: list,
}


def _text(text: str, at: str) -> str:
    if not is_text(text):
        raise StateNotStorable(
            f"{at} has half of a surrogate pair, which is not a character; remove it."
        )
    return text
