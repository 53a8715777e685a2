"""
Every error that this application raises on purpose.

    BotApplicationError
    ├── SettingsError               the app cannot start as it is configured
    ├── RequestRefused              the HTTP request is not answered with a turn
    │   ├── MalformedActivity           the body is not an activity
    │   ├── NotAuthenticated            no proof of who is speaking
    │   ├── NotPermitted                a genuine sender that may not do this
    │   ├── MethodNotAllowed            not a POST
    │   ├── LengthRequired              the body was lost on the way
    │   ├── RequestTooLarge             more bytes than a turn may have
    │   └── UnsupportedMediaType        not JSON
    ├── SigningKeysUnavailable      no token from the channel can be checked
    ├── TokenUnavailable            the bot's identity gets no token for its replies
    ├── RequestNotSent              no byte of a request to the channel has left
    ├── BellUnavailable             a reminder to look after a conversation may not come
    ├── MalformedBell               a message in the queue of bells is not one
    ├── StateError                  state could not be read or written
    │   ├── StateConflict               somebody else wrote first
    │   ├── StateTooLarge               the document exceeds what the store takes
    │   ├── StateThrottled              the store asks to be left alone for a while
    │   ├── StateUnavailable            the store did not answer, or failed
    │   ├── StateForbidden              the store does not let us in
    │   ├── StateContainerMissing       the database or container does not exist
    │   ├── StateUnreadable             a stored document is not what the codec wrote
    │   └── StateNotStorable            a value that the codec cannot store
    └── TurnError                   a turn did not complete
        ├── TurnDeadlineExceeded        the turn found no place among racing turns in time
        ├── WaitsForItself              a turn would wait for another one of its conversation
        ├── LogicFailed                 the logic that a turn ran instead of the bot has raised
        └── InboxFull                   too many activities wait in the conversation

Each error says what to do next. None carries a secret, a message's text or a user's name.
"""


class BotApplicationError(Exception):
    """The root: anything this application raises on purpose."""


class SettingsError(BotApplicationError):
    """
    The settings do not describe a bot that can run.

    `faults` has one sentence for each setting that is missing or wrong.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"The application settings are not usable:{lines}")


class RequestRefused(BotApplicationError):
    """The request is answered with an HTTP error; the message is its one-line body."""


class MalformedActivity(RequestRefused):
    """The body is not an activity."""


class NotAuthenticated(RequestRefused):
    """The request carries no valid token."""


class NotPermitted(RequestRefused):
    """The token is genuine, but does not allow this activity."""


class MethodNotAllowed(RequestRefused):
    """The request does not bring anything: only POST does."""


class LengthRequired(RequestRefused):
    """The body came in chunks, without its length, and the Functions host did not pass it on."""


class RequestTooLarge(RequestRefused):
    """The body has more bytes than a turn may have."""


class UnsupportedMediaType(RequestRefused):
    """The body is not declared to be JSON."""


class SigningKeysUnavailable(BotApplicationError):
    """The channel's signing keys cannot be fetched, so nobody can be authenticated."""


class TokenUnavailable(BotApplicationError):
    """The bot's identity gets no token, so nothing can be sent to the channel."""


class RequestNotSent(BotApplicationError):
    """
    No byte of the request has left, so it may be sent again without doing anything twice.

    It is the cause of the error that says what happened instead.
    """


class BellUnavailable(BotApplicationError):
    """The queue did not take a bell, or did not confirm it. The sweep makes up for that."""


class MalformedBell(BotApplicationError):
    """Something other than this app wrote to its queue. The message ends up in the poison queue."""


class StateError(BotApplicationError):
    """State could not be read or written."""


class StateConflict(StateError):
    """Another writer came first. Read the document again and run the turn again."""


class StateTooLarge(StateError):
    """The document is larger than the store takes (2 MB in Cosmos DB)."""


class StateThrottled(StateError):
    """
    The store refused the request for now, and went on refusing it when it was repeated.

    `retry_after_s` is what it asked for last, in seconds.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StateUnavailable(StateError):
    """The store did not answer in time, or failed. A write may or may not have happened."""


class StateForbidden(StateError):
    """The store refused the app's identity or key."""


class StateContainerMissing(StateError):
    """The database or the container does not exist; the app never creates them."""


class StateUnreadable(StateError):
    """A stored document is not what the codec wrote. It is left as it is."""


class StateNotStorable(StateError):
    """A value has a type that is not registered, or that JSON cannot carry."""


class TurnError(BotApplicationError):
    """A turn did not complete."""


class TurnDeadlineExceeded(TurnError):
    """The turn found no place among racing turns in time; nothing was changed."""


class WaitsForItself(TurnError):
    """A turn would wait for another turn of its own conversation, which begins only afterwards."""

    def __init__(self) -> None:
        super().__init__(
            "Another turn of this conversation begins only when this one is over, so this one "
            "cannot wait for it. Call `await context.adapter.continue_conversation(reference, "
            "logic, app_id)` instead: that is a part of this turn."
        )


class LogicFailed(TurnError):
    """The logic that a turn ran instead of the bot has raised the cause. Nothing was changed."""


class InboxFull(TurnError):
    """The conversation accepts no more activities for later; nothing was changed."""
