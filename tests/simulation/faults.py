"""
Every kind of fault that a history may have, by name, and how many histories draw it.
"""

from collections.abc import Callable
from enum import StrEnum

from shared.errors import (
    StateError,
    StateForbidden,
    StateNotStorable,
    StateTooLarge,
    StateUnreadable,
)


class Fault(StrEnum):
    """A kind of fault; the value is what the tables call it."""

    STORE_UNAVAILABLE = "store unavailable"
    STORE_THROTTLED = "store throttled"
    STORE_ANSWER_LOST = "store answer lost"
    STORE_REPEATED = "store write repeated"
    STORE_LATE = "store write late"
    STORE_LAGGING = "store lagging"
    STORE_SLOW = "store slow"
    STORE_OUTAGE = "store outage"
    DOCUMENT_TOO_LARGE = "document too large"
    DOCUMENT_UNREADABLE = "document unreadable"
    DOCUMENT_FORBIDDEN = "document forbidden"
    DOCUMENT_NOT_STORABLE = "document not storable"
    DOCUMENT_UNKNOWN_ERROR = "document raises an unknown error"
    DOCUMENT_DELETED = "document deleted"
    DOCUMENT_EXPIRED = "document expired"
    DOCUMENT_RESTORED = "document restored"
    JOURNAL_POISONED = "journal poisoned"
    JOURNAL_NEWER = "journal of a newer version"
    VERSION_BEFORE = "the version before runs beside"
    STATE_LARGE = "state near the size limit"
    CHANNEL_THROTTLED = "channel throttled"
    CHANNEL_NOT_CONNECTED = "channel not connected"
    CHANNEL_FAILED = "channel failed"
    CHANNEL_ANSWER_LOST = "channel answer lost"
    CHANNEL_SLOW = "channel slow"
    CHANNEL_BUSY = "channel not ready (412)"
    CHANNEL_REFUSED = "channel refused (4xx)"
    CHANNEL_ODD_ANSWER = "channel answers oddly"
    CHANNEL_OUTAGE = "channel outage"
    CHANNEL_LONG_OUTAGE = "channel throttled for long"
    CHANNEL_NEVER_ANSWERS = "one reply fails for ever"
    BELL_LATE = "bell late"
    BELL_DOUBLED = "bell doubled"
    BELL_AT_ONCE = "bell handled twice at once"
    BELL_HIDDEN = "bell hidden for ten minutes"
    NOT_RUNG = "ring fails"
    QUEUE_OUTAGE = "queue away"
    HOST_DIES = "host dies with a bell"
    WORKER_STOPS = "queue away for too long for one instance"
    WORKERS_STOP = "queue away for too long for all"
    TIMER_DIES = "timer's holder dies"
    PARTITION = "partition"
    KILL = "process killed"
    LEAVES = "process told to leave"
    PAUSE = "process paused past its lease"
    CLOCK_SKEW = "clocks differ"
    CLOCK_FORWARD = "clock jumps forward"
    CLOCK_BACK = "clock jumps back"
    REQUEST_CANCELLED = "request cancelled"
    BOT_RAISES = "bot raises"
    BOT_SLOW = "bot slow"
    BOT_HANGS = "bot hangs"
    BOT_SWALLOWS = "bot hangs and cannot be cancelled"
    BOT_CANCELLED = "bot raises CancelledError"
    BOT_EXITS = "bot raises SystemExit"
    BOT_KILLS = "bot kills its process"
    BOT_SENDS_LATE = "bot sends after its turn"
    BOT_WRITES_LATE = "bot writes after its turn"
    SHARED_PROPERTY = "one property, several conversations"
    MANY_CONVERSATIONS = "more conversations than bounds"
    MANY_TURNS = "more turns than bounds"
    CROWD = "many messages at once"
    ODD_IDS = "odd ids"
    SAME_ID = "two senders, one activity id"
    REDELIVERED_AT_ONCE = "delivered twice at once"
    REDELIVERED = "delivered again"
    REDELIVERED_LATE = "delivered again much later"


USUAL = (
    Fault.STORE_UNAVAILABLE,
    Fault.STORE_THROTTLED,
    Fault.STORE_ANSWER_LOST,
    Fault.STORE_REPEATED,
    Fault.STORE_LATE,
    Fault.CHANNEL_THROTTLED,
    Fault.CHANNEL_NOT_CONNECTED,
    Fault.CHANNEL_FAILED,
    Fault.CHANNEL_ANSWER_LOST,
)
"""A request has these with one probability that the history draws, mostly several at once."""

SHARES = {
    Fault.STORE_LAGGING: 0.3,
    Fault.STORE_SLOW: 0.2,
    Fault.STORE_OUTAGE: 0.06,
    Fault.DOCUMENT_TOO_LARGE: 0.03,
    Fault.DOCUMENT_UNREADABLE: 0.02,
    Fault.DOCUMENT_FORBIDDEN: 0.025,
    Fault.DOCUMENT_NOT_STORABLE: 0.02,
    Fault.DOCUMENT_UNKNOWN_ERROR: 0.03,
    Fault.DOCUMENT_DELETED: 0.03,
    Fault.DOCUMENT_EXPIRED: 0.02,
    Fault.DOCUMENT_RESTORED: 0.04,
    Fault.JOURNAL_POISONED: 0.02,
    Fault.JOURNAL_NEWER: 0.03,
    Fault.VERSION_BEFORE: 0.03,
    Fault.STATE_LARGE: 0.03,
    Fault.CHANNEL_SLOW: 0.2,
    Fault.CHANNEL_BUSY: 0.05,
    Fault.CHANNEL_REFUSED: 0.05,
    Fault.CHANNEL_ODD_ANSWER: 0.03,
    Fault.CHANNEL_OUTAGE: 0.06,
    Fault.CHANNEL_LONG_OUTAGE: 0.01,
    Fault.CHANNEL_NEVER_ANSWERS: 0.02,
    Fault.BELL_LATE: 0.03,
    Fault.BELL_DOUBLED: 0.03,
    Fault.BELL_AT_ONCE: 0.03,
    Fault.BELL_HIDDEN: 0.04,
    Fault.NOT_RUNG: 0.03,
    Fault.QUEUE_OUTAGE: 0.03,
    Fault.HOST_DIES: 0.03,
    Fault.WORKER_STOPS: 0.02,
    Fault.WORKERS_STOP: 0.02,
    Fault.TIMER_DIES: 0.03,
    Fault.PARTITION: 0.05,
    Fault.KILL: 0.6,
    Fault.LEAVES: 0.05,
    Fault.PAUSE: 0.06,
    Fault.CLOCK_SKEW: 0.5,
    Fault.CLOCK_FORWARD: 0.03,
    Fault.CLOCK_BACK: 0.03,
    Fault.REQUEST_CANCELLED: 0.04,
    Fault.BOT_RAISES: 0.3,
    Fault.BOT_SLOW: 0.06,
    Fault.BOT_HANGS: 0.025,
    Fault.BOT_SWALLOWS: 0.02,
    Fault.BOT_CANCELLED: 0.02,
    Fault.BOT_EXITS: 0.025,
    Fault.BOT_KILLS: 0.03,
    Fault.BOT_SENDS_LATE: 0.02,
    Fault.BOT_WRITES_LATE: 0.02,
    Fault.SHARED_PROPERTY: 0.15,
    Fault.MANY_CONVERSATIONS: 0.015,
    Fault.MANY_TURNS: 0.015,
    Fault.CROWD: 0.02,
    Fault.ODD_IDS: 0.05,
    Fault.SAME_ID: 0.03,
    Fault.REDELIVERED_AT_ONCE: 0.4,
    Fault.REDELIVERED: 0.5,
    Fault.REDELIVERED_LATE: 0.03,
}
"""The share of the histories that draw it. A fault that is drawn happens in most of them."""

OF_BELLS = frozenset(
    {
        Fault.BELL_LATE,
        Fault.BELL_DOUBLED,
        Fault.BELL_AT_ONCE,
        Fault.BELL_HIDDEN,
        Fault.NOT_RUNG,
        Fault.QUEUE_OUTAGE,
        Fault.HOST_DIES,
        Fault.WORKER_STOPS,
        Fault.WORKERS_STOP,
    }
)
"""They happen to bells, which only slow turns and those that die have."""

IN_SMALL = frozenset({Fault.STATE_LARGE, Fault.MANY_CONVERSATIONS, Fault.MANY_TURNS, Fault.CROWD})
"""These are played by the product with small bounds (`copies.SMALL_BOUNDS`)."""

IN_ONE_VERSION = IN_SMALL | {Fault.JOURNAL_NEWER}
"""None of these where the version before runs beside: it has other bounds, and two are enough."""

DOCUMENT_ERRORS: dict[Fault, tuple[Callable[[], Exception], ...]] = {
    Fault.DOCUMENT_TOO_LARGE: (lambda: StateTooLarge("simulated"),),
    Fault.DOCUMENT_UNREADABLE: (lambda: StateUnreadable("simulated"),),
    Fault.DOCUMENT_FORBIDDEN: (lambda: StateForbidden("simulated"),),
    Fault.DOCUMENT_NOT_STORABLE: (lambda: StateNotStorable("simulated"),),
    Fault.DOCUMENT_UNKNOWN_ERROR: (
        lambda: ValueError("simulated"),
        lambda: RuntimeError("simulated"),
        lambda: OSError("simulated"),
        lambda: KeyError("simulated"),
        lambda: StateError("simulated"),
    ),
}
"""What a store may answer for one document, for a while or for good."""

ON_READ = (
    Fault.DOCUMENT_UNREADABLE,
    Fault.DOCUMENT_FORBIDDEN,
    Fault.DOCUMENT_UNKNOWN_ERROR,
)
ON_WRITE = (
    Fault.DOCUMENT_TOO_LARGE,
    Fault.DOCUMENT_FORBIDDEN,
    Fault.DOCUMENT_NOT_STORABLE,
    Fault.DOCUMENT_UNKNOWN_ERROR,
)

DOCUMENT_TROUBLES = frozenset({*DOCUMENT_ERRORS, Fault.STATE_LARGE, Fault.ODD_IDS})
"""A request about one document fails on these."""
