"""The storage of a turn, for code that is not handed one."""

from typing import cast

from botbuilder.core import Storage, TurnContext

STORAGE_KEY = "Storage"
"""The key under which the state of a turn context has it."""


def storage_of(context: TurnContext) -> Storage:
    """
    Return the storage of the turn that `context` belongs to: what is saved there is committed.

    `create_bot` and `create_middleware` get the same as their argument. This is for `on_error`,
    and for what `continue_conversation` runs.

    Raises:
        LookupError: it is not the context that the bot was given.
    """
    storage = context.turn_state.get(STORAGE_KEY)
    if storage is None:
        raise LookupError(
            "This turn context is not from a bot's turn, and only those have a storage."
        )
    return cast("Storage", storage)
