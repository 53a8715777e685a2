"""
The Bot Framework SDK, as its State Management sample and the article on storage use it.

https://learn.microsoft.com/azure/bot-service/bot-builder-howto-v4-state and -storage
"""

from types import SimpleNamespace

import azure.functions as func
from azure.cosmos import documents
from botbuilder.azure import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
from botbuilder.core import ConversationState, UserState
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import Activity

from benchmarks.stacks.cosmos import CONTAINER_ID, DATABASE_ID, ENDPOINT, KEY
from benchmarks.stacks.sample import StateManagementBot


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
