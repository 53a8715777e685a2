"""How queues are listened to, as `extensions.queues` of host.json says."""

import os
from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.functions import FunctionApp
from local.functions_host.triggers.queue_settings import QueueSettings
from tests.unit.local.function_app import write_host_json


def test_without_settings_they_are_the_hosts_own(tmp_path: Path) -> None:
    """16 messages at once, half of that for each processor before the next, and five tries."""
    write_host_json(tmp_path)

    settings = FunctionApp.read(tmp_path).queue_settings

    assert QueueSettings(16, 8 * (os.cpu_count() or 1), 5, 0.0, 2.0, True) == settings


def test_all_can_be_set(tmp_path: Path) -> None:
    """Each setting has its name and its unit from the documentation of host.json."""
    declared = {
        "batchSize": 1,
        "newBatchThreshold": 31,
        "maxDequeueCount": 3,
        "visibilityTimeout": "00:00:30",
        "maxPollingInterval": "00:00:05",
        "messageEncoding": "none",
    }
    write_host_json(tmp_path, queues=declared)

    assert QueueSettings(1, 31, 3, 30.0, 5.0, False) == FunctionApp.read(tmp_path).queue_settings


@pytest.mark.parametrize(
    ("declared", "polling_s"),
    [({}, 2), ({"maxPollingInterval": "00:01:00"}, 2), ({"maxPollingInterval": "00:02:00"}, 120)],
)
def test_a_developers_queue_is_polled_every_two_seconds(
    declared: dict[str, str], polling_s: float
) -> None:
    """Unset, or set to the default of a minute, the longest interval is 2 s on this machine."""
    assert polling_s == QueueSettings.from_host_json(declared).max_polling_interval_s


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batchSize", 0),
        ("batchSize", 33),
        ("batchSize", "16"),
        ("newBatchThreshold", -1),
        ("maxDequeueCount", 0),
        ("visibilityTimeout", "-00:00:01"),
        ("visibilityTimeout", "8"),
        ("visibilityTimeout", "soon"),
        ("maxPollingInterval", "00:00:00.05"),
        ("messageEncoding", "rot13"),
    ],
)
def test_what_would_stop_the_functions_host_is_refused(name: str, value: object) -> None:
    """The error names the setting."""
    with pytest.raises(LocalError) as caught:
        QueueSettings.from_host_json({name: value})

    assert f"host.json: extensions.queues.{name}" in str(caught.value)
