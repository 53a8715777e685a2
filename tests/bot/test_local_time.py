"""The time of a message is told by the user's clock."""

import time
from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

import pytest
from botbuilder.schema import Activity
from hypothesis import given
from hypothesis import strategies as st

from shared.bot.local_time import local_time

IN_UTC = "05:15:30 PM, Friday, November 20 of 2026 UTC"
IN_LOS_ANGELES = "09:15:30 AM, Friday, November 20 of 2026"


def message(**fields: Any) -> Activity:
    """A message as a channel delivers it."""
    return Activity.deserialize(
        {"type": "message", "timestamp": "2026-11-20T17:15:30.123Z"} | fields
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"localTimestamp": "2026-11-20T09:15:30.123-08:00"}, id="timestamp"),
        pytest.param({"localTimezone": "America/Los_Angeles"}, id="time-zone"),
        pytest.param(
            {
                "localTimestamp": "2026-11-20T09:15:30.1234567-08:00",
                "localTimezone": "America/Los_Angeles",
            },
            id="both",
        ),
        pytest.param({"localTimestamp": "2026-11-20T09:15:30"}, id="timestamp-without-offset"),
        pytest.param(
            {"localTimestamp": "2026-11-20T09:15:30", "localTimezone": "America/Los_Angeles"},
            id="timestamp-without-offset-and-time-zone",
        ),
        pytest.param(
            {"localTimestamp": "2026-11-20T17:15:30Z", "localTimezone": "America/Los_Angeles"},
            id="timestamp-in-utc-and-time-zone",
        ),
        pytest.param(
            {"localTimestamp": "2026-11-20T09:15:30-08:00", "localTimezone": "Nowhere/Land"},
            id="timestamp-and-unknown-time-zone",
        ),
    ],
)
def test_the_users_own_time(fields: dict[str, str]) -> None:
    """Whichever of the two fields a channel sends, the user reads the own clock."""
    assert IN_LOS_ANGELES == local_time(message(**fields))


def test_daylight_saving_is_the_zones() -> None:
    """In summer, Los Angeles is seven hours behind UTC."""
    in_summer = message(timestamp="2026-07-20T17:15:30Z", localTimezone="America/Los_Angeles")

    assert "10:15:30 AM, Monday, July 20 of 2026" == local_time(in_summer)


@pytest.mark.parametrize(
    "zone",
    [
        None,
        "",
        "Nowhere/Land",
        "Pacific Standard Time",
        "America",
        "../../etc/passwd",
        "/etc/localtime",
        "\0",
        "\ud800",
        "x" * 10_000,
        "x/" * 100 + "x",
        "x/" * 5_000 + "x",
        "Europe/" + "x" * 10_000,
        "Europe/Paris\n",
    ],
)
def test_without_a_zone_the_time_is_utc_and_says_so(zone: str | None) -> None:
    """A time zone that is missing, unknown or no name at all is UTC."""
    assert IN_UTC == local_time(message(localTimezone=zone))


def test_every_zone_is_known() -> None:
    """What is looked up must have the form of a name, and all names have it."""
    zones = available_timezones()

    assert zones
    assert [] == [
        zone for zone in zones if local_time(message(localTimezone=zone)).endswith(" UTC")
    ]


@pytest.fixture
def _server_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as environment:
        environment.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_server_in_tokyo")
def test_a_timestamp_without_offset_is_utc() -> None:
    """The channel's own time stamp is in UTC, written or not, wherever the server stands."""
    assert IN_UTC == local_time(message(timestamp="2026-11-20T17:15:30"))


def test_a_missing_timestamp_is_now() -> None:
    """A message without any time was received now."""
    assert local_time(message(timestamp=None)).endswith(" UTC")


@pytest.mark.parametrize("first_moment", ["timestamp", "localTimestamp"])
def test_the_first_moment_of_the_calendar_has_no_earlier_local_time(first_moment: str) -> None:
    """Programs that send year 1 for "none" are answered."""
    fields = {first_moment: "0001-01-01T00:00:00Z", "localTimezone": "America/Los_Angeles"}

    assert local_time(message(**fields)).endswith(" UTC")


@given(st.text(), st.datetimes(), st.none() | st.datetimes())
def test_no_time_fails_the_turn(zone: str, timestamp: Any, local: Any) -> None:
    """Whatever the zone is called and whenever it is, there is an answer."""
    fields = {"timestamp": timestamp.isoformat() + "Z", "localTimezone": zone}
    if local is not None:
        fields["localTimestamp"] = local.isoformat() + "Z"

    assert local_time(message(**fields))
