"""
What may be remembered: classes registered with a name and a version of their own.

The name, not the class's module, is what stands in the store, so that a class may move or be
renamed, and its version tells an older shape from today's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypedDict, TypeVar

from shared.storage.codec.unknown_fields import with_place_for_unknown

E_TAG = "e_tag"
"""The field, attribute or key that carries a document's version for the SDK. Never stored."""

Fields = dict[str, Any]
"""A registered object's fields by name. Those that are registered objects are objects here too."""

Migration = Callable[[Fields], Fields]
"""Makes the fields of one version into those of the next."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """How objects of one class are stored. Made by `state_type` and `foreign_type`."""

    cls: type
    name: str
    version: int
    formerly: tuple[str, ...]
    migrations: Mapping[int, Migration]
    shape: Any
    """The type, to msgspec, that an object's fields must fit."""
    dump: Callable[[Any], Fields]
    load: Callable[[Any], Any]
    """Makes an object of what msgspec made of `shape`."""

    def __post_init__(self) -> None:
        if not self.name or self.version < 1:
            raise ValueError(f"{self.cls.__name__} needs a name, and a version of 1 or more.")
        if set(self.migrations) != set(range(1, self.version)):
            raise ValueError(
                f"{self.name} has version {self.version}, so it needs one migration from each "
                f"earlier version, 1 to {self.version - 1}, and no other."
            )


def state_type(
    name: str,
    *,
    version: int = 1,
    formerly: tuple[str, ...] = (),
    migrations: Mapping[int, Migration] | None = None,
) -> Callable[[type[T]], type[T]]:
    """
    Register a dataclass under `name`; put this above `@dataclass`.

    `formerly` lists what it was stored as before: earlier names, and for documents that the
    stock SDK wrote, the class's path as it was, such as "data_models.user_profile.UserProfile".
    `migrations` has, for each earlier version, what makes its fields those of the next one.
    Documents of the stock SDK count as version 1.

    A field with a default may be added, and taken back, without a new version: fields that the
    class does not have are kept with its objects. For that, a class with slots is given one more.
    """

    def register(cls: type[T]) -> type[T]:
        if not is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is not a dataclass; put @dataclass below @state_type.")
        names = tuple(field.name for field in fields(cls) if field.name != E_TAG)
        cls = with_place_for_unknown(cls)
        schema = Schema(
            cls=cls,
            name=name,
            version=version,
            formerly=formerly,
            migrations=migrations or {},
            shape=cls,
            dump=lambda value: {name: getattr(value, name) for name in names},
            load=lambda value: value,
        )
        cls.__state_schema__ = schema  # type: ignore[attr-defined]  # read by schema_of only
        return cls

    return register


def foreign_type(
    cls: type[T],
    name: str,
    fields: Mapping[str, Any],
    *,
    dump: Callable[[T], Fields] | None = None,
    load: Callable[[Fields], T] | None = None,
    version: int = 1,
    formerly: tuple[str, ...] = (),
    migrations: Mapping[int, Migration] | None = None,
) -> Schema:
    """
    Register a class that is not yours, or not a dataclass, such as `fractions.Fraction`.

    `fields` has the type of each field. Unless `dump` and `load` say otherwise, they are
    attributes, and reading sets them on an object that is made without calling `__init__`.
    The rest is as for `state_type`; the result goes to the same place as the classes.
    """

    def load_attributes(values: Fields) -> T:
        made = object.__new__(cls)
        for attribute, value in values.items():
            setattr(made, attribute, value)
        return made

    return Schema(
        cls=cls,
        name=name,
        version=version,
        formerly=formerly,
        migrations=migrations or {},
        shape=TypedDict(name, dict(fields)),  # type: ignore[operator]  # known at run time only
        dump=dump or (lambda value: {field: getattr(value, field) for field in fields}),
        load=load or load_attributes,
    )


def schema_of(registered: type | Schema) -> Schema:
    """
    Return how `registered` is stored.

    Raises:
        TypeError: it is neither a class under `state_type` nor made by `foreign_type`.
    """
    if isinstance(registered, Schema):
        return registered
    # Its own, not its base class's: a subclass is another type and wants its own name.
    schema = vars(registered).get("__state_schema__")
    if not isinstance(schema, Schema):
        raise TypeError(
            f"{registered.__name__} is not registered; decorate it with @state_type, "
            "or wrap it with foreign_type."
        )
    return schema
