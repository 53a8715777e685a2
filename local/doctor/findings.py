"""What the doctor reports."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    NOTE = "note"
    """Something is missing that only some commands need."""
    FAULT = "fault"
    """The bot cannot run like this."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    level: Level
    text: str
