"""
Where replies may go.

The service URL comes with the activity, so whoever can post one could have the bot post its
token and its replies anywhere, or into the network that it runs in.
"""

from shared.errors import NotPermitted
from shared.urls import Url, is_loopback, is_private

_CONNECTOR_HOSTS = (
    # https://learn.microsoft.com/azure/bot-service/bot-service-resources-faq-security
    "botframework.com",
    "botframework.azure.us",
    # Teams: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
    "smba.trafficmanager.net",
    "smba.infra.gcc.teams.microsoft.com",
    "smba.infra.gov.teams.microsoft.us",
    "smba.infra.dod.teams.microsoft.us",
)
"""Hosts of the Bot Connector; their subdomains (`directline.botframework.com`) belong to them."""


class Destinations:
    """The hosts that replies may be sent to."""

    def __init__(self, allowed_hosts: frozenset[str], *, development: bool) -> None:
        self._allowed_hosts = allowed_hosts
        self._development = development

    def check(self, service_url: str) -> None:
        """
        Accept a service URL or raise.

        Raises:
            NotPermitted: it is not https (http only on loopback, in development), or its host is
                neither the Bot Connector's nor allowed by the settings, or an address in a
                private network, which no setting allows.
        """
        url = Url.parse(service_url)
        if url is None or not self._is_allowed(url):
            raise NotPermitted(
                "The serviceUrl is not one that this bot replies to; see AllowedServiceHosts."
            )

    def _is_allowed(self, url: Url) -> bool:
        if is_loopback(url):
            return self._development
        if url.scheme != "https" or is_private(url):
            return False
        return url.host in self._allowed_hosts or any(
            url.host == host or url.host.endswith(f".{host}") for host in _CONNECTOR_HOSTS
        )
