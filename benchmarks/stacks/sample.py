"""
The bot of the Bot Framework SDK's State Management sample, which is measured on the SDK and here.

https://learn.microsoft.com/azure/bot-service/bot-builder-howto-v4-state
"""

import time
from dataclasses import dataclass
from datetime import datetime

from botbuilder.core import ActivityHandler, ConversationState, TurnContext, UserState
from botbuilder.schema import ChannelAccount


@dataclass
class UserProfile:
    """What is remembered of a user."""

    name: str | None = None


@dataclass
class ConversationData:
    """What is remembered of a conversation."""

    timestamp: str | None = None
    channel_id: str | None = None
    prompted_for_user_name: bool = False


class StateManagementBot(ActivityHandler):
    """The sample's bot."""

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.conversation_data_accessor = conversation_state.create_property("ConversationData")
        self.user_profile_accessor = user_state.create_property("UserProfile")

    async def on_turn(self, turn_context: TurnContext) -> None:
        """Save what the turn has changed."""
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        """Welcome who joins."""
        for member in members_added:
            if member.id != turn_context.activity.recipient.id:
                await turn_context.send_activity(
                    "Welcome to State Bot Sample. Type anything to get started."
                )

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Ask the name once, then echo."""
        user_profile = await self.user_profile_accessor.get(turn_context, UserProfile)
        conversation_data = await self.conversation_data_accessor.get(
            turn_context, ConversationData
        )
        if user_profile.name is None:
            if conversation_data.prompted_for_user_name:
                user_profile.name = turn_context.activity.text
                await turn_context.send_activity(
                    f"Thanks {user_profile.name}. To see conversation data, type anything."
                )
                conversation_data.prompted_for_user_name = False
            else:
                await turn_context.send_activity("What is your name?")
                conversation_data.prompted_for_user_name = True
        else:
            conversation_data.timestamp = local_time(turn_context.activity.timestamp)
            conversation_data.channel_id = turn_context.activity.channel_id
            await turn_context.send_activity(
                f"{user_profile.name} sent: {turn_context.activity.text}"
            )
            await turn_context.send_activity(f"Message received at: {conversation_data.timestamp}")
            await turn_context.send_activity(
                f"Message received from: {conversation_data.channel_id}"
            )


def local_time(utc: datetime) -> str:
    """Return the time on the server's clock, as the sample does."""
    now = time.time()
    offset = datetime.fromtimestamp(now) - datetime.utcfromtimestamp(now)  # noqa: DTZ004, DTZ006 (the sample's)
    return str(utc + offset)
