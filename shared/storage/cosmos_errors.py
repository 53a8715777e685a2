"""What Cosmos DB's answers mean to this application."""

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from shared.errors import (
    StateConflict,
    StateContainerMissing,
    StateError,
    StateForbidden,
    StateThrottled,
    StateTooLarge,
    StateUnavailable,
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


def is_absent(error: AzureError) -> bool:
    """Whether the answer is that the document does not exist, though its container does."""
    return isinstance(error, CosmosResourceNotFoundError) and _code(error) not in (
        _REPLICA_BEHIND,
        _OWNER_MISSING,
    )


def translate(error: AzureError | TimeoutError) -> StateError:
    """Return what `error`, of any request, is to the application."""
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
            "The bot got no token for Cosmos DB; attach its managed identity to the function app, "
            "with MicrosoftAppId its client id, or for an emulator set CosmosDbKey."
        )
    return StateUnavailable(_UNAVAILABLE.format(type(error).__name__))


def _retry_after_s(error: CosmosHttpResponseError) -> float:
    """Return for how long a throttled request is to wait, in seconds."""
    headers = error.headers
    try:
        if "x-ms-retry-after-ms" in headers:
            return max(0.0, float(headers["x-ms-retry-after-ms"]) / 1000)
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return DEFAULT_RETRY_AFTER_S


def _code(error: CosmosHttpResponseError) -> tuple[int, int]:
    return error.status_code or 0, error.sub_status or 0
