"""
Processes that serve conversations, and what each delivery of an activity comes to in them.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.script import Said

UNTIL_IT_DIES = 1_000_000


@dataclass
class Instance:
    """A process."""

    name: str
    number: int = 0
    """That of the machine: a process that is started again there has the same."""
    bot: Any = None
    life: int = UNTIL_IT_DIES
    """It dies when it has asked store and channel so many times."""
    is_alive: bool = True
    died_at_s: float = float("inf")
    clock_ahead_s: float = 0.0
    """Its time of day, beside the world's."""
    is_older: bool = False
    """The version of the app before this one runs in it."""
    is_leaving: bool = False
    """It gets no more requests."""
    left_at_s: float = float("inf")
    """When it was told that it will be stopped."""
    is_newer: bool = False
    """It writes journals with fields that the others do not know."""
    stands_until_s: float = 0.0
    """It is paused until then; inf: it is dead."""
    stood: int = 0
    """How many steps had to wait for the end of a pause."""
    long_pauses: int = 0
    pauses_s: list[tuple[float, float]] = field(default_factory=list)
    cut_off_until_s: float = 0.0
    """Neither store nor channel is reached from here until then."""
    handlings: list["Handling"] = field(default_factory=list)

    @property
    def has_left(self) -> bool:
        """Whether another one has taken its place."""
        return self.left_at_s < float("inf")

    def can_hear(self, now_s: float) -> bool:
        """Whether the queue may hand it a bell."""
        is_there = self.is_alive and not self.is_older and not self.has_left
        return is_there and self.stands_until_s <= now_s


@dataclass
class Handling:
    """One delivery of an activity to one instance."""

    said: Said
    instance: Instance
    number: int = 1
    """The first delivery of the activity has 1."""
    status: int | None = None
    """None: it is not over, or its process died."""
    answer: list[str] = field(default_factory=list)
    """Keys of what the response says."""
    began_at_s: float = 0.0
    ended_at_s: float | None = None
    store_troubles: list[tuple[float, str]] = field(default_factory=list)
    """When which document could not be had, or took long."""
    was_cancelled: bool = False
    lacks_bell: bool = False
    """When it was answered with 200, the rest was left to the sweep."""
    failure: str = ""
    """The error that the adapter saw."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The channel knows what came of it: a status, or a connection that broke."""

    @property
    def name(self) -> str:
        return f"{self.said.label}@{self.instance.name}"


@dataclass
class Run:
    """The bot, at work on an activity."""

    said: Said
    instance: Instance
    began_s: float
    ended_s: float = float("inf")

    @property
    def lasted_until_s(self) -> float:
        """When it ended, or its process."""
        return min(self.ended_s, self.instance.died_at_s)


CURRENT: ContextVar[Handling | None] = ContextVar("handling", default=None)
"""The delivery that a callback belongs to."""
