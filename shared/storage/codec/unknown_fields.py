"""
The fields of a stored object that its class does not have: another version of the app wrote them.

They are kept with the object, as they were stored, and written back with it. They are no field
of the dataclass: neither its repr, nor a comparison, nor `asdict` shows them. Copies have them,
too.
"""

from typing import Any, TypeVar

T = TypeVar("T")

UNKNOWN = "__unknown_fields__"
"""The attribute that has them, by name; only on objects that have any."""


def keep_unknown(value: object, fields: dict[str, Any]) -> bool:
    """Keep `fields`, plain JSON, with `value`; False if it has no place for them."""
    try:
        # Not by its own `__setattr__`: frozen dataclasses have one that refuses.
        object.__setattr__(value, UNKNOWN, fields)
    except AttributeError:
        return False
    return True


def unknown_of(value: object) -> dict[str, Any] | None:
    """Return the fields that are kept with `value`; None if there are none."""
    found: dict[str, Any] | None = getattr(value, UNKNOWN, None)
    return found


def keep_keys(given: Any, made: Any) -> None:
    """Put back into a TypedDict, at any depth, the keys that it does not name."""
    if isinstance(given, dict) and isinstance(made, dict):
        for key, value in given.items():
            keep_keys(value, made.setdefault(key, value))
    elif isinstance(given, list) and isinstance(made, list | tuple):
        for value, item in zip(given, made, strict=False):
            keep_keys(value, item)


def hand_on_unknown(old: object, new: object) -> None:
    """Keep with `new` what is kept with `old`, if it is of the same class and has none."""
    if type(old) is type(new) and unknown_of(new) is None:
        fields = unknown_of(old)
        if fields is not None:
            keep_unknown(new, fields)


def with_place_for_unknown(cls: type[T]) -> type[T]:
    """Return the dataclass, or if its objects have slots only, a subclass with one more."""
    if cls.__dictoffset__ or hasattr(cls, UNKNOWN):
        return cls
    names = ("__module__", "__qualname__", "__doc__")
    namespace: dict[str, Any] = {name: getattr(cls, name) for name in names}
    namespace["__slots__"] = (UNKNOWN,)
    if "__getstate__" in vars(cls):
        namespace |= _copying(cls)
    make: Any = type(cls)
    slotted: type[T] = make(cls.__name__, (cls,), namespace)
    return slotted


def _copying(cls: Any) -> dict[str, Any]:
    """How objects of a frozen dataclass with slots are copied: by itself it copies its fields."""

    def get_state(value: Any) -> Any:
        return cls.__getstate__(value), unknown_of(value)

    def set_state(value: Any, state: Any) -> None:
        of_fields, unknown = state
        cls.__setstate__(value, of_fields)
        if unknown is not None:
            keep_unknown(value, unknown)

    return {"__getstate__": get_state, "__setstate__": set_state}
