"""
The conversation: what is said and what is remembered. Replace it with your own.

The application takes two names from here: `create_bot`, and `STATE_TYPES`, the classes
that the bot's state is made of. Nothing else in the project knows this bot.

There may be three more, which this bot does without: `create_middleware(storage)`,
`async def on_error(context, error)` and `APOLOGIES`. docs/recipes.md shows them.
"""

from botbuilder.core import Bot, ConversationState, Storage, UserState

from shared.bot.conversation_data import ConversationData
from shared.bot.state_management_bot import StateManagementBot
from shared.bot.user_profile import UserProfile

STATE_TYPES: tuple[type, ...] = (UserProfile, ConversationData)


def create_bot(storage: Storage) -> Bot:
    """Make a bot that remembers what it must in `storage`, and nothing in itself."""
    return StateManagementBot(ConversationState(storage), UserState(storage))
