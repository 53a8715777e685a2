"""
The adapter that turns run under: the SDK's, with what its samples also ask of one.
"""

from typing import Any

from botbuilder.core import CloudAdapterBase, TurnContext
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import ClaimsIdentity

from shared.channel.teams_info import free_the_event_loop


class ChannelAdapter(CloudAdapterBase):
    """The SDK's CloudAdapter, which has left that out that BotFrameworkAdapter had."""

    async def create_connector_client(
        self,
        service_url: str,
        identity: ClaimsIdentity | None = None,
        audience: str | None = None,
    ) -> ConnectorClient:
        """Return a client for a service: to upload an attachment, say. `identity` is the bot's."""
        factory = self.bot_framework_authentication.create_connector_factory(identity)
        return await factory.create(service_url, audience)

    def _create_turn_context(self, *arguments: Any) -> TurnContext:
        free_the_event_loop()
        return super()._create_turn_context(*arguments)
