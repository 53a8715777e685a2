"""
What the SDK for .NET wrote, as far as it is plain data.

Newtonsoft.Json gives objects a `$type` of its own, "Namespace.Class, Assembly", which has nothing
to do with this app's: that never stands without a `$version`. Lists are objects there, too:

    {"$type": "System.Collections.Generic.List`1[[...]], ...", "$values": [1, 2]}
"""

from typing import Any

from shared.errors import StateUnreadable
from shared.storage.codec.reserved_keys import TYPE, VERSION

VALUES = "$values"
_ID = "$id"
_REFERENCE = "$ref"
_DICTIONARY = "System.Collections.Generic.Dictionary`2[[System.String,"
_COLLECTIONS = ("System.Collections.", "System.Linq.")


def is_dotnet(stored: dict[str, Any]) -> bool:
    """Whether `stored`, which has a `$type`, was written by the SDK for .NET."""
    name = stored[TYPE]
    return VERSION not in stored and isinstance(name, str) and "," in name


def is_bag(stored: dict[str, Any]) -> bool:
    """Whether it is a document, or a value, that is a dictionary with names for keys."""
    return is_dotnet(stored) and stored[TYPE].startswith(_DICTIONARY)


def parse(stored: dict[str, Any], at: str) -> list[Any] | dict[str, Any]:
    """
    Read one level of what the SDK for .NET wrote.

    Raises:
        StateUnreadable: it is an object of a class, or refers to another one.
    """
    values = stored.get(VALUES)
    if isinstance(values, list) and stored.keys() <= {TYPE, VALUES, _ID}:
        is_list = _is_array(stored[TYPE]) or stored[TYPE].startswith(_COLLECTIONS)
        if is_list and not any(isinstance(item, dict) and _REFERENCE in item for item in values):
            return values
    elif is_bag(stored):
        return {key: value for key, value in stored.items() if key not in (TYPE, _ID)}
    raise StateUnreadable(
        f"{at} was stored by the SDK for .NET as an object of a class, and cannot be "
        "read; overwrite the property, or use another name if the old bot still needs this one."
    )


def _is_array(name: str) -> bool:
    return name.partition(",")[0].endswith("[]")
