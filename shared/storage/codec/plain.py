"""What JSON can say, and Cosmos DB keep."""

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

Document = Any
"""A dictionary of state properties, or one registered object."""

MAX_SAFE_INTEGER = 2**53
"""Cosmos DB keeps numbers as IEEE 754 doubles: beyond this, neighbours become one."""

MAX_DEPTH = 120
"""Cosmos DB takes 128 levels (its documented limit); the envelope and `$type` need some."""

# Come back as what they are only where a registered class's field says so.
FIELD_ONLY = (date, time, timedelta, UUID, Decimal, bytes, Enum)
FIELD_ONLY_COLLECTIONS = (tuple, set, frozenset)


def is_text(text: str) -> bool:
    """Whether `text` is valid Unicode: half of a surrogate pair is not, and cannot be stored."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True
