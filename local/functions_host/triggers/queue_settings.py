"""
`extensions.queues` of host.json.

Names, defaults and bounds: https://learn.microsoft.com/azure/azure-functions/functions-host-json
and QueuesOptions of the Storage Queues extension 5.3.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.bootstrap.errors import LocalError
from local.functions_host.triggers.timespans import timespan

_MOST_IN_A_BATCH = 32
_LEAST_POLLING_INTERVAL = timedelta(milliseconds=100)
_MOST_VISIBILITY_TIMEOUT = timedelta(days=7)

# In the environment "Development" the host waits for two seconds at most where nothing else, or
# only the default of a minute, is set.
_DEFAULT_POLLING_INTERVAL = timedelta(minutes=1)
_DEVELOPMENT_POLLING_INTERVAL = timedelta(seconds=2)


@dataclass(frozen=True)
class QueueSettings:
    """How all queues of the app are listened to."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    """The next batch is fetched once no more than these runs are under way."""
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    """How long a message stays hidden after a failed run."""
    max_polling_interval_s: float = _DEVELOPMENT_POLLING_INTERVAL.total_seconds()
    base64: bool = True

    @classmethod
    def from_host_json(cls, declared: Mapping[str, Any]) -> "QueueSettings":
        """Raise LocalError for what would keep the Functions host from starting."""
        batch_size = _number(declared, "batchSize", 16, 1, _MOST_IN_A_BATCH)
        threshold = (batch_size // 2) * (os.cpu_count() or 1)
        polling = _span(declared, "maxPollingInterval", _DEFAULT_POLLING_INTERVAL)
        if polling < _LEAST_POLLING_INTERVAL:
            raise _unusable("maxPollingInterval", "at least 00:00:00.1")
        visibility = _span(declared, "visibilityTimeout", timedelta())
        if not timedelta() <= visibility <= _MOST_VISIBILITY_TIMEOUT:
            raise _unusable("visibilityTimeout", "a span from 0 to 7 days")
        encoding = str(declared.get("messageEncoding", "base64")).lower()
        if encoding not in ("base64", "none"):
            raise _unusable("messageEncoding", '"base64" or "none"')
        if polling == _DEFAULT_POLLING_INTERVAL:
            polling = _DEVELOPMENT_POLLING_INTERVAL
        return cls(
            batch_size,
            _number(declared, "newBatchThreshold", threshold, 0),
            _number(declared, "maxDequeueCount", 5, 1),
            visibility.total_seconds(),
            polling.total_seconds(),
            encoding == "base64",
        )


def _number(
    declared: Mapping[str, Any], name: str, default: int, least: int, most: int | None = None
) -> int:
    value = declared.get(name, default)
    if type(value) is not int or value < least or (most is not None and value > most):
        raise _unusable(name, f"a number from {least}" + (f" to {most}" if most else ""))
    return value


def _span(declared: Mapping[str, Any], name: str, default: timedelta) -> timedelta:
    if name not in declared:
        return default
    try:
        return timespan(str(declared[name]))
    except ValueError as error:
        raise LocalError(f"host.json: extensions.queues.{name}: {error}.") from None


def _unusable(name: str, allowed: str) -> LocalError:
    return LocalError(f"host.json: extensions.queues.{name} must be {allowed}.")
