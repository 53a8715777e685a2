"""
What a failed request to the channel means for the reply that it carried.

The only place that knows the errors of the HTTP clients under the SDK.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

import aiohttp
from msrest.exceptions import ValidationError

from shared.errors import RequestRefused, TokenUnavailable


class Outcome(Enum):
    """What became of a reply whose sending raised an error."""

    REFUSED = "refused"
    """The channel does not take it, today or tomorrow: the user left, the card is invalid."""
    NOT_SENT = "not sent"
    """It did not arrive for certain: sending it again cannot double it."""
    UNKNOWN = "unknown"
    """It may have arrived: sending it again may double it."""


@dataclass(frozen=True)
class Failure:
    """How a request to the channel failed."""

    outcome: Outcome
    retry_after_s: float = 0.0
    """How long the channel asks to wait. 0 if it does not say."""


_NOT_FINAL = {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_BEFORE_ANY_BYTE = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    ConnectionRefusedError,
    TokenUnavailable,
)
_NEVER_A_REQUEST = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ValidationError,
    RequestRefused,
)


def failure_of(error: Exception) -> Failure:
    """Classify whatever an adapter's send, or middleware around it, raised."""
    causes = list(_causes(error))
    for cause in causes:
        status = _status(cause)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Failure(Outcome.NOT_SENT, _retry_after_s(cause))
        if status is not None and 400 <= status < 500 and status not in _NOT_FINAL:
            return Failure(Outcome.REFUSED)
        if status is not None:
            return Failure(Outcome.UNKNOWN)
    if any(isinstance(cause, _BEFORE_ANY_BYTE) for cause in causes):
        return Failure(Outcome.NOT_SENT)
    if isinstance(error, _NEVER_A_REQUEST):
        return Failure(Outcome.REFUSED)
    return Failure(Outcome.UNKNOWN)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # msrest keeps the client's error here, or else the body of the response.
        inner = getattr(error, "inner_exception", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__


def _status(error: BaseException) -> int | None:
    """The HTTP status: aiohttp has it on the error, msrest on the response or its wrapper."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            value = getattr(holder, name, None)
            if isinstance(value, int):
                return value
    return None


def _retry_after_s(error: BaseException) -> float:
    headers = getattr(error, "headers", None) or getattr(
        getattr(error, "response", None), "headers", None
    )
    try:
        # The other form, a date, is not used by the Bot Connector.
        return max(0.0, float((headers or {}).get("Retry-After", 0)))
    except ValueError:
        return 0.0
