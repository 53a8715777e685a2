"""
The channel's ids of sent activities, in place of those that the bot was given while it ran.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from shared.storage.codec.opaque import Opaque


def with_real_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """
    Return a value of the bot's with real ids in it, which nobody else may have: it is changed.

    So a bot that compares what it has kept with the `replyToId` of a reaction finds them equal.
    """
    kind = type(value)
    if kind is str:
        return ids.get(value, value)
    if kind is list:
        value[:] = [with_real_ids(item, ids) for item in value]
    elif kind is dict:
        pairs = [(with_real_ids(k, ids), with_real_ids(v, ids)) for k, v in value.items()]
        value.clear()
        value.update(pairs)
    elif isinstance(value, tuple):
        items = [with_real_ids(item, ids) for item in value]
        return kind._make(items) if hasattr(kind, "_make") else kind(items)
    elif isinstance(value, set | frozenset):
        return kind(with_real_ids(item, ids) for item in value)
    elif not isinstance(value, Enum | Opaque):
        _change_attributes(value, ids)
    return value


def _change_attributes(value: Any, ids: Mapping[str, str]) -> None:
    names = [*getattr(value, "__dict__", ())]
    if is_dataclass(value):
        names = [field.name for field in fields(value) if hasattr(value, field.name)]
    for name in names:
        old = getattr(value, name)
        new = with_real_ids(old, ids)
        if new is not old:
            # A class may be frozen, or have its own way of being set.
            object.__setattr__(value, name, new)
