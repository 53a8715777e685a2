"""
The SDK's own clients, for what a turn does not need: members, uploads, users' tokens.

They are slow to make and block a thread for each request, which is why a turn's own requests do
without them. Here they are kept from blocking the event loop, and from waiting for minutes.
"""

from functools import cached_property
from typing import Any

from botframework.connector.auth import AppCredentials
from botframework.connector.auth._user_token_client_impl import _UserTokenClientImpl
from botframework.connector.token_api.aio import TokenApiClient

from shared.channel.http_pool import REQUEST_TIMEOUT_S
from shared.channel.tokens import TokenSource


class BotCredentials(AppCredentials):
    """The SDK's form of the bot's credentials for one audience."""

    def __init__(self, app_id: str, audience: str, tokens: TokenSource) -> None:
        super().__init__(app_id=app_id, oauth_scope=audience)
        self.tokens = tokens

    def get_access_token(self, force_refresh: bool = False) -> str:
        """Return a token; blocks while one is fetched, as the SDK's callers expect."""
        return self.tokens.get_blocking(self.oauth_scope)


def adapt(client: Any, credentials: AppCredentials) -> None:
    """
    Let a client of the SDK await its token, and give its requests the usual time.

    It asks its credentials for a token on the event loop, and waits for 100 s each time it tries.
    """
    client.config.connection.timeout = REQUEST_TIMEOUT_S
    if not isinstance(credentials, BotCredentials):
        return
    send = client._client.async_send

    async def send_with_token(*arguments: Any, **options: Any) -> Any:
        # From here on the credentials have the token cached.
        await credentials.tokens.get(credentials.oauth_scope)
        return await send(*arguments, **options)

    client._client.async_send = send_with_token


class UserTokens(_UserTokenClientImpl):
    """
    The SDK's UserTokenClient, whose connection is made when a bot first uses it.

    The SDK makes one in every turn; it costs 5 ms of CPU, and most bots sign nobody in.
    """

    def __init__(self, app_id: str, credentials: AppCredentials, oauth_url: str) -> None:
        # Not the base class's, which makes the connection.
        self._app_id = app_id
        self._credentials = credentials
        self._oauth_url = oauth_url

    @cached_property
    def _client(self) -> TokenApiClient:
        client = TokenApiClient(self._credentials, self._oauth_url)
        adapt(client, self._credentials)
        return client
