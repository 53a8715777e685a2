"""
Makes the SDK's accessor of a property say that the property cannot be read.

By itself the accessor's `get` answers every error with the default, and stores that, over state
that another version of the app, or another bot, could still read. So it is asked first whether
the property can be read. The class itself is changed, because bots make their accessors with the
SDK's `create_property`.
"""

from functools import wraps
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.bot_state import BotStatePropertyAccessor

from shared.errors import StateUnreadable
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.unknown_fields import hand_on_unknown

MAX_SHOWN = 300
"""Characters of a document's key in an error: a channel's ids may be of any length."""

_MARK = "__tells_unreadable__"


def tell_unreadable() -> None:
    """
    Make accessors raise StateUnreadable for a property that cannot be read.

    What is set in place of an object of the same class, as it must be where that is frozen, gets
    the fields that another version of the app gave to it.
    """
    if hasattr(BotStatePropertyAccessor, _MARK):
        return
    get, set_ = BotStatePropertyAccessor.get, BotStatePropertyAccessor.set

    @wraps(get)
    async def get_readable(
        self: Any, turn_context: TurnContext, default_value_or_factory: Any = None
    ) -> Any:
        unreadable = Opaque.unreadable(await _present(self, turn_context))
        if unreadable is not None:
            document = self._bot_state.get_storage_key(turn_context)[:MAX_SHOWN]
            raise StateUnreadable(
                f"The property {self.name} of the document {document!r} cannot be read: "
                f"{unreadable}"
            )
        return await get(self, turn_context, default_value_or_factory)

    @wraps(set_)
    async def set_with_unknown(self: Any, turn_context: TurnContext, value: Any) -> None:
        hand_on_unknown(await _present(self, turn_context), value)
        await set_(self, turn_context, value)

    BotStatePropertyAccessor.get = get_readable
    BotStatePropertyAccessor.set = set_with_unknown
    setattr(BotStatePropertyAccessor, _MARK, True)


async def _present(accessor: Any, turn_context: TurnContext) -> Any:
    if accessor._bot_state.get_cached_state(turn_context) is None:
        await accessor._bot_state.load(turn_context, False)
    state = accessor._bot_state.get(turn_context)
    return state.get(accessor.name) if isinstance(state, dict) else None
