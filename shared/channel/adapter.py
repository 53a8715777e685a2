"""
The adapter that turns run under: the SDK's, with what its samples also ask of one.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import CloudAdapterBase, TurnContext
from botbuilder.schema import Activity, ConversationParameters
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity

from shared.channel.destinations import Destinations
from shared.channel.teams_info import free_the_event_loop


class ChannelAdapter(CloudAdapterBase):
    """
    The SDK's CloudAdapter, with what it has left out of BotFrameworkAdapter.

    Conversations are continued and begun only where the bot may send replies to.
    """

    def __init__(
        self, authentication: BotFrameworkAuthentication, destinations: Destinations
    ) -> None:
        super().__init__(authentication)
        self._destinations = destinations

    async def create_connector_client(
        self,
        service_url: str,
        identity: ClaimsIdentity | None = None,
        audience: str | None = None,
    ) -> ConnectorClient:
        """Return a client for a service: to upload an attachment, say. `identity` is the bot's."""
        factory = self.bot_framework_authentication.create_connector_factory(identity)
        return await factory.create(service_url, audience)

    async def process_proactive(
        self,
        claims_identity: ClaimsIdentity,
        continuation_activity: Activity,
        audience: str | None,
        logic: Callable[[TurnContext], Awaitable[object]],
    ) -> None:
        """
        Run `logic` in a conversation.

        Raises:
            NotPermitted: the bot may not send to its service.
        """
        self._check(continuation_activity.service_url)
        await super().process_proactive(claims_identity, continuation_activity, audience, logic)

    async def create_conversation(  # the SDK's signature
        self,
        bot_app_id: str,
        callback: Callable[[TurnContext], Awaitable[object]] | None = None,
        conversation_parameters: ConversationParameters | None = None,
        channel_id: str | None = None,
        service_url: str | None = None,
        audience: str | None = None,
    ) -> None:
        """
        Begin a conversation and run `callback` in it.

        Raises:
            NotPermitted: the bot may not send to its service.
        """
        if service_url:
            self._check(service_url)
        await super().create_conversation(
            bot_app_id, callback, conversation_parameters, channel_id, service_url, audience
        )

    def _check(self, service_url: str) -> None:
        # No request has come from there: a service on this machine is allowed only on a developer's
        # machine.
        self._destinations.check(service_url, came_for=service_url)

    def _create_turn_context(self, *arguments: Any) -> TurnContext:
        free_the_event_loop()
        return super()._create_turn_context(*arguments)
