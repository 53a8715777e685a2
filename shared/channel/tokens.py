"""Bearer tokens for the Bot Connector: cached, renewed early, fetched off the event loop."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.channel.clouds import Cloud
from shared.channel.single_flight import SingleFlight
from shared.connections.threads import Threads
from shared.errors import TokenUnavailable
from shared.settings import AppType, Identity

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

RENEW_BEFORE_S = 600
"""Renewed in the background from here on: tokens live an hour or a day, so this is early enough."""

EXPIRED_BEFORE_S = 60
"""Not used any more from here on: it has to last for the way to the channel."""

FETCH_TIMEOUT_S = 5
"""For one attempt of a fetch, in which a user waits for the reply."""

FETCH_RETRIES = 2
"""Then the turn fails, and the next one tries again."""

THREADS = 2
"""A bot has one audience, or two with skills."""


class TokenSource:
    """One token per audience, for as long as it lasts, with one fetch at a time."""

    def __init__(
        self, fetch: Callable[[str], "AccessToken"], clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._tokens: dict[str, AccessToken] = {}
        self._fetches: dict[str, SingleFlight] = {}
        self._threads = Threads("token", THREADS)

    async def get(self, audience: str) -> str:
        """
        Return a token that lasts for at least `EXPIRED_BEFORE_S`.

        Raises:
            TokenUnavailable: there is none, and none could be fetched.
        """
        lasts_s = self._lasts_s(audience)
        if lasts_s < EXPIRED_BEFORE_S:
            await self._fetch_of(audience).join()
        elif lasts_s < RENEW_BEFORE_S:
            self._fetch_of(audience).start()
        return self._tokens[audience].token

    def get_blocking(self, audience: str) -> str:
        """Return a token to the SDK's synchronous clients, which know no event loop."""
        if self._lasts_s(audience) < EXPIRED_BEFORE_S:
            self._tokens[audience] = self._fetch(audience)
        return self._tokens[audience].token

    def _lasts_s(self, audience: str) -> float:
        token = self._tokens.get(audience)
        return token.expires_on - self._clock() if token else 0

    def _fetch_of(self, audience: str) -> SingleFlight:
        async def fetch() -> None:
            self._tokens[audience] = await self._threads.run(self._fetch, audience)

        if audience not in self._fetches:
            self._fetches[audience] = SingleFlight(fetch, "No token for the Bot Connector")
        return self._fetches[audience]


def token_fetcher(identity: Identity, cloud: Cloud) -> Callable[[str], "AccessToken"]:
    """
    Return the blocking call that gets the bot's token for an audience from Microsoft Entra ID.

    It raises TokenUnavailable, with what to do about it.
    """
    credential: TokenCredential | None = None

    def fetch(audience: str) -> "AccessToken":
        # 0.2 s of imports, which an app in development never needs.
        from azure.core.exceptions import AzureError

        nonlocal credential
        credential = credential or _credential(identity, cloud)
        try:
            return credential.get_token(f"{audience.rstrip('/')}/.default")
        except AzureError as error:
            raise TokenUnavailable(_what_to_do(identity)) from error

    return fetch


def _credential(identity: Identity, cloud: Cloud) -> "TokenCredential":
    from azure.identity import ClientSecretCredential, ManagedIdentityCredential

    patience: dict[str, Any] = {
        "connection_timeout": FETCH_TIMEOUT_S,
        "read_timeout": FETCH_TIMEOUT_S,
        "retry_total": FETCH_RETRIES,
    }
    if identity.app_type is AppType.USER_ASSIGNED_MSI:
        return ManagedIdentityCredential(client_id=identity.app_id, **patience)
    authority, tenant = cloud.authority(identity.tenant_id)
    return ClientSecretCredential(
        tenant,
        identity.app_id,
        identity.password,
        authority=authority,
        # The settings decide on the authority: asking Microsoft whether it is one costs a
        # request, and fails for any that is not Microsoft's.
        disable_instance_discovery=True,
        **patience,
    )


def _what_to_do(identity: Identity) -> str:
    if identity.app_type is AppType.USER_ASSIGNED_MSI:
        return (
            f"The managed identity {identity.app_id} gives no token. Attach it to the function app "
            "(Identity > User assigned) and check that MicrosoftAppId is its client id."
        )
    return (
        f"Microsoft Entra ID gives the app {identity.app_id} no token. Check that "
        "MicrosoftAppPassword is a client secret of that app which has not expired, and that "
        "MicrosoftAppTenantId is its tenant."
    )
