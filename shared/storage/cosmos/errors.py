"""What Cosmos DB's answers mean to this application."""

from math import isfinite
from types import TracebackType

from azure.core.exceptions import ClientAuthenticationError
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from shared.errors import (
    StateConflict,
    StateContainerMissing,
    StateError,
    StateForbidden,
    StateNotStorable,
    StateThrottled,
    StateTooLarge,
    StateUnavailable,
    StateUnreadable,
)
from shared.storage.etags import CONFLICT

THROTTLED = 429
DEFAULT_RETRY_AFTER_S = 0.1

# Sub-statuses (azure.cosmos.http_constants.SubStatusCodes).
_WRITE_REGION_MOVING = (403, 3)
_REPLICA_BEHIND = (404, 1002)
_OWNER_MISSING = (404, 1003)

_FORBIDDEN = (
    "Cosmos DB refused the bot; give its managed identity the role Cosmos DB Built-in Data "
    "Contributor (00000000-0000-0000-0000-000000000002) on the database, and let the account's "
    "firewall pass the bot."
)
_CONTAINER_MISSING = (
    "The Cosmos DB database or container does not exist; create it with the partition key /id, "
    "or correct CosmosDbDatabaseId and CosmosDbContainerId."
)
_UNAVAILABLE = "Cosmos DB did not answer or failed ({}); try again later."
_MALFORMED = (
    "Cosmos DB does not understand the bot's request ({}); is the container's partition key /id?"
)
_NOT_STORABLE = "Cosmos DB's client refuses the document or its key ({}); store something else."
_UNREADABLE = "The Cosmos DB item is not what the bot wrote ({}); who else writes there?"

_BY_STATUS: dict[int, tuple[type[StateError], str]] = {
    400: (StateError, _MALFORMED),
    401: (StateForbidden, _FORBIDDEN),
    403: (StateForbidden, _FORBIDDEN),
    404: (StateContainerMissing, _CONTAINER_MISSING),
    409: (StateConflict, CONFLICT),
    412: (StateConflict, CONFLICT),
    413: (StateTooLarge, "The document has more than the 2 MB that Cosmos DB takes."),
    # Two writes of one document met inside Cosmos DB; this one was not done.
    449: (StateConflict, CONFLICT),
}


def container_missing() -> StateContainerMissing:
    """Return the error of a request to a container that does not exist."""
    return StateContainerMissing(_CONTAINER_MISSING)


def no_item() -> StateUnavailable:
    """Return the error for an answer that is a success but brings no item."""
    return StateUnavailable(_UNAVAILABLE.format("an answer without an item"))


def is_absent(error: Exception) -> bool:
    """Whether the answer is that the document does not exist, though its container does."""
    return isinstance(error, CosmosResourceNotFoundError) and _code(error) not in (
        _REPLICA_BEHIND,
        _OWNER_MISSING,
    )


def translate(error: Exception, *, may_have_left: bool = True) -> StateError:
    """Return what an error of any request means to the application."""
    if isinstance(error, StateError):
        return error
    if isinstance(error, CosmosHttpResponseError):
        status, sub_status = _code(error)
        shown = f"HTTP {status}, sub-status {sub_status}"
        if status == THROTTLED:
            return StateThrottled(
                "Cosmos DB is out of request units; try again later, or raise its throughput.",
                _retry_after_s(error),
            )
        if (status, sub_status) not in (_WRITE_REGION_MOVING, _REPLICA_BEHIND):
            kind, sentence = _BY_STATUS.get(status, (StateUnavailable, _UNAVAILABLE))
            return kind(sentence.format(shown))
        return StateUnavailable(_UNAVAILABLE.format(shown))
    if isinstance(error, ClientAuthenticationError):
        return StateForbidden(
            "The bot got no token for Cosmos DB; attach its managed identity to the function app "
            "and set MicrosoftAppId to its client id, or for an emulator set CosmosDbKey."
        )
    if not may_have_left and isinstance(error, ValueError | TypeError | RecursionError):
        # azure-cosmos looks at ids and makes JSON of documents before it sends anything.
        return StateNotStorable(_NOT_STORABLE.format(type(error).__name__))
    return StateUnavailable(_UNAVAILABLE.format(type(error).__name__))


class Becoming:
    """A context in which whatever is raised becomes a StateError, if it is not one already."""

    def __init__(self, kind: type[StateError], sentence: str) -> None:
        self._kind = kind
        self._sentence = sentence

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, StateError):
            raise self._kind(self._sentence.format(type(error).__name__)) from error


STORING = Becoming(StateNotStorable, _NOT_STORABLE)
READING = Becoming(StateUnreadable, _UNREADABLE)


def _retry_after_s(error: CosmosHttpResponseError) -> float:
    """Return for how long a throttled request is to wait, in seconds."""
    headers = error.headers
    try:
        if "x-ms-retry-after-ms" in headers:
            asked_s = float(headers["x-ms-retry-after-ms"]) / 1000
        else:
            asked_s = float(headers["Retry-After"])
    except (KeyError, TypeError, ValueError):
        return DEFAULT_RETRY_AFTER_S
    return max(0.0, asked_s) if isfinite(asked_s) else DEFAULT_RETRY_AFTER_S


def _code(error: CosmosHttpResponseError) -> tuple[int, int]:
    return error.status_code or 0, error.sub_status or 0
