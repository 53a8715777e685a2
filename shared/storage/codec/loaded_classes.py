"""
Enums and named tuples, which are found again without being registered.

What stands in the store is the class's path. It is looked up among the modules that are loaded
already; nothing is imported by it, and nothing run.
"""

import sys
from enum import Enum, Flag
from types import ModuleType
from typing import Any

from shared.errors import StateUnreadable


def path_of(cls: type) -> str | None:
    """Return the path under which `cls` will be found again; None, if it will not."""
    path = f"{cls.__module__}.{cls.__qualname__}"
    return path if class_at(path) is cls else None


def enum_at(path: Any) -> type[Enum] | None:
    """Return the Enum that is loaded under `path`; None, if there is none."""
    cls = class_at(path)
    return cls if cls is not None and issubclass(cls, Enum) else None


def named_tuple_at(path: Any) -> Any:
    """Return the class of named tuples that is loaded under `path`; None, if there is none."""
    cls = class_at(path)
    return cls if cls is not None and is_named_tuple(cls) else None


def is_named_tuple(cls: type) -> bool:
    """Whether it is a class of named tuples; the standard library knows no base class of them."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def member_of_value(cls: type[Enum], value: Any) -> Enum | None:
    """Return the member that has `value`; of a Flag also a combination."""
    if issubclass(cls, Flag) and type(value) is int:
        try:
            found: Any = cls(value)
        except ValueError:
            return None
        return found if isinstance(found, cls) else None
    equal = (one for one in cls.__members__.values() if _same(one.value, value))
    return next(equal, None)


def named_tuple(cls: Any, fields: dict[str, Any]) -> Any:
    """
    Make a named tuple of its fields, without running what else its class may do.

    Raises:
        StateUnreadable: it does not have these fields.
    """
    fields = {**getattr(cls, "_field_defaults", {}), **fields}
    if fields.keys() != set(cls._fields):
        raise StateUnreadable(
            f"{cls.__name__} has different fields now; give it back those that it had, with "
            "defaults, or overwrite the property."
        )
    return tuple.__new__(cls, [fields[name] for name in cls._fields])


def _same(one: Any, other: Any) -> bool:
    # To Python 1 and True are the same. A store may write 1.0 as 1.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def class_at(path: Any) -> type | None:
    """Return the class that is loaded under `path`; None, if there is none."""
    if not isinstance(path, str):
        return None
    names = path.split(".")
    for count in range(len(names) - 1, 0, -1):
        module = sys.modules.get(".".join(names[:count]))
        if issubclass(type(module), ModuleType):
            return _inside(module, names[count:])
    return None


def _inside(module: Any, names: list[str]) -> type | None:
    # Not by getattr: a module or a class may do anything when it is asked for an attribute.
    found: Any = object.__getattribute__(module, "__dict__").get(names[0])
    for name in names[1:]:
        if not issubclass(type(found), type):
            return None
        found = type.__getattribute__(found, "__dict__").get(name)
    return found if issubclass(type(found), type) else None
