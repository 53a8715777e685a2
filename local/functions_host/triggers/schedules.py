"""
When a timer fires: NCRONTAB expressions and spans of time, in UTC as in Azure.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from local.functions_host.triggers.timespans import timespan

NEVER = datetime.max.replace(tzinfo=UTC)

_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

# The 29th of February falls on a given weekday every 28 years, or 40 where a century lies between.
_LONGEST_GAP = timedelta(days=41 * 366)


class Schedule(Protocol):
    """A rule that says when a timer fires next."""

    def next_after(self, time: datetime) -> datetime:
        """Return the first time after this one; NEVER if there is none."""

    @property
    def is_monitored(self) -> bool:
        """Tell whether the Functions host remembers the last run: not under a minute."""

    @property
    def adjusts_for_dst(self) -> bool:
        """What `TimerRequest.schedule` says of it."""


@dataclass(frozen=True)
class Cron:
    """Six fields: seconds, minutes, hours, days, months and days of the week, which all hold."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""

    adjusts_for_dst = True

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """
        Read an expression; one of five fields has no seconds.

        Raises:
            ValueError: it is none.
        """
        fields = text.split()
        if len(fields) == 5:
            fields = ["0", *fields]
        if len(fields) != 6:
            raise ValueError(f"'{text}' has not the six fields of an NCRONTAB expression")
        return cls(
            text,
            _field(fields[0], 0, 59),
            _field(fields[1], 0, 59),
            _field(fields[2], 0, 23),
            _field(fields[3], 1, 31),
            _field(fields[4], 1, 12, _MONTHS),
            _field(fields[5], 0, 6, _WEEKDAYS),
        )

    def __str__(self) -> str:
        return f"Cron: '{self.text}'"

    def next_after(self, time: datetime) -> datetime:
        today = day = time.date()
        last_day = min(date.max - timedelta(days=1), day + _LONGEST_GAP)
        while day <= last_day:
            if self._has(day):
                first_hour = time.hour if day == today else 0
                for candidate in self._times(day, first_hour):
                    if candidate > time:
                        return candidate
            day += timedelta(days=1)
        return NEVER

    @property
    def is_monitored(self) -> bool:
        is_every_minute = (
            len(self.minutes) == 60
            and len(self.hours) == 24
            and len(self.days) == 31
            and len(self.months) == 12
            and len(self.weekdays) == 7
        )
        return not (is_every_minute and len(self.seconds) > 1)

    def _has(self, day: date) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )

    def _times(self, day: date, first_hour: int) -> Iterator[datetime]:
        for hour in sorted(hour for hour in self.hours if hour >= first_hour):
            for minute in sorted(self.minutes):
                for second in sorted(self.seconds):
                    yield datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


@dataclass(frozen=True)
class Every:
    """A span of time between the starts of two runs."""

    period: timedelta

    adjusts_for_dst = False

    def __str__(self) -> str:
        return f"Constant: {self.period}"

    def next_after(self, time: datetime) -> datetime:
        return time + self.period

    @property
    def is_monitored(self) -> bool:
        return self.period >= timedelta(minutes=1)


def schedule(text: str) -> Schedule:
    """
    Read a timer's `schedule`.

    Raises:
        ValueError: it is neither an NCRONTAB expression nor a span of time.
    """
    if " " in text.strip():
        return Cron.parse(text)
    period = timespan(text)
    if period <= timedelta():
        raise ValueError(f"'{text}' is not a time that passes")
    return Every(period)


def _field(text: str, least: int, most: int, names: list[str] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        step = _value(step_text, 1, None) if slash else 1
        if span == "*":
            first, last = least, most
        else:
            first = _value(first_text, least, names)
            # Alone, a number with a step stands for all that follow it.
            last = _value(last_text, least, names) if dash else most if slash else first
        # NCrontab, the host's library, takes the ends of a span in either order, and a step of 0
        # for 1.
        first, last = sorted((first, last))
        if first < least or last > most:
            raise ValueError(f"'{part}' is not from {least} to {most}")
        values.update(range(first, last + 1, max(1, step)))
    return frozenset(values)


def _value(text: str, least: int, names: list[str] | None) -> int:
    if text.isdecimal():
        return int(text)
    for number, name in enumerate(names or (), least):
        # "Jan", "january" and "J" are the first month.
        if text and name.startswith(text.lower()):
            return number
    raise ValueError(f"'{text}' is no number, nor a name that fits there")
