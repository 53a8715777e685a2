"""Where the Bot Framework lives: public Azure, Azure Government, or as the settings override it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from botframework.connector.auth import AuthenticationConstants, GovernmentConstants

from shared.settings import ChannelOverrides


@dataclass(frozen=True)
class Cloud:
    """The addresses that a bot and the Bot Connector have to agree on."""

    login_url: str
    """Where tokens are issued: scheme and host; an override may carry the tenant as its path."""
    default_tenant: str
    """Issues the tokens of MultiTenant bots."""
    oauth_scope: str
    """The audience of the bot's tokens for the Bot Connector."""
    oauth_url: str
    """The token service that keeps users' sign-ins."""
    token_issuer: str
    """Issuer of the Bot Connector's tokens for the bot."""
    channel_metadata_url: str
    """OpenID metadata of that issuer."""
    emulator_metadata_url: str

    def authority(self, tenant_id: str) -> tuple[str, str]:
        """Return the host that issues tokens and the tenant to ask there."""
        parts = urlsplit(self.login_url)
        tenant = parts.path.strip("/").split("/")[0] or tenant_id or self.default_tenant
        return f"{parts.scheme}://{parts.netloc}", tenant


_PUBLIC = Cloud(
    login_url=AuthenticationConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX,
    default_tenant=AuthenticationConstants.DEFAULT_CHANNEL_AUTH_TENANT,
    oauth_scope=AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE,
    oauth_url=AuthenticationConstants.OAUTH_URL,
    token_issuer=AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER,
    channel_metadata_url=AuthenticationConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL,
    emulator_metadata_url=AuthenticationConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL,
)

_GOVERNMENT = Cloud(
    login_url=GovernmentConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX,
    default_tenant=GovernmentConstants.DEFAULT_CHANNEL_AUTH_TENANT,
    oauth_scope=GovernmentConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE,
    oauth_url=GovernmentConstants.OAUTH_URL_GOV,
    token_issuer=GovernmentConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER,
    channel_metadata_url=GovernmentConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL,
    emulator_metadata_url=GovernmentConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL,
)


def cloud_of(overrides: ChannelOverrides) -> Cloud:
    """Return the cloud that the settings describe."""
    base = _GOVERNMENT if overrides.channel_service else _PUBLIC
    return Cloud(
        login_url=overrides.login_url or base.login_url,
        default_tenant=base.default_tenant,
        oauth_scope=overrides.oauth_scope or base.oauth_scope,
        oauth_url=overrides.oauth_url or base.oauth_url,
        token_issuer=overrides.token_issuer or base.token_issuer,
        channel_metadata_url=overrides.channel_open_id_metadata_url or base.channel_metadata_url,
        emulator_metadata_url=overrides.emulator_open_id_metadata_url or base.emulator_metadata_url,
    )
