"""
Who is speaking.

The SDK's own token validation is the judge. Replaced are its cache of signing keys (see `keys`),
the connectors that it builds anew in every turn (see `connectors`), and its verdict: it tells a
missing token, a malformed one and a forbidden one apart by the text of many kinds of exception.
"""

import logging
from copy import copy
from functools import cached_property
from typing import Any

import jwt
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AppCredentials,
    AuthenticateRequestResult,
    AuthenticationConfiguration,
    BotFrameworkAuthentication,
    BotFrameworkAuthenticationFactory,
    ClaimsIdentity,
    JwtTokenExtractor,
    ServiceClientCredentialsFactory,
    SkillValidation,
)
from botframework.connector.auth._user_token_client_impl import _UserTokenClientImpl
from botframework.connector.skills import BotFrameworkClient

from shared.channel.clouds import Cloud
from shared.channel.connectors import ConnectorPool
from shared.channel.http import HttpPool
from shared.channel.keys import SigningKeys
from shared.errors import BotApplicationError, NotAuthenticated, NotPermitted
from shared.settings import ChannelOverrides

_logger = logging.getLogger(__name__)


class ChannelAuthentication(BotFrameworkAuthentication):
    """
    Authenticates requests from the channel.

    `app_id` is empty where authentication is off: then a request without a token is accepted,
    and one with a token is not.
    """

    def __init__(
        self,
        app_id: str,
        cloud: Cloud,
        overrides: ChannelOverrides,
        connectors: ConnectorPool,
        http: HttpPool,
    ) -> None:
        self._app_id = app_id
        self._cloud = cloud
        self._connectors = connectors
        self._sdk = _sdk_authentication(app_id, cloud, overrides, connectors)
        for url in (cloud.channel_metadata_url, cloud.emulator_metadata_url):
            # The only place where the SDK lets one put another cache in. It is global.
            JwtTokenExtractor.metadataCache[url] = SigningKeys(url, http)

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """
        Validate the token that came with an activity.

        Raises:
            NotAuthenticated: there is none, or it is not valid for this bot.
            NotPermitted: it is valid, but not for this activity.
            KeysUnavailable: it cannot be checked at the moment.
        """
        if auth_header:
            _check_form(auth_header)
        try:
            result = await self._validate(activity, auth_header)
        except NotAuthenticated:
            if await self._is_for_another_service(activity, auth_header):
                raise NotPermitted("The token is for another serviceUrl.") from None
            raise
        result.connector_factory = self._connectors
        return result

    async def _validate(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        try:
            # None, because half of the SDK takes an empty header for a token.
            result = await self._sdk.authenticate_request(activity, auth_header or None)
        except BotApplicationError:
            raise
        except Exception as error:
            # The form is checked: the one bare Exception left is that of the endorsements.
            if type(error) is Exception:
                raise NotPermitted("The token is not endorsed for this channel.") from error
            # PermissionError and PyJWTError on purpose; on claims that it does not expect the
            # SDK also fails in other ways. Whatever it is, nobody gets in.
            _logger.warning("A request was not authenticated: %s", type(error).__name__)
            raise NotAuthenticated("The request carries no valid token for this bot.") from error
        # Of an emulator's token the SDK checks by whom it was asked for, and not for whom it is:
        # the token that the bot itself sends to the channel would do.
        if auth_header and result.claims_identity.get_claim_value("aud") != self._app_id:
            raise NotAuthenticated("The token is not for this bot.")
        return result

    async def _is_for_another_service(self, activity: Activity, auth_header: str) -> bool:
        """Tell whether the SDK accepts the token for the service URL that it was issued for."""
        if not auth_header:
            return False
        claims = jwt.decode(auth_header.partition(" ")[2], options={"verify_signature": False})
        service_url = claims.get("serviceurl")
        if not service_url or service_url == activity.service_url:
            return False
        as_the_token_says = copy(activity)
        as_the_token_says.service_url = service_url
        try:
            await self._validate(as_the_token_says, auth_header)
        except BotApplicationError:
            return False
        return True

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


def _check_form(auth_header: str) -> None:
    """
    Refuse what is no token signed with RS256, before the SDK sees it.

    The SDK meets some of these with bare Exceptions, and decides by claims that nobody has
    verified yet which of its validations applies.
    """
    token = auth_header.partition(" ")[2]
    try:
        algorithm = jwt.get_unverified_header(token).get("alg")
        jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise NotAuthenticated("The Authorization header carries no token.") from error
    if algorithm != "RS256":
        raise NotAuthenticated("The token must be signed with RS256.")


async def _refuse_skills(claims: dict[str, Any] | list[dict[str, Any]]) -> None:
    # The SDK calls its claims validator with a list of claims, or in Azure's clouds without.
    if SkillValidation.is_skill_claim(claims if isinstance(claims, dict) else claims[0]):
        raise NotPermitted("This bot takes no activities from other bots.")


def _sdk_authentication(
    app_id: str, cloud: Cloud, overrides: ChannelOverrides, connectors: ConnectorPool
) -> BotFrameworkAuthentication:
    credentials = _CredentialsOfOneApp(app_id, connectors)
    configuration = AuthenticationConfiguration(claims_validator=_refuse_skills)
    if overrides == ChannelOverrides(channel_service=overrides.channel_service):
        return BotFrameworkAuthenticationFactory.create(
            channel_service=overrides.channel_service,
            credential_factory=credentials,
            auth_configuration=configuration,
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
        auth_configuration=configuration,
    )
