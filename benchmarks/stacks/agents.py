"""
The Microsoft 365 Agents SDK, the Bot Framework SDK's successor, as its documentation uses it.

https://learn.microsoft.com/microsoft-365/agents-sdk/
"""

import logging
from dataclasses import asdict, dataclass
from typing import Any

import azure.functions as func
from azure.cosmos import documents
from microsoft_agents.hosting.core import (
    AgentApplication,
    AgentAuthConfiguration,
    AnonymousTokenProvider,
    ClaimsIdentity,
    ConnectionManager,
    HttpAdapterBase,
    StoreItem,
    TurnContext,
    TurnState,
)
from microsoft_agents.storage.cosmos import CosmosDBStorage, CosmosDBStorageConfig

from benchmarks.stacks.cosmos import CONTAINER_ID, DATABASE_ID, ENDPOINT, KEY


@dataclass
class UserProfile(StoreItem):
    """What is remembered of a user."""

    name: str | None = None

    def store_item_to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json_to_store_item(json_data: dict[str, Any]) -> "UserProfile":
        return UserProfile(**json_data)


@dataclass
class ConversationData(StoreItem):
    """What is remembered of a conversation."""

    timestamp: str | None = None
    channel_id: str | None = None
    prompted_for_user_name: bool = False

    def store_item_to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json_to_store_item(json_data: dict[str, Any]) -> "ConversationData":
        return ConversationData(**json_data)


def create_storage() -> CosmosDBStorage:
    """Connect; the local server's certificate cannot be verified."""
    policy = documents.ConnectionPolicy()
    policy.DisableSSLVerification = True
    return CosmosDBStorage(
        CosmosDBStorageConfig(
            cosmos_db_endpoint=ENDPOINT,
            auth_key=KEY,
            database_id=DATABASE_ID,
            container_id=CONTAINER_ID,
            cosmos_client_options={"connection_policy": policy},
        )
    )


class FunctionsAdapter(HttpAdapterBase):
    """The SDK's adapter is made for web frameworks; Azure Functions needs nothing more."""


class FunctionsRequest:
    """An Azure Functions request as the SDK's adapter wants it."""

    def __init__(self, request: func.HttpRequest) -> None:
        self._request = request
        self.method = request.method
        self.headers = request.headers

    async def json(self) -> Any:
        return self._request.get_json()

    def get_claims_identity(self) -> ClaimsIdentity:
        # Authentication is off, here as in the other stacks.
        return ClaimsIdentity()

    def get_path_param(self, name: str) -> str:
        return str(self._request.route_params[name])


# Without an app id the SDK warns in each turn, which costs more than a turn should.
logging.getLogger("microsoft_agents").setLevel(logging.ERROR)

CONNECTIONS = ConnectionManager(
    lambda _: AnonymousTokenProvider(), {"SERVICE_CONNECTION": AgentAuthConfiguration()}
)
ADAPTER = FunctionsAdapter(connection_manager=CONNECTIONS)
BOT = AgentApplication[TurnState](
    storage=create_storage(),
    connection_manager=CONNECTIONS,
    # On by default: slow turns would send more than the other stacks' do.
    start_typing_timer=False,
)


@BOT.conversation_update("membersAdded")
async def on_members_added(context: TurnContext, _: TurnState) -> None:
    """Welcome who joins."""
    for member in context.activity.members_added:
        if member.id != context.activity.recipient.id:
            await context.send_activity(
                "Welcome to State Bot Sample. Type anything to get started."
            )


@BOT.activity("message")
async def on_message(context: TurnContext, state: TurnState) -> None:
    """Ask the name once, then echo."""
    user_profile = state.user.get_value("UserProfile", UserProfile, target_cls=UserProfile)
    conversation_data = state.conversation.get_value(
        "ConversationData", ConversationData, target_cls=ConversationData
    )
    if user_profile.name is None:
        if conversation_data.prompted_for_user_name:
            user_profile.name = context.activity.text
            await context.send_activity(
                f"Thanks {user_profile.name}. To see conversation data, type anything."
            )
            conversation_data.prompted_for_user_name = False
        else:
            await context.send_activity("What is your name?")
            conversation_data.prompted_for_user_name = True
    else:
        conversation_data.timestamp = str(context.activity.timestamp.astimezone())
        conversation_data.channel_id = context.activity.channel_id
        await context.send_activity(f"{user_profile.name} sent: {context.activity.text}")
        await context.send_activity(f"Message received at: {conversation_data.timestamp}")
        await context.send_activity(f"Message received from: {conversation_data.channel_id}")
    # What `get_value` returns is a copy.
    state.user.set_value("UserProfile", user_profile)
    state.conversation.set_value("ConversationData", conversation_data)


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one activity."""
    response = await ADAPTER.process_request(FunctionsRequest(req), BOT)
    return func.HttpResponse(status_code=response.status_code)
