"""
Shows whoever inspects it all that it receives, sends, changes and remembers.

The ground that Microsoft's sample 47 (inspection) covers.
"""

from collections.abc import Iterable

from botbuilder.core import (
    ActivityHandler,
    Bot,
    ConversationState,
    MessageFactory,
    Middleware,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.core.inspection import InspectionMiddleware, InspectionState

STATE_TYPES: tuple[type, ...] = ()


class InspectedBot(ActivityHandler):
    """Counts in both of its states, and changes or takes back what it is answered to."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self._conversation_state = conversation_state
        self._user_state = user_state
        self._count = conversation_state.create_property("count")
        self._words = user_state.create_property("words")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._conversation_state.save_changes(turn_context)
        await self._user_state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        activity = turn_context.activity
        if activity.text == "fail":
            raise RuntimeError("The bot has failed.")
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        (await self._words.get(turn_context, list)).append(activity.text)
        if activity.text == "fix":
            fixed = MessageFactory.text("Rather this.")
            fixed.id = activity.reply_to_id
            await turn_context.update_activity(fixed)
        elif activity.text == "drop":
            await turn_context.delete_activity(activity.reply_to_id)
        else:
            await turn_context.send_activity(f"{activity.text} is number {count}.")


SCRIPT = (
    {
        "type": "message",
        "text": "/INSPECT open",
        "channelId": "emulator",
        "conversation": {"id": "inspected;inspector"},
    },
    "$last value",
    "one",
    {"type": "message", "text": "fix", "replyToId": "$last reply"},
    {"type": "message", "text": "drop", "replyToId": "$last reply"},
    "fail",
    "two",
)
"""What a user sends, one after the other; the first is said by whoever inspects."""


def create_middleware(storage: Storage) -> Iterable[Middleware]:
    """Show what passes, and what is remembered."""
    return [
        InspectionMiddleware(
            InspectionState(storage), UserState(storage), ConversationState(storage)
        )
    ]


async def on_error(context: TurnContext, error: Exception) -> None:
    """Tell the user."""
    await context.send_activity("The bot encountered an error or bug.")


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return InspectedBot(ConversationState(storage), UserState(storage))
