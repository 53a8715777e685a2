"""azure-cosmos' client, set up for turns. Each belongs to one event loop."""

from typing import TYPE_CHECKING, Any

import azure.cosmos
from azure.core import AsyncPipelineClient
from azure.core.settings import settings as azure_settings
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.aio._auth_policy_async import AsyncCosmosBearerTokenCredentialPolicy

from shared.connections.azure_transport import AzureTransport
from shared.connections.resolver import Resolver
from shared.settings import CosmosSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

CONNECT_TIMEOUT_S = 2.0

PINNED = "4.7.0"
"""The version that botbuilder-azure asks for, whose insides are known here. See docs/recipes.md."""


class ContainerClient:
    """
    The way to one container. Nothing is sent, and no connection opened, before the first request.

    Without a key in `settings`, a managed identity is used: the user-assigned one with
    `identity_client_id`, or if that is None the system-assigned one.
    """

    def __init__(
        self, settings: CosmosSettings, identity_client_id: str | None, resolver: Resolver
    ) -> None:
        self._credential: AsyncTokenCredential | None = None
        if not settings.key:
            from azure.identity.aio import ManagedIdentityCredential

            self._credential = ManagedIdentityCredential(
                client_id=identity_client_id, transport=AzureTransport(resolver)
            )
        transport = AzureTransport(resolver)
        self._client = CosmosClient(
            settings.endpoint,
            self._credential or settings.key,
            connection_verify=settings.verify_tls,
            connection_timeout=CONNECT_TIMEOUT_S,
            transport=transport,
            # What is repeated is decided by the storage. (0 would count as "not given", and leave
            # nine repetitions of a throttled request, each as late as the server likes.)
            retry_total=-1,
            # Would ask for the account, again and again, for as long as a region fails.
            enable_endpoint_discovery=False,
        )
        database = self._client.get_database_client(settings.database_id)
        self.container = database.get_container_client(settings.container_id)
        if azure.cosmos.__version__ == PINNED:
            _shorten_pipeline(self._client.client_connection, transport)
            _know_partition_key(self.container)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._credential is not None:
            await self._credential.close()


def load_managed_identity() -> None:
    """Import what a managed identity needs: 0.2 s that users of an emulator need not wait."""
    import azure.identity.aio  # noqa: F401  (loading it is the point)


def _know_partition_key(container: ContainerProxy) -> None:
    """Spare azure-cosmos the request by which it learns the key before its first write."""
    known = container.client_connection.partition_key_definition_cache
    known[container.container_link] = {"paths": ["/id"], "kind": "Hash"}


def _shorten_pipeline(connection: Any, transport: AzureTransport) -> None:
    """
    Take out of a request's way what does nothing for it, but takes a quarter of its CPU.

    The policies of azure-core repeat requests (switched off), find proxies (none), log
    headers (nowhere), and parse the answer, which azure-cosmos then parses again. With a managed
    identity, the one that brings the token stays.
    """
    connection.default_headers["User-Agent"] = connection._user_agent
    connection.pipeline_client = AsyncPipelineClient(
        base_url=connection.url_connection,
        transport=transport,
        policies=[
            policy
            for policy in connection.pipeline_client._pipeline._impl_policies
            if isinstance(policy, AsyncCosmosBearerTokenCredentialPolicy)
        ],
    )
    # Looked up in the environment by each request otherwise.
    azure_settings.tracing_enabled = azure_settings.tracing_enabled()
