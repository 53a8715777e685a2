"""Replies, and the token that goes with them, go to the Bot Connector and nowhere else."""

import pytest

from shared.channel.destinations import Destinations
from shared.errors import NotPermitted

ALLOWED = frozenset({"connector.example"})
HERE = "http://localhost:7071/api/messages"


@pytest.mark.parametrize(
    "service_url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://SMBA.trafficmanager.net/emea/",
        "https://directline.botframework.com/",
        "https://botframework.com/",
        "https://webchat.botframework.com",
        "https://pod.directline.botframework.azure.us/",
        "https://europe.directline.botframework.com/",
        "https://india.webchat.botframework.com/",
        "https://slack.botframework.com/",
        "https://directline.botframework.azure.cn/",
        "https://canary.botapi.skype.com/amer/",
        "https://smba.infra.gcc.teams.microsoft.com/gcc/",
        "https://smba.infra.gov.teams.microsoft.us/teams",
        "https://smba.infra.dod.teams.microsoft.us/teams",
        "https://smba.onyx.prod.teams.trafficmanager.net/",
        "https://frontend.botapi.msg.infra.teams.microsoftonline.cn/",
        "https://connector.example:8443/path",
    ],
)
def test_the_connectors_hosts_are_replied_to(service_url: str) -> None:
    """The Bot Connector's hosts and those of AllowedServiceHosts are accepted over https."""
    Destinations(ALLOWED, development=False).check(service_url, HERE)


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
        # Anybody may give a Traffic Manager profile a name with dots in it.
        "https://evil.smba.trafficmanager.net/",
        "https://smba.trafficmanager.net./emea/",
        "https://smba.trafficmanager.net/emea/?x=",
        "https://smba.trafficmanager.net/emea/#x",
        "https://user@smba.trafficmanager.net/emea/",
        "https://evil.example\\@smba.trafficmanager.net/",
        "https://smba%2etrafficmanager.net/",
        "https://smba.trafficmanager.net\n/",
        "https://evil.example\n.botframework.com/",
        "https://evil%00.botframework.com/",
        "https://ev\u0131l.botframework.com/",
        "https://localhost./",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.4]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://0.0.0.0/",
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
        Destinations(ALLOWED, development=False).check(service_url, HERE)


@pytest.mark.parametrize(
    "service_url", ["http://localhost:56150/_connector", "http://127.0.0.1:1/", "http://[::1]:1/"]
)
def test_a_local_channel_is_replied_to_in_development(service_url: str) -> None:
    """On a developer's machine the channel may be a program on the same machine."""
    Destinations(frozenset(), development=True).check(service_url, HERE)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "localhost.", "127.0.0.1", "localhost"])
def test_no_setting_opens_this_machine(host: str) -> None:
    """In Azure nothing goes to loopback, however a host that is listed is spelled."""
    with pytest.raises(NotPermitted):
        Destinations(frozenset({host}), development=False).check(f"https://{host}/", HERE)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.4", "192.168.1.1", "172.16.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]"],
)
def test_no_setting_opens_a_private_network(address: str) -> None:
    """An address inside the network that the bot runs in is refused, listed or not."""
    allowed = frozenset({address.strip("[]")})

    with pytest.raises(NotPermitted):
        Destinations(allowed, development=False).check(f"https://{address}/", HERE)


def test_development_opens_nothing_but_loopback() -> None:
    """A developer's machine still sends nothing to strangers."""
    with pytest.raises(NotPermitted):
        Destinations(frozenset(), development=True).check("http://192.168.0.1:56150", HERE)


@pytest.mark.parametrize(
    "came_for",
    ["http://192.168.0.7:7071/api/messages", "http://laptop.example/api/messages", "", "nonsense"],
)
def test_who_is_not_on_this_machine_names_none_of_its_services(came_for: str) -> None:
    """A bot that somebody has opened to the network posts into nothing that listens here."""
    with pytest.raises(NotPermitted):
        Destinations(frozenset(), development=True).check("http://localhost:56150", came_for)


@pytest.mark.parametrize(
    "came_for", ["http://127.0.0.1:7071/api/messages", "http://[::1]:7071/", HERE]
)
def test_a_channel_on_this_machine_is_one_to_whoever_is_on_it(came_for: str) -> None:
    """The page and the Emulator, under any of this machine's own names."""
    Destinations(frozenset(), development=True).check("http://127.0.0.1:56150/_connector", came_for)
