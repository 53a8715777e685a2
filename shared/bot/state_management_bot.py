"""The conversation: asks each user's name once, then tells what it received, when and where."""

from botbuilder.core import ActivityHandler, ConversationState, TurnContext, UserState
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount, TextFormatTypes

from shared.bot.conversation_data import ConversationData
from shared.bot.local_time import local_time
from shared.bot.mentions import text_without_mention
from shared.bot.names import objection_to
from shared.bot.user_profile import UserProfile


class StateManagementBot(ActivityHandler):
    """
    An ordinary Bot Framework bot: all it remembers is in the two states it is handed.
    """

    def __init__(self, conversation_state: ConversationState, user_state: UserState) -> None:
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.conversation_data_accessor = conversation_state.create_property("ConversationData")
        self.user_profile_accessor = user_state.create_property("UserProfile")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def on_members_added_activity(
        self, members_added: list[ChannelAccount], turn_context: TurnContext
    ) -> None:
        bot = turn_context.activity.recipient
        if any(bot is None or member.id != bot.id for member in members_added):
            await turn_context.send_activity(
                "Welcome to State Bot Sample. Type anything to get started."
            )

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        user_profile: UserProfile = await self.user_profile_accessor.get(turn_context, UserProfile)
        conversation_data: ConversationData = await self.conversation_data_accessor.get(
            turn_context, ConversationData
        )
        user_id = turn_context.activity.from_property.id
        text = text_without_mention(turn_context.activity)

        if user_profile.name:
            conversation_data.timestamp = local_time(turn_context.activity)
            conversation_data.channel_id = turn_context.activity.channel_id
            sent = f"sent: {text}" if text else "sent a message without text."
            await turn_context.send_activity(_plain(f"{user_profile.name} {sent}"))
            await turn_context.send_activity(f"Message received at: {conversation_data.timestamp}")
            await turn_context.send_activity(
                f"Message received from: {conversation_data.channel_id}"
            )
        elif user_id not in conversation_data.prompted_for_user_name:
            await turn_context.send_activity("What is your name?")
            conversation_data.prompt(user_id)
        elif objection := await objection_to(text):
            await turn_context.send_activity(f"{objection} What is your name?")
        else:
            user_profile.name = text
            conversation_data.prompted_for_user_name.remove(user_id)
            await turn_context.send_activity(
                _plain(f"Thanks {text}. To see conversation data, type anything.")
            )


def _plain(text: str) -> Activity:
    """A reply that repeats a user's words, in which no channel may see markup."""
    return Activity(type=ActivityTypes.message, text=text, text_format=TextFormatTypes.plain)
