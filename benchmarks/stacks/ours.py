"""This template as it is deployed, with the sample's bot in the place of the one in shared/bot."""

import sys
from importlib import import_module

from botbuilder.core import Bot, ConversationState, Storage, UserState

from benchmarks.stacks.sample import ConversationData, StateManagementBot, UserProfile
from shared.storage import state_type

STATE_TYPES: tuple[type, ...] = (
    state_type("UserProfile")(UserProfile),
    state_type("ConversationData")(ConversationData),
)


def create_bot(storage: Storage) -> Bot:
    """Make the bot, as shared/bot does."""
    return StateManagementBot(ConversationState(storage), UserState(storage))


# Before anybody imports that one: what is measured must not depend on what is in it.
sys.modules["shared.bot"] = sys.modules[__name__]
main = import_module("MessagesFunction").main
