"""The fields of an older version, made into those of today's by the bot builder's migrations."""

from shared.errors import StateUnreadable
from shared.storage.codec.field_types import TypedFields
from shared.storage.codec.state_types import Fields, Schema


def migrate(schema: Schema, version: int, fields: Fields, at: str) -> Fields:
    """
    Return what the migrations from `version` on make of `fields`.

    Raises:
        StateUnreadable: one of them fails.
    """
    for step in range(version, schema.version):
        try:
            fields = dict(schema.migrations[step](fields))
        except Exception as error:  # The migration is the bot builder's own code.
            raise StateUnreadable(
                f"{at}: the migration of {schema.name} from version {step} failed; correct it."
            ) from error
    return fields


def take_unknown(
    schema: Schema, known: TypedFields, stored: Fields, fields: Fields, at: str
) -> Fields:
    """
    Take out of migrated `fields` those that the class does not have, and return them as stored.

    Raises:
        StateUnreadable: a migration made one.
    """
    unknown = fields.keys() - known.keys()
    made = unknown - stored.keys()
    if made:
        raise StateUnreadable(
            f"{at}: the migrations of {schema.name} make fields that the class does not have "
            f"({', '.join(sorted(made))}); correct them."
        )
    for name in unknown:
        del fields[name]
    return {name: value for name, value in stored.items() if name in unknown}
