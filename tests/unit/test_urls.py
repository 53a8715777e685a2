"""A URL has one reading, or it is none."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from yarl import URL

from shared.urls import Url, host_name, is_loopback, is_private


@pytest.mark.parametrize(
    ("value", "scheme", "host"),
    [
        ("https://Bot.Example/path", "https", "bot.example"),
        ("http://localhost:7071", "http", "localhost"),
        ("https://cosmos_db:8081/", "https", "cosmos_db"),
        ("https://20.1.2.3:443/", "https", "20.1.2.3"),
        ("https://[2001:DB8:0::1]:443/", "https", "2001:db8::1"),
        ("https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example"),
    ],
)
def test_a_plain_url_is_read(value: str, scheme: str, host: str) -> None:
    """Scheme and host come out in their one spelling."""
    url = Url.parse(value)

    assert url is not None
    assert (scheme, host) == (url.scheme, url.host)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bot.example",
        "//bot.example",
        "ftp://bot.example",
        "https://",
        "https:///path",
        "https://user@bot.example/",
        "https://user:password@bot.example/",
        "https://@bot.example/",
        "https://evil.example\\@bot.example/",
        "https://bot.example\\evil",
        " https://bot.example",
        "https://bot.example/\n",
        "https://bot\t.example/",
        "https://bot.example:x/",
        "https://bot.example:99999/",
        "https://bot%2eexample/",
        "https://bot..example/",
        "https://bot.example./",
        "https://bücher.example/",
        "https://\uff42ot.example/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1",
        "https://[::1]./",
        "https://bot.example[2606:4700::1]/",
        "https://[2606:4700::1]bot.example/",
        "https://[v1.fe80]/",
        "https://[fe80::1%25eth0]/",
        "https://[127.0.0.1]/",
        "https://bot.example/" + "x" * 2048,
    ],
)
def test_a_url_of_two_readings_is_none(value: str) -> None:
    """What one program reads as one host and another as another is refused."""
    assert Url.parse(value) is None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "bot.localhost",
        "127.0.0.1",
        "127.255.0.9",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_loopback_is_known_in_each_spelling(host: str) -> None:
    """This machine is this machine, also by an IPv6 address that stands for an IPv4 one."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example", "20.1.2.3", "2606:4700::1", "bot.example"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    """A name that only contains the word, and an address elsewhere, are not this machine."""
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.4",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.4",
        "64:ff9b::a00:4",
        "2002:a00:4::",
    ],
)
def test_what_the_internet_does_not_route_is_private(host: str) -> None:
    """Private, link-local, shared and multicast addresses are inside, however they are written."""
    assert is_private(host)


@given(st.from_regex(r"[0-9a-fx.]{1,20}", fullmatch=True))
def test_no_host_is_an_address_in_disguise(text: str) -> None:
    """A host of digits and dots is an address in its one spelling, or none."""
    host = host_name(text)

    assert host is None or host == text
    if host and host.rpartition(".")[2].isdigit():
        assert "." in host
        assert all(part == str(int(part)) for part in host.split("."))


# Names and addresses, most of them with something in them that makes another host of it.
HOSTS = st.builds(
    lambda host, at, sign: f"{host[:at]}{sign}{host[at:]}",
    st.from_regex(r"[A-Za-z0-9_-]{1,8}(\.[a-z0-9_-]{1,8}){0,3}(:[0-9]{1,3})?", fullmatch=True)
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.integers(0, 20),
    st.sampled_from([*[""] * 9, *"@\\/?#:[]% \t.", "%2e", "\u0131", "\uff0e", "user@", "\\@"]),
)


# Most texts are no host.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(HOSTS | st.text(max_size=40), st.from_regex(r"[!-~]{0,20}", fullmatch=True))
def test_the_client_connects_to_the_host_that_was_checked(host: str, path: str) -> None:
    """Whatever URL is accepted, the HTTP client reads the same host in it."""
    value = f"https://{host}/{path}"
    url = Url.parse(value)
    assume(url is not None)

    assert url is not None
    assert url.host == str(URL(value, encoded=True).host).lower()
