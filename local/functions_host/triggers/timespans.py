"""Spans of time as .NET writes them in host.json and in schedules: "00:00:30", "1.12:00:00"."""

import re
from datetime import timedelta

_SPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d+)(?:\.|:(?=\d+:\d+:)))?(?P<hours>\d+):(?P<minutes>\d+)"
    r"(?::(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,7}))?)?"
)


def timespan(text: str) -> timedelta:
    """
    Read a span of time.

    As in .NET, a number alone is days, and so is the first of three if it is no hour of the day:
    "24:00:00" is 24 days.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if text.isdecimal():
        return timedelta(days=int(text))
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is not a span of time such as 00:00:30")
    days, hours, minutes, seconds = (
        int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")
    )
    if found["days"] is None and hours > 23 and found["fraction"] is None:
        days, hours, minutes, seconds = hours, minutes, seconds, 0
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"'{text}' has more hours, minutes or seconds than there are")
    span = timedelta(
        days=days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        microseconds=int((found["fraction"] or "0").ljust(7, "0")) // 10,
    )
    return -span if found["sign"] else span
