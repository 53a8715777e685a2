"""
Who is speaking: the SDK's own token validation, with connectors that outlive the turn.

The SDK judges tokens and says so in many kinds of exception; here its verdict becomes one of
this application's errors.
"""

import logging
from functools import cached_property
from typing import Any

import jwt
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AppCredentials,
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    BotFrameworkAuthenticationFactory,
    ClaimsIdentity,
    ServiceClientCredentialsFactory,
)
from botframework.connector.auth._user_token_client_impl import _UserTokenClientImpl
from botframework.connector.skills import BotFrameworkClient

from shared.channel.clouds import Cloud
from shared.channel.connectors import ConnectorPool
from shared.errors import NotAuthenticated
from shared.settings import ChannelOverrides

_logger = logging.getLogger(__name__)


class ChannelAuthentication(BotFrameworkAuthentication):
    """
    Authenticates requests from the channel.

    `app_id` is empty where authentication is off. Then only requests without a token are
    accepted.
    """

    def __init__(
        self, app_id: str, cloud: Cloud, overrides: ChannelOverrides, connectors: ConnectorPool
    ) -> None:
        self._app_id = app_id
        self._cloud = cloud
        self._connectors = connectors
        self._sdk = _sdk_authentication(app_id, cloud, overrides, connectors)

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """
        Validate the token that came with an activity.

        Raises:
            NotAuthenticated: there is none, or it is not valid for this bot.
        """
        try:
            result = await self._sdk.authenticate_request(activity, auth_header)
        except (PermissionError, jwt.PyJWTError) as error:
            _logger.warning("A request was not authenticated: %s", error)
            raise NotAuthenticated("The request carries no valid token for this bot.") from error
        result.connector_factory = self._connectors
        return result

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        """Validate the token of a streaming connection."""
        return await self._sdk.authenticate_streaming_request(auth_header, channel_id_header)

    async def authenticate_channel_request(self, auth_header: str) -> ClaimsIdentity:
        """Validate the token of a request that carries no activity."""
        return await self._sdk.authenticate_channel_request(auth_header)

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorPool:
        """Return the worker's connectors: the app has one identity."""
        return self._connectors

    async def create_user_token_client(
        self, claims_identity: ClaimsIdentity
    ) -> "UserTokenClientOnDemand":
        """Return the client of the service that keeps users' sign-ins."""
        return self._user_tokens

    def create_bot_framework_client(self) -> BotFrameworkClient:
        """Return a client that calls skills."""
        return self._sdk.create_bot_framework_client()

    def get_originating_audience(self) -> str:
        """Return the audience of the bot's tokens for the Bot Connector."""
        return self._cloud.oauth_scope

    @cached_property
    def _user_tokens(self) -> "UserTokenClientOnDemand":
        credentials = self._connectors.credentials(self._cloud.oauth_scope)
        return UserTokenClientOnDemand(self._app_id, credentials, self._cloud.oauth_url)


class UserTokenClientOnDemand:
    """
    The SDK's UserTokenClient, made when a bot first uses it.

    The SDK makes one in every turn; it costs 5 ms of CPU, and most bots sign nobody in.
    """

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    @cached_property
    def _client(self) -> _UserTokenClientImpl:
        return _UserTokenClientImpl(*self._arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class _CredentialsOfOneApp(ServiceClientCredentialsFactory):
    """Tells the SDK which app this bot is, and hands it the pool's credentials."""

    def __init__(self, app_id: str, connectors: ConnectorPool) -> None:
        self._app_id = app_id
        self._connectors = connectors

    async def is_valid_app_id(self, app_id: str) -> bool:
        return bool(self._app_id) and app_id == self._app_id

    async def is_authentication_disabled(self) -> bool:
        return not self._app_id

    async def create_credentials(
        self, app_id: str, oauth_scope: str, login_endpoint: str, validate_authority: bool
    ) -> AppCredentials:
        return self._connectors.credentials(oauth_scope)


def _sdk_authentication(
    app_id: str, cloud: Cloud, overrides: ChannelOverrides, connectors: ConnectorPool
) -> BotFrameworkAuthentication:
    credentials = _CredentialsOfOneApp(app_id, connectors)
    if overrides == ChannelOverrides(channel_service=overrides.channel_service):
        return BotFrameworkAuthenticationFactory.create(
            channel_service=overrides.channel_service, credential_factory=credentials
        )
    # With one override the SDK wants all of them: what is not overridden is the cloud's.
    return BotFrameworkAuthenticationFactory.create(
        validate_authority=True,
        to_channel_from_bot_login_url=cloud.login_url,
        to_channel_from_bot_oauth_scope=cloud.oauth_scope,
        to_bot_from_channel_token_issuer=cloud.token_issuer,
        oauth_url=cloud.oauth_url,
        to_bot_from_channel_open_id_metadata_url=cloud.channel_metadata_url,
        to_bot_from_emulator_open_id_metadata_url=cloud.emulator_metadata_url,
        credential_factory=credentials,
    )
