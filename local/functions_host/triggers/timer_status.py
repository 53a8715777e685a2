"""How a timer stands: when it has fired, and when it is to fire next."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from local.functions_host.triggers.schedules import Schedule

NOT_YET = datetime.min.replace(tzinfo=UTC)
"""The last run of a timer that has not run."""


@dataclass(frozen=True)
class TimerStatus:
    """What the Functions host writes down, at its start and after each run."""

    last: datetime
    next: datetime
    last_updated: datetime

    @classmethod
    def at_first(cls, schedule: Schedule, now: datetime) -> "TimerStatus":
        """Return the status of a timer that has not run."""
        return cls(NOT_YET, schedule.next_after(now), now)

    @classmethod
    def after_run(cls, schedule: Schedule, ran_at: datetime) -> "TimerStatus":
        """Return the status after a run that was due at this time."""
        return cls(ran_at, schedule.next_after(ran_at), ran_at)

    @classmethod
    def from_json(cls, content: bytes) -> "TimerStatus | None":
        """Return None for what is no status."""
        try:
            fields = json.loads(content)
            return cls(*(_time(fields[name]) for name in ("Last", "Next", "LastUpdated")))
        except (ValueError, TypeError, KeyError, OverflowError):
            return None

    def as_dict(self) -> dict[str, str]:
        """Return the status as it is stored, and as a function gets it."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }

    def to_json(self) -> bytes:
        """Return the status as it is stored."""
        return json.dumps(self.as_dict()).encode()

    def after_downtime(self, schedule: Schedule, now: datetime) -> "TimerStatus":
        """
        Return the status with which a host starts that finds this one.

        Where `next` does not follow from the last run, the schedule has been changed since: then
        nothing is past due.
        """
        since = self.last if self.last != NOT_YET else self.last_updated
        expected = schedule.next_after(since if since != NOT_YET else now)
        if self.next == expected:
            return self
        if expected < now:
            since, expected = now, schedule.next_after(now)
        return TimerStatus(NOT_YET, expected, since)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
