"""Plain JSON to documents."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from shared.errors import StateUnreadable
from shared.storage.codec import dotnet, stock_sdk, tagged_values
from shared.storage.codec.loaded_classes import enum_at, member_of_value, named_tuple_at
from shared.storage.codec.migrating import migrate, take_unknown
from shared.storage.codec.mismatches import explain_mismatch
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.plain import MAX_DEPTH, MAX_SAFE_INTEGER, Document, is_text
from shared.storage.codec.registry import Registry
from shared.storage.codec.reserved_keys import (
    KEPT,
    LEGACY_PREFIX,
    TAGS,
    TURNS,
    TYPE,
    VERSION,
    unescape,
)
from shared.storage.codec.shapes import take_value
from shared.storage.codec.state_types import E_TAG, Fields, Schema
from shared.storage.codec.stock_sdk_references import ID, References, has_references
from shared.storage.codec.unknown_fields import keep_keys, keep_unknown


class Decoder:
    """Reads one document, each property for itself."""

    def __init__(self, registry: Registry, stored: Mapping[str, Any]) -> None:
        self._registry = registry
        self._by_name = registry.by_name
        self._fields = registry.fields
        self._typed_dicts = registry.typed_dicts
        self._stored = {key: value for key, value in stored.items() if key != E_TAG}
        self._references: References | None = None
        self._is_own = False
        """Below the app's own property, with values in it that may be of other documents."""

    def decode(self) -> Document:
        """See `DocumentCodec.decode`."""
        stored = self._stored
        has_type = TYPE in stored and self._says_type(stored)
        from_dotnet = has_type and dotnet.is_dotnet(stored)
        if (has_type and not from_dotnet) or _is_legacy(stored):
            return self._value(stored, "", 0, typed=False)
        document: dict[str, Any] = {}
        for key, value in stored.items():
            if from_dotnet and key == TYPE:
                document[key] = Opaque(value, "The SDK for .NET says so of the whole document.")
                continue
            name = unescape(key)
            self._is_own = key == TURNS
            try:
                document[name] = self._value(value, name, 1, typed=False)
            except StateUnreadable as error:
                document[name] = self._opaque(value, str(error))
        return document

    def _opaque(self, stored: Any, reason: str) -> Opaque:
        spelled = None
        if has_references(stored):
            # Otherwise they lead nowhere, wherever they are.
            with suppress(StateUnreadable):
                spelled = self._all_references().spell_out(stored, "")
        return Opaque(stored, reason, spelled)

    def _value(self, stored: Any, at: str, depth: int, *, typed: bool) -> Any:
        """
        Read a value; `typed`, if it is in a field whose type says all.

        Raises:
            StateUnreadable: it is not what this or an older version of the app wrote, or what
                could not be written again.
        """
        kind = type(stored)
        if kind is str:
            return stored if stored.isascii() else _text(stored, at)
        if kind is dict:
            return self._mapping(stored, at, depth, typed=typed)
        if kind is list:
            _check_depth(depth, at)
            return [
                item
                if type(item) is str and item.isascii()
                else self._value(item, f"{at}[{index}]", depth + 1, typed=typed)
                for index, item in enumerate(stored)
            ]
        if kind is int and not -MAX_SAFE_INTEGER <= stored <= MAX_SAFE_INTEGER:
            # It was a float: JavaScript, and so Cosmos DB, writes 1e20 with all its digits.
            return _float(stored, at)
        return stored

    def _mapping(self, stored: dict[str, Any], at: str, depth: int, *, typed: bool) -> Any:
        _check_depth(depth, at)
        if TYPE in stored and self._says_type(stored):
            return self._tagged(stored, at, depth, typed=typed)
        found: dict[str, Any] = {}
        for key, value in stored.items():
            first = key[:1]
            if first == "p" and key.startswith(LEGACY_PREFIX):
                return self._tagged(stored, at, depth, typed=typed)
            if first == "$":
                if key == KEPT:
                    return self._kept(stored, at)
                key = unescape(key)
            elif not key.isascii():
                _text(key, at)
            found[key] = (
                value
                if type(value) is str and value.isascii()
                else self._value(value, f"{at}[...]" if at else key, depth + 1, typed=typed)
            )
        return found

    def _says_type(self, stored: dict[str, Any]) -> bool:
        """Whether `$type` is a tag; to the SDKs for JavaScript and Python it is an ordinary key."""
        name = stored[TYPE]
        return VERSION in stored or (
            isinstance(name, str) and (name in self._by_name or dotnet.is_dotnet(stored))
        )

    def _tagged(self, stored: dict[str, Any], at: str, depth: int, *, typed: bool) -> Any:
        if self._is_own:
            # What the app keeps for other documents: it need not be readable to be handed on.
            self._is_own = False
            try:
                if VERSION not in stored:
                    return Opaque(stored)
                return self._object(stored, at, depth, typed=False)
            except StateUnreadable as error:
                return Opaque(stored, str(error))
            finally:
                self._is_own = True
        if TYPE not in stored or not self._says_type(stored):
            return self._legacy(stored, at, depth, typed=typed)
        if dotnet.is_dotnet(stored):
            return self._value(dotnet.parse(stored, at), at, depth + 1, typed=typed)
        return self._object(stored, at, depth, typed=typed)

    def _kept(self, stored: dict[str, Any], at: str) -> Opaque:
        if self._is_own:
            return Opaque(stored[KEPT])
        raise StateUnreadable(
            f"{at or 'The document'} holds a value that could not be read when the bot asked for "
            "it; overwrite the property."
        )

    def _object(self, stored: dict[str, Any], at: str, depth: int, *, typed: bool) -> Any:
        name, version = stored[TYPE], stored.get(VERSION)
        if isinstance(name, str) and name in TAGS:
            inner_key, inner = self._inside(depth, typed=False), self._inside(depth, typed=typed)
            return tagged_values.read(stored, at or "The document", inner_key, inner)
        schema = self._registry.with_name(name)
        if schema is None:
            raise StateUnreadable(
                f"{at or 'The document'} is of a type that is not registered; register it in "
                "STATE_TYPES (shared/bot/__init__.py), or name it in `formerly=` of a type that is."
            )
        if type(version) is not int or version < 1:
            raise StateUnreadable(f"{at or schema.name} has no valid $version; overwrite it.")
        if version > schema.version:
            raise StateUnreadable(
                f"{at or schema.name} has version {version} of {schema.name}, but this app knows "
                f"{schema.version} at most; deploy the app that wrote it, or a newer one."
            )
        fields = {key: value for key, value in stored.items() if key not in (TYPE, VERSION)}
        return self._make(schema, version, fields, at or schema.name, depth)

    def _inside(self, depth: int, *, typed: bool) -> tagged_values.Inner:
        return lambda value, at, levels: self._value(value, at, depth + levels, typed=typed)

    def _legacy(self, stored: dict[str, Any], at: str, depth: int, *, typed: bool) -> Any:
        if ID in stored:
            return self._value(self._follow(stored, at), at, depth + 1, typed=typed)
        name = at or "The document"
        match stock_sdk.parse(stored, name, lambda value: self._follow(value, name)):
            case stock_sdk.Value(value):
                return value
            case stock_sdk.Entries(items):
                return self._mapping(dict(items), at, depth, typed=typed)
            case stock_sdk.Collection(items) | stock_sdk.Items(items) if typed:
                return self._value(items, at, depth, typed=typed)
            case stock_sdk.Made(argument) if typed:
                return self._value(argument, at, depth, typed=typed)
            case stock_sdk.Collection(items, make):
                return tagged_values.collected(
                    make, self._value(items, at, depth, typed=False), name
                )
            case stock_sdk.Object(path, fields):
                schema = self._registry.with_name(path)
                if schema is None:
                    raise StateUnreadable(
                        f"{name} was stored by the stock SDK as a class that is not known here; "
                        "name its path in the `formerly` of a registered class."
                    )
                return self._make(schema, stock_sdk.VERSION, fields, at or schema.name, depth)
            case stock_sdk.Made(argument, path):
                value = self._value(argument, at, depth, typed=False)
                cls = self._class_at(path, enum_at)
                member = member_of_value(cls, value) if cls is not None else None
                if member is not None:
                    return member
            case stock_sdk.Items(items, path):
                values = self._value(items, at, depth, typed=False)
                cls = self._class_at(path, named_tuple_at)
                if cls is not None and len(values) == len(cls._fields):
                    return tuple.__new__(cls, values)
        raise StateUnreadable(
            f"{name} was stored by the stock SDK as a value of {path}, which can be read only if "
            "that is an Enum or a named tuple, and is loaded under its old path, or is read into a "
            "field of its type; import it where the bot starts, or overwrite the property."
        )

    def _class_at(self, path: str, find: Callable[[str], Any]) -> Any:
        """The class of an Enum or named tuple: the registered one, or the one at its path."""
        schema = self._by_name.get(path)
        return find(path) if schema is None else schema.cls

    def _follow(self, stored: Any, at: str) -> Any:
        while isinstance(stored, dict) and ID in stored:
            stored = self._all_references().target(stored, at)
        return stored

    def _all_references(self) -> References:
        if self._references is None:
            self._references = References(self._stored)
        return self._references

    def _make(self, schema: Schema, version: int, stored: Fields, at: str, depth: int) -> Any:
        known = self._fields.get(schema.cls)
        if known is None:  # The SDK's own: whatever attributes it has.
            attributes = {
                unescape(name): self._value(value, f"{at}.{name}", depth + 1, typed=False)
                for name, value in stored.items()
            }
            return schema.load(attributes)
        is_older = version < schema.version
        fields: Fields = {}
        unknown: Fields = {}
        for name, value in stored.items():
            typed = known.get(name)
            if typed is None and not is_older:
                unknown[name] = value
            elif type(value) is str and value.isascii():
                fields[name] = value
            else:
                # A migration may make something of any value.
                fields[name] = self._value(
                    value, f"{at}.{name}", depth + 1, typed=is_older or bool(typed)
                )
        if is_older:
            fields = migrate(schema, version, fields, at)
            unknown = take_unknown(schema, known, stored, fields, at)
        try:
            shape = self._registry.shapes[schema.cls]
            shaped = msgspec.convert(fields, shape, dec_hook=take_value, str_keys=True)
            for name in self._typed_dicts[schema.cls]:
                keep_keys(fields.get(name), _field(shaped, name))
            made = self._registry.loaders[schema.cls](shaped)
        except msgspec.ValidationError as error:
            raise StateUnreadable(f"{explain_mismatch(error, at)} It was left as it is.") from error
        except Exception as error:  # The class's own code, which may raise anything.
            raise StateUnreadable(
                f"{at} was refused by its own class. It was left as it is."
            ) from error
        if unknown:
            self._keep(made, unknown, at)
        return made

    def _keep(self, made: object, unknown: Fields, at: str) -> None:
        for name, value in unknown.items():
            if has_references(value):
                unknown[name] = self._all_references().spell_out(value, f"{at}.{name}")
        if not keep_unknown(made, unknown):
            raise StateUnreadable(
                f"{at} has fields that its class does not have ({', '.join(sorted(unknown))}), and "
                "it has no place to keep them; give it those fields, or remove its `__slots__`."
            )


def _field(shaped: Any, name: str) -> Any:
    return shaped.get(name) if isinstance(shaped, dict) else getattr(shaped, name)


def _is_legacy(stored: dict[str, Any]) -> bool:
    return any(key.startswith(LEGACY_PREFIX) for key in stored)


def _check_depth(depth: int, at: str) -> None:
    if depth > MAX_DEPTH:
        raise StateUnreadable(
            f"{at[:100]}... is nested deeper than {MAX_DEPTH} levels, and so could not be "
            "written again."
        )


def _text(text: str, at: str) -> str:
    if not is_text(text):
        raise StateUnreadable(
            f"{at} has half of a surrogate pair, which cannot be written again; overwrite it."
        )
    return text


def _float(number: int, at: str) -> float:
    try:
        return float(number)
    except OverflowError as error:
        raise StateUnreadable(
            f"{at} is a number that Cosmos DB cannot keep; overwrite it."
        ) from error
