"""
What a failed request to the channel means for the reply that it carried.

The only place that knows the channel's answers, and the errors of the HTTP clients under the SDK.
"""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from math import isfinite
from typing import Any

import aiohttp
from msrest.exceptions import ValidationError

from shared.errors import BotApplicationError, RequestNotSent, RequestRefused, TokenUnavailable


class Outcome(Enum):
    """What became of a reply whose sending raised an error."""

    REFUSED = "refused"
    """The channel does not take it, today or tomorrow: the user left, the card is invalid."""
    NOT_SENT = "not sent"
    """It was not taken for certain: sending it again cannot double it."""
    UNKNOWN = "unknown"
    """It may have been taken: sending it again may double it."""


@dataclass(frozen=True)
class Failure:
    """How a request to the channel failed."""

    outcome: Outcome
    retry_after_s: float = 0.0
    """How long the channel asks to wait, at most `MAX_RETRY_AFTER_S`. 0 if it does not say."""


MAX_RETRY_AFTER_S = 3600.0
"""No limit of Teams' counts over a longer time (its page on rate limits)."""

NEVER, AGAIN, MAYBE = Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN

# Who says so.
TEAMS = "Teams: learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability"
LIMITS = "Teams: learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit"
CONNECTOR = "Bot Connector: its API reference in the Bot Service documentation"
HTTP = "RFC 9110"
OURS = "our own judgement: nobody documents it"

ANSWERS: tuple[tuple[int, str, Outcome, str, str], ...] = (
    # Status, error code ("" for any other and none), what it means, who says so, and why.
    (400, "", NEVER, TEAMS, "BadArgument, BadSyntax, MissingProperty: the activity is at fault"),
    (401, "BotNotRegistered", NEVER, TEAMS, "there is no such bot; for an administrator to fix"),
    (401, "", AGAIN, HTTP, "15.5.2: not done for want of a valid token, and there are newer ones"),
    (403, "InvalidBotApiHost", NEVER, TEAMS, "another host takes it, but the URL goes with it"),
    (403, "", NEVER, TEAMS, "blocked, uninstalled, not in the roster, no permission"),
    (404, "ConversationNotFound", AGAIN, "msteams-docs#9425, botframework-sdk#6628", "it passes"),
    (404, "ActivityNotFoundInConversation", NEVER, TEAMS, "deleted, or never there"),
    (404, "", NEVER, CONNECTOR, "what it is about does not exist"),
    (405, "", NEVER, CONNECTOR, "the channel cannot do this: update or delete, say"),
    (407, "", AGAIN, HTTP, "15.5.8: a proxy kept it"),
    (408, "", MAYBE, "openclaw#121116", "seen to be answered to what was taken"),
    (409, "", MAYBE, OURS, "may be a conflict, or the echo of an attempt that arrived"),
    (412, "", AGAIN, TEAMS, "concurrent operations in the conversation: retry with backoff"),
    (413, "", NEVER, TEAMS, "MessageSizeTooBig"),
    (421, "", AGAIN, HTTP, "15.5.20: it reached a server that does not serve this host"),
    (423, "", AGAIN, "RFC 4918, 11.3", "what it changes is locked for now"),
    (424, "", MAYBE, "RFC 4918, 11.4", "it failed with another action, which may have been done"),
    (425, "", AGAIN, "RFC 8470, 5.2", "the server was not willing to process it yet"),
    (429, "", AGAIN, LIMITS, "throttled: retry after Retry-After, else with backoff"),
    (499, "", MAYBE, OURS, "a gateway's note that its client went away, whatever was done"),
    (500, "", MAYBE, "botframework-sdk#5266", "Direct Line's pass; Teams says no retry, not why"),
    (501, "", NEVER, HTTP, "15.6.2: the server cannot do this"),
    (502, "", MAYBE, TEAMS, "retry with backoff; it may have been taken (openclaw#125127)"),
    (503, "", MAYBE, TEAMS, "the same"),
    (504, "", MAYBE, TEAMS, "the same"),
    (511, "", AGAIN, "RFC 6585, 6", "a network in between wants a login, and kept it"),
)
"""Every answer of the channel that means something of its own; the others go by `_by_class`."""

_BY_STATUS_AND_CODE = {
    (status, code.casefold()): outcome for status, code, outcome, _, _ in ANSWERS
}

_NOT_TAKEN = (
    RequestNotSent,
    TokenUnavailable,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    ConnectionRefusedError,
    socket.gaierror,
)
_NEVER_A_REQUEST = (TypeError, ValueError, LookupError, AttributeError, ValidationError)


def failure_of(error: BaseException) -> Failure:
    """Classify whatever an adapter's send, or middleware around it, raised."""
    for cause in _causes(error):
        if isinstance(cause, _NOT_TAKEN):
            return Failure(Outcome.NOT_SENT)
        if isinstance(cause, BotApplicationError):
            # What the store answered, say, is not the channel's answer.
            return Failure(NEVER if isinstance(cause, RequestRefused) else MAYBE)
        status = _status(cause)
        if status is not None:
            return Failure(_meaning(status, _error_code(cause)), _retry_after_s(_headers(cause)))
    if isinstance(error, _NEVER_A_REQUEST):
        return Failure(Outcome.REFUSED)
    return Failure(Outcome.UNKNOWN)


def _meaning(status: int, code: str) -> Outcome:
    known = _BY_STATUS_AND_CODE.get((status, code)) or _BY_STATUS_AND_CODE.get((status, ""))
    return known or _by_class(status)


def _by_class(status: int) -> Outcome:
    """What a status means that nobody has documented for the Bot Connector."""
    if 200 <= status < 300:
        # It was taken, but the client did not like the answer: once more would double it.
        return Outcome.REFUSED
    if 400 <= status < 500:
        # Teams asks not to retry what its table does not name.
        return Outcome.REFUSED
    # Redirects, which are not followed, may also come after the deed (RFC 9110, 15.4.4).
    return Outcome.UNKNOWN


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        # msrest keeps the client's error here, or else the body of the response.
        inner = getattr(error, "inner_exception", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__


def _status(error: BaseException) -> int | None:
    """The HTTP status: aiohttp has it on the error, msrest on the response or its wrapper."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status"):
            status = _as_status(getattr(holder, name, None))
            if status is not None:
                return status
    return None


def _as_status(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        status = int(value)
    except (ValueError, OverflowError):
        return None
    return status if 100 <= status < 600 else None


def _error_code(error: BaseException) -> str:
    """`error.code` of the Bot Connector's ErrorResponse, as Teams spells it: "Bad Argument" too."""
    inner = getattr(getattr(error, "error", None), "error", None)
    code = inner.get("code") if isinstance(inner, Mapping) else getattr(inner, "code", None)
    return code.replace(" ", "").casefold() if isinstance(code, str) else ""


def _headers(error: BaseException) -> dict[str, Any]:
    for holder in (error, getattr(error, "response", None)):
        headers = getattr(holder, "headers", None)
        if isinstance(headers, Mapping):
            return {str(name).casefold(): value for name, value in headers.items()}
    return {}


def _retry_after_s(headers: dict[str, Any]) -> float:
    """Seconds from now, of either form that the header may have (RFC 9110, 10.2.3)."""
    said = headers.get("retry-after")
    try:
        seconds = float(said)  # type: ignore[arg-type]  # what it is not, it says
    except (TypeError, ValueError):
        at = _date(said)
        if at is None:
            return 0.0
        # By the clock that the date was made with.
        seconds = (at - (_date(headers.get("date")) or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S) if isfinite(seconds) else 0.0


def _date(said: object) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(said))
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
