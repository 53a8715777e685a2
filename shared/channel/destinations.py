"""
Where replies may go.

The service URL comes with the activity, so anyone who can post one could have the bot post its
token and its replies anywhere, or into the network that it runs in.
"""

from shared.errors import NotPermitted
from shared.urls import Url, is_loopback, is_private

_CONNECTOR_DOMAINS = (
    # Public Azure and Azure Government, with the regions of Direct Line and Web Chat:
    # https://learn.microsoft.com/azure/bot-service/bot-service-resources-faq-security
    # https://learn.microsoft.com/azure/bot-service/ref-oauth-redirect-urls
    "botframework.com",
    "botframework.azure.us",
    # Azure operated by 21Vianet: https://docs.azure.cn/bot-service/how-to-deploy-china-cloud
    "botframework.azure.cn",
    # Teams' first ring, as in the payloads of
    # https://learn.microsoft.com/microsoftteams/platform/bots/how-to/update-and-delete-bot-messages
    "botapi.skype.com",
)
"""Domains of the Bot Connector: they and their subdomains are Microsoft's."""

_CONNECTOR_HOSTS = frozenset(
    {
        # Teams, public and in the clouds of the US government: https://learn.microsoft.com/
        # microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
        "smba.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
        # These two: the Teams SDK's list of service hosts (CloudEnvironment of microsoft/teams.net)
        "smba.onyx.prod.teams.trafficmanager.net",
        "frontend.botapi.msg.infra.teams.microsoftonline.cn",
    }
)
"""
Hosts of the Bot Connector; their subdomains are not.

Anybody may have a name below trafficmanager.net, even one with dots in it.
"""


class Destinations:
    """The hosts that replies may be sent to."""

    def __init__(self, allowed_hosts: frozenset[str], *, development: bool) -> None:
        self._allowed_hosts = allowed_hosts
        self._development = development

    def check(self, service_url: str, came_for: str) -> None:
        """
        Accept a service URL or raise. `came_for` is the URL that the request was made to.

        A service URL on this machine counts only in a request that was made to a loopback name:
        one that came from the network may not name the services that listen here.

        Raises:
            NotPermitted: it is not https (http only on loopback, in development), has a user, a
                query or a host of more than one reading, or its host is neither the Bot
                Connector's nor allowed by the settings, or an address in a private network,
                which no setting allows.
        """
        url = Url.parse(service_url)
        if url is None or not self._is_allowed(url, came_for):
            raise NotPermitted(
                "The serviceUrl is not one that this bot replies to; see AllowedServiceHosts."
            )

    def _is_allowed(self, url: Url, came_for: str) -> bool:
        if url.has_query:
            # The path of each request is put at its end.
            return False
        if is_loopback(url.host):
            asked = Url.parse(came_for)
            return self._development and asked is not None and is_loopback(asked.host)
        if url.scheme != "https" or is_private(url.host):
            return False
        return (
            url.host in _CONNECTOR_HOSTS
            or url.host in self._allowed_hosts
            or any(url.host == d or url.host.endswith(f".{d}") for d in _CONNECTOR_DOMAINS)
        )
