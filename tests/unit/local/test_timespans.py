"""Spans of time as .NET reads them."""

from datetime import timedelta

import pytest

from local.functions_host.triggers.timespans import timespan


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("00:00:30", timedelta(seconds=30)),
        ("01:02", timedelta(hours=1, minutes=2)),
        ("00:00:00.1", timedelta(milliseconds=100)),
        ("1.12:00", timedelta(days=1, hours=12)),
        ("1.12:00:00", timedelta(days=1, hours=12)),
        ("1:12:00:00", timedelta(days=1, hours=12)),
        ("-00:00:01", timedelta(seconds=-1)),
        ("7", timedelta(days=7)),
        ("24:00:00", timedelta(days=24)),
    ],
)
def test_spans(text: str, span: timedelta) -> None:
    """Hours, minutes and seconds, after days or alone; a number alone is days."""
    assert span == timespan(text)


@pytest.mark.parametrize("text", ["", "soon", "00:60:00", "00:00:60", "1.24:00:00", "0 * * * * *"])
def test_others_are_none(text: str) -> None:
    """A span that .NET does not read is an error, which quotes it."""
    with pytest.raises(ValueError, match=r"^'.*' "):
        timespan(text)
