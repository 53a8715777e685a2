"""
The Bot Framework SDK, as its State Management sample and the article on storage use it.

https://learn.microsoft.com/azure/bot-service/bot-builder-howto-v4-state and -storage
"""

import time
from datetime import datetime
from types import SimpleNamespace

import azure.functions as func
from azure.cosmos import documents
from botbuilder.azure import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
from botbuilder.core import ActivityHandler, ConversationState, TurnContext, UserState
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import Activity, ChannelAccount

from benchmarks.stacks.cosmos import CONTAINER_ID, DATABASE_ID, ENDPOINT, KEY


class UserProfile:
    """What is remembered of a user."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name


class ConversationData:
    """What is remembered of a conversation."""

    def __init__(
        self,
        timestamp: str | None = None,
        channel_id: str | None = None,
        prompted_for_user_name: bool = False,
    ) -> None:
        self.timestamp = timestamp
        self.channel_id = channel_id
        self.prompted_for_user_name = prompted_for_user_name


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


def create_storage() -> CosmosDbPartitionedStorage:
    """Connect as the article says; the local server's certificate cannot be verified."""
    policy = documents.ConnectionPolicy()
    policy.DisableSSLVerification = True
    return CosmosDbPartitionedStorage(
        CosmosDbPartitionedConfig(
            cosmos_db_endpoint=ENDPOINT,
            auth_key=KEY,
            database_id=DATABASE_ID,
            container_id=CONTAINER_ID,
            cosmos_client_options={"connection_policy": policy},
        )
    )


STORAGE = create_storage()
BOT = StateManagementBot(ConversationState(STORAGE), UserState(STORAGE))
# Without an app id: authentication is off, here as in the other stacks.
ADAPTER = CloudAdapter(
    ConfigurationBotFrameworkAuthentication(SimpleNamespace(APP_ID="", APP_PASSWORD=""))
)


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one activity, as `CloudAdapter.process` does for aiohttp's requests."""
    activity = Activity().deserialize(req.get_json())
    await ADAPTER.process_activity(req.headers.get("Authorization", ""), activity, BOT.on_turn)
    return func.HttpResponse(status_code=201)
