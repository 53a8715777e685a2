"""Replies, and the token that goes with them, go to the Bot Connector and nowhere else."""

import pytest

from shared.channel.destinations import Destinations
from shared.errors import NotPermitted

ALLOWED = frozenset({"connector.example"})


@pytest.mark.parametrize(
    "service_url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://SMBA.trafficmanager.net/emea/",
        "https://directline.botframework.com/",
        "https://webchat.botframework.com",
        "https://pod.directline.botframework.azure.us/",
        "https://smba.infra.gcc.teams.microsoft.com/gcc/",
        "https://connector.example:8443/path",
    ],
)
def test_the_connectors_hosts_are_replied_to(service_url: str) -> None:
    """The Bot Connector's hosts and those of AllowedServiceHosts are accepted over https."""
    Destinations(ALLOWED, development=False).check(service_url)


@pytest.mark.parametrize(
    "service_url",
    [
        "http://smba.trafficmanager.net/emea/",
        "https://evil.example/",
        "https://botframework.com.evil.example/",
        "https://evilbotframework.com/",
        "https://sub.connector.example/",
        "https://directline.botframework.com@evil.example/",
        "https://evil.trafficmanager.net/",
        "https://169.254.169.254/metadata",
        "https://10.0.0.4/",
        "https://[fe80::1]/",
        "http://localhost:56150",
        "https://127.0.0.1/",
        "ftp://smba.trafficmanager.net/",
        "//smba.trafficmanager.net/",
        "smba.trafficmanager.net",
        "https:///x",
        "https://[::1",
        "https://smba.trafficmanager.net:port/",
        "urn:botframework:websocket:x",
        "",
    ],
)
def test_other_hosts_get_nothing(service_url: str) -> None:
    """Any other address is refused before a connection is made."""
    with pytest.raises(NotPermitted):
        Destinations(ALLOWED, development=False).check(service_url)


@pytest.mark.parametrize(
    "service_url", ["http://localhost:56150/_connector", "http://127.0.0.1:1/", "http://[::1]:1/"]
)
def test_a_local_channel_is_replied_to_in_development(service_url: str) -> None:
    """On a developer's machine the channel may be a program on the same machine."""
    Destinations(frozenset(), development=True).check(service_url)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.4", "192.168.1.1", "172.16.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]"],
)
def test_no_setting_opens_a_private_network(address: str) -> None:
    """An address inside the network that the bot runs in is refused, listed or not."""
    allowed = frozenset({address.strip("[]")})

    with pytest.raises(NotPermitted):
        Destinations(allowed, development=False).check(f"https://{address}/")


def test_development_opens_nothing_but_loopback() -> None:
    """A developer's machine still sends nothing to strangers."""
    with pytest.raises(NotPermitted):
        Destinations(frozenset(), development=True).check("http://192.168.0.1:56150")
