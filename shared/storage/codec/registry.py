"""The classes that a bot's state is made of, checked as a whole."""

from collections.abc import Iterable
from typing import Any

from shared.storage.codec import sdk_types
from shared.storage.codec.field_types import TypedFields, typed_dict_fields, typed_fields
from shared.storage.codec.reserved_keys import TAGS
from shared.storage.codec.shapes import Loader, shape_of
from shared.storage.codec.state_types import Schema, schema_of


class Registry:
    """Finds how objects are stored, by their class and by the names in the store."""

    def __init__(self, types: Iterable[type | Schema]) -> None:
        """
        Check the types.

        Raises:
            TypeError: one is not registered, or has a field of a type that cannot be stored.
            ValueError: two have the same name, present or former.
        """
        schemas = [schema_of(registered) for registered in types]
        self.by_class: dict[type, Schema] = {schema.cls: schema for schema in schemas}
        self.by_name: dict[str, Schema] = {}
        for schema in schemas:
            for name in (schema.name, *schema.formerly):
                if name in TAGS:
                    raise ValueError(f"{name} cannot be the name of a state type; choose another.")
                if self.by_name.setdefault(name, schema) is not schema:
                    raise ValueError(f"Two state types have the name {name}.")
        self.shapes: dict[type, Any] = {}
        self.loaders: dict[type, Loader] = {}
        for schema in schemas:
            self.shapes[schema.cls], self.loaders[schema.cls] = shape_of(schema)
        self.fields: dict[type, TypedFields] = {
            schema.cls: typed_fields(schema.name, self.shapes[schema.cls], self._is_registered)
            for schema in schemas
        }
        self.typed_dicts: dict[type, tuple[str, ...]] = {
            schema.cls: typed_dict_fields(self.shapes[schema.cls]) for schema in schemas
        }

    def with_name(self, name: Any) -> Schema | None:
        """Return how objects with that name in the store are stored; None if there are none."""
        schema = self.by_name.get(name) if isinstance(name, str) else None
        return schema or sdk_types.schema_of_name(name)

    def _is_registered(self, cls: type) -> bool:
        return cls in self.by_class or sdk_types.schema_of_class(cls) is not None
