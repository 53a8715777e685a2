"""The classes that a bot's state is made of, checked as a whole."""

from collections.abc import Iterable

from shared.storage.codec.field_types import TypedFields, typed_dict_fields, typed_fields
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
                if self.by_name.setdefault(name, schema) is not schema:
                    raise ValueError(f"Two state types have the name {name}.")
        self.fields: dict[type, TypedFields] = {
            schema.cls: typed_fields(schema, self.by_class) for schema in schemas
        }
        self.typed_dicts: dict[type, tuple[str, ...]] = {
            schema.cls: typed_dict_fields(schema) for schema in schemas
        }
