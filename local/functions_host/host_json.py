"""
What host.json says about HTTP functions and about the whole app.

Names and defaults: https://learn.microsoft.com/azure/azure-functions/functions-host-json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.bootstrap.errors import LocalError
from local.functions_host.triggers.timespans import timespan

_UNBOUNDED = -1


@dataclass(frozen=True)
class HttpSettings:
    """`extensions.http`, and `functionTimeout`."""

    route_prefix: str = "api"
    max_concurrent_requests: int = 0
    """More of them wait. 0: as many as come."""
    max_outstanding_requests: int = 0
    """More than these, those that wait included, are refused. 0: as many as come."""
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each answer that has not got them already."""
    timeout_s: float | None = 1800.0
    """What takes longer ends the worker. None: nothing does."""

    @classmethod
    def from_host_json(cls, content: Mapping[str, Any]) -> "HttpSettings":
        """Raise LocalError for what would keep the Functions host from starting."""
        http = content.get("extensions", {}).get("http", {})
        return cls(
            route_prefix=http.get("routePrefix", "api"),
            max_concurrent_requests=_limit(http, "maxConcurrentRequests"),
            max_outstanding_requests=_limit(http, "maxOutstandingRequests"),
            custom_headers={name: str(value) for name, value in _headers(http).items()},
            timeout_s=_timeout_s(content),
        )


def check_version(content: Mapping[str, Any]) -> None:
    """Raise LocalError for what the Functions host would take for another version's file."""
    if content and str(content.get("version")) != "2.0":
        raise LocalError('host.json must have a "version", and it must be "2.0".')


def is_listed(function: str, content: Mapping[str, Any]) -> bool:
    """Tell whether `functions` leaves the function in: without a list all are."""
    listed = content.get("functions")
    return listed is None or function.lower() in (str(each).lower() for each in listed)


def _limit(http: Mapping[str, Any], name: str) -> int:
    value = http.get(name, _UNBOUNDED)
    if type(value) is not int or (value < 1 and value != _UNBOUNDED):
        raise LocalError(f"host.json: extensions.http.{name} must be a positive number, or -1.")
    return max(0, value)


def _headers(http: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = http.get("customHeaders", {})
    if not isinstance(headers, dict):
        raise LocalError("host.json: extensions.http.customHeaders must be a JSON object.")
    return headers


def _timeout_s(content: Mapping[str, Any]) -> float | None:
    declared = content.get("functionTimeout")
    if declared is None:
        return HttpSettings.timeout_s
    if str(declared) == str(_UNBOUNDED):
        return None
    try:
        span = timespan(str(declared))
    except ValueError as error:
        raise LocalError(f"host.json: functionTimeout: {error}.") from None
    if span.total_seconds() < 1:
        raise LocalError("host.json: functionTimeout must be at least 00:00:01, or -1.")
    return span.total_seconds()
