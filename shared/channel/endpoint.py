"""The messaging endpoint: one HTTP request is one activity, and one turn."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import azure.functions as func
import msgspec
from botbuilder.core import Bot, InvokeResponse

from shared import log_hygiene
from shared.channel.activities import read_activity
from shared.channel.adapter import ChannelAdapter
from shared.channel.authentication import ChannelAuthentication
from shared.channel.destinations import Destinations
from shared.errors import (
    BotApplicationError,
    InboxFull,
    LengthRequired,
    MalformedActivity,
    MethodNotAllowed,
    NotAuthenticated,
    NotPermitted,
    RequestTooLarge,
    SigningKeysUnavailable,
    StateError,
    StateNotStorable,
    StateTooLarge,
    TokenUnavailable,
    TurnDeadlineExceeded,
    UnsupportedMediaType,
)
from shared.sdk_json import to_plain_json

_STATUSES: dict[type[BotApplicationError], HTTPStatus] = {
    MalformedActivity: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotPermitted: HTTPStatus.FORBIDDEN,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    LengthRequired: HTTPStatus.LENGTH_REQUIRED,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    SigningKeysUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StateTooLarge: HTTPStatus.INTERNAL_SERVER_ERROR,
    StateNotStorable: HTTPStatus.INTERNAL_SERVER_ERROR,
    StateError: HTTPStatus.SERVICE_UNAVAILABLE,
    TurnDeadlineExceeded: HTTPStatus.SERVICE_UNAVAILABLE,
    InboxFull: HTTPStatus.SERVICE_UNAVAILABLE,
    TokenUnavailable: HTTPStatus.BAD_GATEWAY,
}
"""
The one place where errors meet HTTP. An error that is not here is a bug: 500.

With 502 and 503 it may help to deliver the activity again.
"""

_HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "POST"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
}

_logger = logging.getLogger(__name__)


class MessagesEndpoint:
    """
    Answers the requests of the Bot Connector.

    `prepare` is called with each request whose token is genuine, before its turn.
    """

    def __init__(
        self,
        authentication: ChannelAuthentication,
        destinations: Destinations,
        bot: Bot,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._authentication = authentication
        self._destinations = destinations
        self._adapter = ChannelAdapter(authentication, destinations)
        self._bot = bot
        self._prepare = prepare
        self._has_told_of_chunks = False

    async def handle(self, request: func.HttpRequest) -> func.HttpResponse:
        """Run the turn that the request asks for, or say in one line why not."""
        try:
            _check_headers(request)
            return await self._run_turn(request)
        except BotApplicationError as error:
            return _refusal(error)
        except Exception as error:
            _logger.error("A turn failed: %s", log_hygiene.trace_without_messages(error))
            return func.HttpResponse(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _run_turn(self, request: func.HttpRequest) -> func.HttpResponse:
        auth_header = request.headers.get("Authorization", "")
        # In this order, so that a caller who may not speak costs next to nothing: the token, the
        # shape of the body, whether the token is for it, and only then the SDK's costly
        # deserializer.
        caller = await self._authentication.authenticate(auth_header)
        self._prepare()
        received = read_activity(self._body(request))
        await self._authentication.permit(
            caller, auth_header, received.channel_id, received.service_url
        )
        self._destinations.check(received.service_url, request.url)
        activity = received.deserialize()
        response = await self._adapter.process_activity(caller, activity, self._bot.on_turn)
        return _answer(response)

    def _body(self, request: func.HttpRequest) -> bytes:
        body = request.get_body()
        if body or "Transfer-Encoding" not in request.headers:
            return body
        # The Functions host hands over as much as Content-Length says: nothing, where it is absent
        # (functions-host#4926). A channel that sends so loses every message: somebody must see it.
        if not self._has_told_of_chunks:
            self._has_told_of_chunks = True
            _logger.error(
                "A message came with Transfer-Encoding: chunked, so without its body, and was "
                "answered with 411. Its sender must send Content-Length. This is logged once "
                "per worker."
            )
        raise LengthRequired(
            "The body was lost on the way, because it came in chunks (Transfer-Encoding) and "
            "without its length: send it with Content-Length."
        )


def _check_headers(request: func.HttpRequest) -> None:
    if request.method != "POST":
        raise MethodNotAllowed("This is a bot's messaging endpoint: it takes activities by POST.")
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("The body must be sent as application/json.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        # A few bytes can unpack to gigabytes.
        raise UnsupportedMediaType("The body must be sent without Content-Encoding.")


def _answer(response: InvokeResponse | None) -> func.HttpResponse:
    if response is None:
        return func.HttpResponse(status_code=HTTPStatus.OK)
    if response.body is None:
        return func.HttpResponse(status_code=response.status)
    return func.HttpResponse(
        # Bots answer invokes with the SDK's models as often as with dicts.
        msgspec.json.encode(response.body, enc_hook=to_plain_json),
        status_code=response.status,
        mimetype="application/json",
    )


def _refusal(error: BotApplicationError) -> func.HttpResponse:
    status = next(
        (_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _logger.error("%s: %s", type(error).__name__, error)
    return func.HttpResponse(
        f"{error}\n" if status < HTTPStatus.INTERNAL_SERVER_ERROR else f"{status.phrase}\n",
        status_code=status,
        headers=_HEADERS.get(status),
        mimetype="text/plain",
    )
