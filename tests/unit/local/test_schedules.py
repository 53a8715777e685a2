"""When timers fire: NCRONTAB as the Functions host reads it, and spans of time."""

from datetime import UTC, datetime, timedelta

import pytest

from local.functions_host.triggers.schedules import NEVER, schedule

# A Sunday.
NOW = datetime(2026, 11, 29, 9, 20, 30, 400_000, UTC)


def times(text: str, count: int = 3) -> list[str]:
    """Return when the schedule fires next, each time as text."""
    found = [NOW]
    for _ in range(count):
        found.append(schedule(text).next_after(found[-1]))
    return [f"{time:%a %m-%d %H:%M:%S}" for time in found[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 */5 * * * *", ["Sun 11-29 09:25:00", "Sun 11-29 09:30:00"]),
        ("0 0 * * * *", ["Sun 11-29 10:00:00", "Sun 11-29 11:00:00"]),
        ("0 0 */2 * * *", ["Sun 11-29 10:00:00", "Sun 11-29 12:00:00"]),
        ("0 0 9-17 * * *", ["Sun 11-29 10:00:00", "Sun 11-29 11:00:00"]),
        ("0 30 9 * * *", ["Sun 11-29 09:30:00", "Mon 11-30 09:30:00"]),
        ("0 30 9 * * 1-5", ["Mon 11-30 09:30:00", "Tue 12-01 09:30:00"]),
        ("0 30 9 * Jan Mon", ["Mon 01-04 09:30:00", "Mon 01-11 09:30:00"]),
        ("0 5 * * * *", ["Sun 11-29 10:05:00", "Sun 11-29 11:05:00"]),
        ("0 0 20 * * *", ["Sun 11-29 20:00:00", "Mon 11-30 20:00:00"]),
        ("5,8,10 * * * * *", ["Sun 11-29 09:21:05", "Sun 11-29 09:21:08"]),
        ("0 0 0 * * 0,6", ["Sat 12-05 00:00:00", "Sun 12-06 00:00:00"]),
        ("0 0 9-17 * * MON-FRI", ["Mon 11-30 09:00:00", "Mon 11-30 10:00:00"]),
    ],
)
def test_documented_expressions(text: str, expected: list[str]) -> None:
    """The examples of Microsoft's page on timer triggers mean what it says of them."""
    assert expected == times(text, len(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", ["Sun 11-29 09:20:31", "Sun 11-29 09:20:32"]),
        ("30 20 9 * * *", ["Mon 11-30 09:20:30", "Tue 12-01 09:20:30"]),
        ("20 9 * * *", ["Mon 11-30 09:20:00", "Tue 12-01 09:20:00"]),
        ("0 0 0 31 * *", ["Thu 12-31 00:00:00", "Sun 01-31 00:00:00"]),
        ("0 0 0 29 2 *", ["Tue 02-29 00:00:00", "Sun 02-29 00:00:00"]),
        ("0 0 0 13 * 5", ["Fri 08-13 00:00:00", "Fri 10-13 00:00:00"]),
        ("0 50/3 * * * *", ["Sun 11-29 09:50:00", "Sun 11-29 09:53:00"]),
        ("0 40-30 * * * *", ["Sun 11-29 09:30:00", "Sun 11-29 09:31:00"]),
        ("0 0 0 1 december wednesday", ["Wed 12-01 00:00:00", "Wed 12-01 00:00:00"]),
        ("  0  0  0  1  1,3  *  ", ["Fri 01-01 00:00:00", "Mon 03-01 00:00:00"]),
    ],
)
def test_other_expressions(text: str, expected: list[str]) -> None:
    """All six fields must hold, five have no seconds, and a month has no more days than it has."""
    assert expected == times(text, len(expected))


def test_a_day_that_never_comes() -> None:
    """The 30th of February is a schedule that does not fire."""
    assert NEVER == schedule("0 0 0 30 2 *").next_after(NOW)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("00:00:10", timedelta(seconds=10)),
        ("01:00:00", timedelta(hours=1)),
        ("24:00:00", timedelta(days=24)),
        ("1.00:00:00", timedelta(days=1)),
    ],
)
def test_a_span_of_time_begins_with_the_last_run(text: str, period: timedelta) -> None:
    """Such a timer fires a while after it has fired, whatever the clock says."""
    assert NOW + period == schedule(text).next_after(NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every minute",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "0 0 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 7",
        "0 0 0 * * noday",
        "0 , * * * *",
        "0 */x * * * *",
        "0 1- * * * *",
        "00:00:00",
        "-00:01:00",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    """Whatever the Functions host would not take, an error quotes."""
    with pytest.raises(ValueError, match=r"'.*' "):
        schedule(text)


@pytest.mark.parametrize(
    ("text", "is_monitored"),
    [
        ("0 * * * * *", True),
        ("* 30 * * * *", True),
        ("0 0 0 * * *", True),
        ("*/10 * * * * *", False),
        ("0,30 */1 * * * *", False),
        ("00:01:00", True),
        ("00:00:59", False),
    ],
)
def test_the_last_run_is_remembered_from_a_minute_on(text: str, is_monitored: bool) -> None:
    """A timer that fires more often than once a minute never has a run to catch up with."""
    assert is_monitored == schedule(text).is_monitored
