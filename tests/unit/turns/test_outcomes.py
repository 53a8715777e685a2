"""What the channel's answers, and the lack of one, mean for a reply."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from botbuilder.schema import Error, ErrorResponse, ErrorResponseException
from msrest.exceptions import ClientRequestError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from shared.errors import (
    NotPermitted,
    RequestNotSent,
    StateConflict,
    StateUnavailable,
    TokenUnavailable,
)
from shared.turns.replies.failures import (
    ANSWERS,
    MAX_RETRY_AFTER_S,
    Failure,
    Outcome,
    failure_of,
)

REFUSED, NOT_SENT, UNKNOWN = Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN


def answer(status: Any, code: object = None, headers: Any = None) -> ErrorResponseException:
    """The SDK's error for an answer of the channel."""
    response = SimpleNamespace(
        status_code=status, headers=headers or {}, raise_for_status=lambda: None
    )
    return ErrorResponseException(lambda *_: ErrorResponse(error=Error(code=code)), response)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


# What Teams' table of status codes says, in the order of the table.
@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, "Bad Argument", REFUSED),
        (400, "BadSyntax", REFUSED),
        (400, "MissingProperty", REFUSED),
        (401, "BotNotRegistered", REFUSED),
        (403, "BotDisabledByAdmin", REFUSED),
        (403, "BotNotInConversationRoster", REFUSED),
        (403, "ConversationBlockedByUser", REFUSED),
        (403, "ForbiddenOperationException", REFUSED),
        (403, "InvalidBotApiHost", REFUSED),
        (403, "MessageWritesBlocked", REFUSED),
        (403, "NotEnoughPermissions", REFUSED),
        (404, "ActivityNotFoundInConversation", REFUSED),
        (404, "ConversationNotFound", NOT_SENT),
        (412, "PreconditionFailed", NOT_SENT),
        (413, "MessageSizeTooBig", REFUSED),
        (429, "Throttled", NOT_SENT),
        (500, "ServiceError", UNKNOWN),
        (502, "ServiceError", UNKNOWN),
        (503, None, UNKNOWN),
        (504, None, UNKNOWN),
    ],
)
def test_teams_table_is_followed(status: int, code: str | None, outcome: Outcome) -> None:
    """What is to be retried is not lost; what is not to be retried does not hold up the others."""
    assert outcome is failure_of(answer(status, code)).outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (100, UNKNOWN),
        (200, REFUSED),
        (204, REFUSED),
        (300, UNKNOWN),
        (301, UNKNOWN),
        (302, UNKNOWN),
        (303, UNKNOWN),
        (304, UNKNOWN),
        (307, UNKNOWN),
        (308, UNKNOWN),
        (400, REFUSED),
        (401, NOT_SENT),
        (402, REFUSED),
        (403, REFUSED),
        (404, REFUSED),
        (405, REFUSED),
        (406, REFUSED),
        (407, NOT_SENT),
        (408, UNKNOWN),
        (409, UNKNOWN),
        (410, REFUSED),
        (411, REFUSED),
        (412, NOT_SENT),
        (413, REFUSED),
        (415, REFUSED),
        (418, REFUSED),
        (421, NOT_SENT),
        (422, REFUSED),
        (423, NOT_SENT),
        (424, UNKNOWN),
        (425, NOT_SENT),
        (426, REFUSED),
        (428, REFUSED),
        (429, NOT_SENT),
        (431, REFUSED),
        (451, REFUSED),
        (499, UNKNOWN),
        (500, UNKNOWN),
        (501, REFUSED),
        (502, UNKNOWN),
        (503, UNKNOWN),
        (504, UNKNOWN),
        (505, UNKNOWN),
        (507, UNKNOWN),
        (511, NOT_SENT),
        (599, UNKNOWN),
    ],
)
def test_a_status_without_a_code_means_something(status: int, outcome: Outcome) -> None:
    """A gateway in between answers without the Bot Connector's words."""
    assert outcome is failure_of(answer(status)).outcome


def test_every_row_has_a_source_and_a_reason() -> None:
    """Whoever doubts a row knows where to look."""
    assert [] == [row for row in ANSWERS if not (row[3] and row[4])]


@pytest.mark.parametrize("code", [None, 5, [], {}, "", "\ud800", "conversationnotfound "])
def test_an_odd_code_is_none(code: object) -> None:
    """The status decides then, and spelling does not."""
    expected = NOT_SENT if code == "conversationnotfound " else REFUSED
    assert expected is failure_of(answer(404, code)).outcome


@pytest.mark.parametrize(
    "error", [Error(code="ConversationNotFound"), {"code": "ConversationNotFound"}]
)
def test_a_code_may_be_in_a_model_or_a_dictionary(error: object) -> None:
    """The SDK's models take whatever they are given."""

    class OthersError(Exception):
        pass

    answered = OthersError()
    answered.status = 404  # type: ignore[attr-defined]
    answered.error = ErrorResponse(error=error)  # type: ignore[attr-defined]
    assert NOT_SENT is failure_of(answered).outcome


@pytest.mark.parametrize("status", [429, 429.0, "429", HTTPStatus.TOO_MANY_REQUESTS])
@pytest.mark.parametrize("name", ["status", "status_code"])
def test_a_status_of_any_type_is_read(status: object, name: str) -> None:
    """Adapters and middleware bring errors of other clients."""

    class OthersError(Exception):
        pass

    on_the_error, on_its_response = OthersError(), OthersError()
    setattr(on_the_error, name, status)
    on_its_response.response = SimpleNamespace(**{name: status})  # type: ignore[attr-defined]
    assert [NOT_SENT] * 2 == [failure_of(on_the_error).outcome, failure_of(on_its_response).outcome]


@pytest.mark.parametrize("status", [True, 0, -1, 99, 600, "ok", None, [], float("nan"), 10**30])
def test_what_is_no_status_says_nothing(status: object) -> None:
    """An error with such a one may come from anywhere, and the reply may have been taken."""

    class OthersError(Exception):
        pass

    error = OthersError()
    error.status = status  # type: ignore[attr-defined]
    assert UNKNOWN is failure_of(error).outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), UNKNOWN),
        (asyncio.CancelledError(), UNKNOWN),
        (aiohttp.ServerDisconnectedError(), UNKNOWN),
        (aiohttp.ClientPayloadError(), UNKNOWN),
        (RuntimeError("anything"), UNKNOWN),
        (StateUnavailable("a middleware's own state"), UNKNOWN),
        (aiohttp.ConnectionTimeoutError(), NOT_SENT),
        (ConnectionRefusedError(), NOT_SENT),
        (TokenUnavailable("no identity"), NOT_SENT),
        (caused(TimeoutError(), RequestNotSent("before any connection")), NOT_SENT),
        (
            caused(TimeoutError(), caused(asyncio.CancelledError(), RequestNotSent("no token"))),
            NOT_SENT,
        ),
        (ClientRequestError("of the SDK's own client", ConnectionRefusedError()), NOT_SENT),
        (aiohttp.InvalidURL("http://"), REFUSED),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), REFUSED),
        (KeyError("a middleware's"), REFUSED),
        (NotPermitted("another destination"), REFUSED),
    ],
)
def test_an_error_without_an_answer_means_something(error: BaseException, outcome: Outcome) -> None:
    """Only what cannot have arrived is said to be not sent."""
    assert outcome is failure_of(error).outcome


@pytest.mark.parametrize("error", [TokenUnavailable("no identity"), StateConflict("somebody")])
def test_somebody_elses_answer_is_not_the_channels(error: Exception) -> None:
    """The token endpoint's 400 does not refuse the reply, nor does the store's 412."""
    elsewhere = aiohttp.ClientResponseError(
        aiohttp.RequestInfo(URL("http://localhost"), "POST", CIMultiDictProxy(CIMultiDict())),
        (),
        status=400,
    )
    expected = NOT_SENT if isinstance(error, TokenUnavailable) else UNKNOWN
    assert expected is failure_of(caused(error, elsewhere)).outcome


def test_errors_that_cause_each_other_end() -> None:
    """A circle of causes is walked once."""
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first
    assert UNKNOWN is failure_of(first).outcome


NOW = datetime.now(UTC).replace(microsecond=0)


def at(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "retry_after_s"),
    [
        ({}, 0),
        ({"Retry-After": "3"}, 3),
        ({"retry-after": "3"}, 3),
        ({"RETRY-AFTER": "0.5"}, 0.5),
        ({"Retry-After": 3}, 3),
        (CIMultiDictProxy(CIMultiDict({"retry-after": "3"})), 3),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "nan"}, 0),
        ({"Retry-After": "inf"}, 0),
        ({"Retry-After": "1e9"}, MAX_RETRY_AFTER_S),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": ""}, 0),
        ({"Retry-After": None}, 0),
        ({"Retry-After": at(30), "Date": at(0)}, 30),
        ({"Retry-After": at(30), "Date": at(60)}, 0),
        # By the channel's own clock, an hour ahead of ours.
        ({"Retry-After": at(3630), "Date": at(3600)}, 30),
        (
            {
                "Retry-After": "Sun, 29 Nov 2026 06:00:30 -0000",
                "Date": "Sun, 29 Nov 2026 06:00:00 -0000",
            },
            30,
        ),
        # Of two forms: -0000 is UTC, of which the sender says no place.
        (
            {
                "Retry-After": "Sun, 29 Nov 2026 06:00:30 -0000",
                "Date": "Sun, 29 Nov 2026 06:00:00 GMT",
            },
            30,
        ),
        ([("Retry-After", "3")], 0),
        ("Retry-After: 3", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_channel_says_how_long_to_wait(
    status: int, headers: Mapping[str, Any], retry_after_s: float
) -> None:
    """In seconds or as a date, whatever the case of the header's name."""
    assert retry_after_s == failure_of(answer(status, headers=headers)).retry_after_s


def test_headers_may_be_on_the_error_itself() -> None:
    """As aiohttp has them, where the SDK's errors have a response."""
    request = aiohttp.RequestInfo(URL("http://localhost"), "POST", CIMultiDictProxy(CIMultiDict()))
    headers = CIMultiDict({"Retry-After": "3"})
    error = aiohttp.ClientResponseError(request, (), status=429, headers=headers)
    assert Failure(NOT_SENT, 3) == failure_of(error)


def test_a_date_without_the_channels_clock_is_read_by_ours() -> None:
    """Not every gateway sends a Date."""
    said = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    failure = failure_of(answer(429, headers={"Retry-After": said}))
    assert Failure(NOT_SENT, failure.retry_after_s) == failure
    assert 0 < failure.retry_after_s <= 100
