"""Values compared by more than `==`, to which 1 and True are equal, and noon and one o'clock."""

from datetime import datetime, time
from typing import Any


def exact_shape(value: Any) -> Any:
    """
    All that tells a value from an equal one of another type, zone or spelling.

    Not its repr: that of a set depends on the hashes of its items, which differ from process to
    process.
    """
    if isinstance(value, dict):
        return dict, [(exact_shape(key), exact_shape(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [exact_shape(item) for item in value]
    if isinstance(value, set | frozenset):
        return type(value), sorted(repr(exact_shape(item)) for item in value)
    if isinstance(value, datetime | time):
        return type(value), value.isoformat(), value.fold, repr(value.tzinfo)
    if isinstance(value, float):
        return float(value)
    if type(value).__module__.startswith("botbuilder."):  # whose repr is an address
        return type(value), exact_shape(vars(value))
    return type(value), repr(value)
