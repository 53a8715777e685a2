"""
Who is speaking.

The SDK's own token validation is the judge. It is asked in two steps: whether a token is genuine,
for which the activity is not needed and not read, and whether it is for this activity. Replaced
are the SDK's cache of signing keys (see `signing_keys`), the connectors that it builds again in
every turn (see `connectors`), and its verdict: it tells a missing token, a malformed one and a
forbidden one apart by the text of many kinds of exception.
"""

import logging
from dataclasses import replace
from functools import cached_property
from typing import Any, NoReturn

import jwt
from botbuilder.schema import Activity
from botframework.connector.auth import (
    AppCredentials,
    AuthenticateRequestResult,
    AuthenticationConfiguration,
    BotFrameworkAuthentication,
    BotFrameworkAuthenticationFactory,
    ClaimsIdentity,
    EmulatorValidation,
    EndorsementsValidator,
    JwtTokenExtractor,
    ServiceClientCredentialsFactory,
    SkillValidation,
)
from botframework.connector.skills import BotFrameworkClient

from shared.channel.clouds import Cloud
from shared.channel.connectors import ConnectorPool
from shared.channel.http_pool import HttpPool
from shared.channel.sdk_clients import UserTokens
from shared.channel.signing_keys import SigningKeys
from shared.errors import BotApplicationError, NotAuthenticated, NotPermitted
from shared.settings import ChannelOverrides

MAX_HEADER_CHARACTERS = 16 * 1024
"""The Bot Connector's tokens have about 1,000, Microsoft Entra ID's up to 8,000."""

_EMULATOR_ISSUERS = EmulatorValidation.TO_BOT_FROM_EMULATOR_TOKEN_VALIDATION_PARAMETERS.issuer

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

    async def authenticate(self, auth_header: str) -> AuthenticateRequestResult:
        """
        Find out who speaks, by the token alone.

        Raises:
            NotAuthenticated: there is none, or it is not valid for this bot.
            NotPermitted: it is another bot's.
            SigningKeysUnavailable: it cannot be checked at the moment.
        """
        if not auth_header and self._app_id:
            raise NotAuthenticated("The request carries no token.")
        if auth_header:
            self._check_claims(_claims(auth_header))
        result = await self._validate(auth_header)
        result.connector_factory = self._connectors
        return result

    async def permit(
        self,
        caller: AuthenticateRequestResult,
        auth_header: str,
        channel_id: str,
        service_url: str,
    ) -> None:
        """
        Check an activity against the token that came with it, which is known to be genuine.

        Raises:
            NotPermitted: it is for another service URL, or not endorsed for the channel.
        """
        claims = caller.claims_identity.claims
        if not claims:
            # Authentication is off.
            return
        is_emulator = claims["iss"] in _EMULATOR_ISSUERS
        if not is_emulator and claims.get("serviceurl") != service_url:
            raise NotPermitted("The token is for another serviceUrl.")
        keys = JwtTokenExtractor.get_open_id_metadata(
            self._cloud.emulator_metadata_url if is_emulator else self._cloud.channel_metadata_url
        )
        key = await keys.get(jwt.get_unverified_header(auth_header.partition(" ")[2])["kid"])
        if key.endorsements and not EndorsementsValidator.validate(channel_id, key.endorsements):
            raise NotPermitted("The token is not endorsed for this channel.")

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """Do both steps. Raises what `authenticate` and `permit` raise."""
        caller = await self.authenticate(auth_header)
        await self.permit(caller, auth_header, activity.channel_id, activity.service_url)
        return caller

    def _check_claims(self, claims: dict[str, Any]) -> None:
        """
        Refuse a token for what it says about itself, before a key is looked up for it.

        Nothing is believed yet: what passes here, the SDK checks with the signature.
        """
        # Of an emulator's token the SDK checks which app requested it, but not which app it is for:
        # the token that the bot itself sends to the channel would do.
        if not self._app_id or claims.get("aud") != self._app_id:
            _refuse("the audience is another")
        # Without it a token is valid for ever, and the SDK takes a string for a number.
        if not _is_number(claims.get("exp")):
            _refuse("it does not say when it ends")
        if not all(_is_number(claims.get(name, 0)) for name in ("nbf", "iat")):
            _refuse("it does not say since when it is valid")
        issuer = claims.get("iss")
        if not isinstance(issuer, str):
            _refuse("it names no issuer")
        if issuer == self._cloud.token_issuer:
            if not isinstance(claims.get("serviceurl"), str):
                _refuse("it is for no service URL")
        # A developer who has the bot's own credentials sends an app's token. A user's token is no
        # proof: any app that the user signs in to may get one.
        elif "scp" in claims or claims.get("idtyp") == "user":
            _refuse("it is a user's and not an app's")

    async def _validate(self, auth_header: str) -> AuthenticateRequestResult:
        # An activity without a channel and a service URL: the SDK then leaves out what only
        # `permit` can tell, and nothing else.
        activity = Activity(channel_id=None, service_url=None)
        try:
            # None, because half of the SDK takes an empty header to be a token.
            return await self._sdk.authenticate_request(activity, auth_header or None)
        except BotApplicationError:
            raise
        except Exception as error:
            # PermissionError and PyJWTError on purpose; on claims that it does not expect the
            # SDK also fails in other ways. Whatever it is, nobody gets in.
            _refuse(type(error).__name__, error)

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

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> UserTokens:
        """Return the client of the service that keeps users' sign-ins."""
        return self._user_tokens

    def create_bot_framework_client(self) -> BotFrameworkClient:
        """Return a client that calls skills."""
        return self._sdk.create_bot_framework_client()

    def get_originating_audience(self) -> str:
        """Return the audience of the bot's tokens for the Bot Connector."""
        return self._cloud.oauth_scope

    @cached_property
    def _user_tokens(self) -> UserTokens:
        credentials = self._connectors.credentials(self._cloud.oauth_scope)
        return UserTokens(self._app_id, credentials, self._cloud.oauth_url)


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


def _claims(auth_header: str) -> dict[str, Any]:
    """
    Return what a token says about itself; refuse anything but a token signed with RS256.

    The SDK meets some of these with bare Exceptions, and decides by claims that nobody has
    verified yet which of its validations applies.
    """
    scheme, _, token = auth_header.partition(" ")
    if scheme != "Bearer" or len(auth_header) > MAX_HEADER_CHARACTERS:
        raise NotAuthenticated("The Authorization header carries no bearer token.")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    # ValueError: bytes of a header that are not UTF-8 may come as surrogates.
    except (jwt.PyJWTError, ValueError) as error:
        raise NotAuthenticated("The Authorization header carries no token.") from error
    if parts["header"].get("alg") != "RS256":
        raise NotAuthenticated("The token must be signed with RS256.")
    claims: dict[str, Any] = parts["payload"]
    return claims


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(reason: str, error: Exception | None = None) -> NoReturn:
    # What the token says is not repeated: a forger could have chosen it.
    _logger.warning("A request was not authenticated: %s.", reason)
    raise NotAuthenticated("The request carries no valid token for this bot.") from error


async def _refuse_skills(claims: dict[str, Any] | list[dict[str, Any]]) -> None:
    # The SDK calls its claims validator with a list of claims, or in Azure's clouds without.
    if SkillValidation.is_skill_claim(claims if isinstance(claims, dict) else claims[0]):
        raise NotPermitted("This bot takes no activities from other bots.")


def _sdk_authentication(
    app_id: str, cloud: Cloud, overrides: ChannelOverrides, connectors: ConnectorPool
) -> BotFrameworkAuthentication:
    credentials = _CredentialsOfOneApp(app_id, connectors)
    configuration = AuthenticationConfiguration(claims_validator=_refuse_skills)
    # Where users' tokens are kept has no influence on who may speak.
    if replace(overrides, oauth_url="") == ChannelOverrides(overrides.channel_service):
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
