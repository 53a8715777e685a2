"""What to do about an object that cannot be stored, by what kind of object it is."""

import sys
from dataclasses import is_dataclass
from enum import Enum
from pathlib import PurePath

from shared.storage.codec.loaded_classes import is_named_tuple

_SDK = ("botbuilder", "botframework")
_IN_LIBRARIES = ("site-packages", "dist-packages")

_LIST_IT = "list it in STATE_TYPES (shared/bot/__init__.py)"


def why_not_storable(value: object, at: str) -> str:
    """Say what stands at a place, and what to do; nothing of the value itself."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    what = f"{at} is a {kind.__module__}.{kind.__qualname__}, which"
    if isinstance(value, Enum) or is_named_tuple(kind):
        return f"{what} is not found again by that name; define it at the top of a module."
    if package == "builtins" or callable(value):
        return f"{what} cannot be stored; store what it is made of, as texts, numbers and lists."
    if package in _SDK:
        return f"{what} the SDK makes for one turn; store what you need of it."
    if package in sys.stdlib_module_names - {"__main__"} or _is_of_library(kind.__module__):
        return (
            f'{what} is not registered; add foreign_type({kind.__name__}, "{kind.__name__}", '
            "{...its fields...}) to STATE_TYPES (shared/bot/__init__.py)."
        )
    if is_dataclass(kind):
        return f"{what} is not registered; add @state_type to it and {_LIST_IT}."
    return (
        f"{what} is not registered; make it a dataclass (@dataclass), add @state_type to it and "
        f"{_LIST_IT}."
    )


def _is_of_library(module: str) -> bool:
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and any(part in _IN_LIBRARIES for part in PurePath(file).parts)
