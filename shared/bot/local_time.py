"""When a message was received, on the clock of the user who sent it."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from botbuilder.schema import Activity

_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
"""
As in "America/Argentina/Buenos_Aires": three parts at most (IANA Time Zone Database, Theory).

A name is looked up on the disk and among packages, part by part: 28 ms for 127 parts, and for
thousands no answer but a RecursionError.
"""


def local_time(activity: Activity) -> str:
    """
    Say when a message was received: in the user's own time, if the channel tells it.

    Otherwise in UTC, and the answer says so.
    """
    local: datetime | None = activity.local_timestamp
    zone = _zone(activity.local_timezone)
    if local is not None and (zone is None or local.tzinfo is None):
        return _spoken(local)
    # A zone goes before an offset: some clients send their local timestamp in UTC.
    moment = local or activity.timestamp or datetime.now(UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Where a program sends the calendar's first moment for "none", there is no earlier one.
    with suppress(OverflowError):
        if zone is not None:
            return _spoken(moment.astimezone(zone))
    return f"{_spoken(moment.astimezone(UTC))} UTC"


def _zone(name: str | None) -> ZoneInfo | None:
    """Find the zone with this IANA name; None if there is none."""
    try:
        return ZoneInfo(name) if name and _NAME.fullmatch(name) else None
    except (KeyError, OSError, ValueError):
        # Unknown here: no time zone data, or a part of a name that is a folder.
        return None


def _spoken(moment: datetime) -> str:
    return moment.strftime("%I:%M:%S %p, %A, %B %d of %Y")
