"""
The parts of a URL that decide whether it may be trusted.

The code that opens a connection reads a URL more generously than the code that checks it:
`2130706433`, `0x7f.1` and `0177.0.0.1` are all taken for 127.0.0.1, and a host before an `@` for
a user name. So a text with more than one reading does not count as a URL here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

MAX_URL_CHARACTERS = 2048

_VISIBLE = re.compile(r"[!-\[\]-~]+")
"""ASCII without blanks, controls and the backslash, which browsers read as a slash."""

_NAME = re.compile(r"(?!.{254})(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)")
"""RFC 1123, with the underscores that containers have in their names."""

_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
"""A name that ends in a number is resolved as an address (WHATWG URL, host parsing)."""

_LOOPBACK_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"}
)
"""What /etc/hosts calls this machine; besides them, all that ends in `.localhost` (RFC 6761)."""

_BRACKETED = re.compile(r"\[[^\[\]]*\](?::[0-9]*)?")
"""An IPv6 literal and the port; Python's `urlsplit` overlooks what else stands next to it."""

_NAT64 = IPv6Network("64:ff9b::/96")

_REMEMBERED = lru_cache(maxsize=256)
"""A channel has few URLs, and each of its activities comes with one: it took 15 µs to judge."""


@dataclass(frozen=True)
class Url:
    """Scheme and host of an http or https URL, and whether there is more to it than a path."""

    scheme: str
    host: str
    """Lower case, in its one spelling; an IPv6 literal without brackets."""
    path: str
    has_query: bool
    """Whether a query or a fragment follows the path."""

    @classmethod
    @_REMEMBERED
    def parse(cls, value: str) -> "Url | None":
        """Return None unless it is http or https, names a host plainly, and names no user."""
        if len(value) > MAX_URL_CHARACTERS or not _VISIBLE.fullmatch(value):
            return None
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  (raises on a port that is no number)
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or "@" in parts.netloc:
            return None
        host = _host(parts)
        if host is None:
            return None
        return cls(parts.scheme, host, parts.path, "?" in value or "#" in value)


def host_name(value: str) -> str | None:
    """
    Return a host in its one spelling: a name in lower case, or an address; None: neither.

    A name of digits, with a trailing dot, an empty part, an escape or letters beyond ASCII is
    none: some resolvers take it for another.
    """
    if address := _address(value):
        return str(address)
    name = value.lower() if value.isascii() else ""
    return name if _NAME.fullmatch(name) and not _NUMBER.fullmatch(name) else None


@_REMEMBERED
def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: `localhost` and its like, or a loopback address."""
    if address := _address(host):
        return _target(address).is_loopback
    return host in _LOOPBACK_NAMES or host.endswith(".localhost")


@_REMEMBERED
def is_private(host: str) -> bool:
    """Tell whether a host is an address that the internet does not route: private, link-local."""
    address = _address(host)
    if address is None:
        return False
    target = _target(address)
    return not target.is_global or target.is_multicast or target.is_reserved


def _host(parts: SplitResult) -> str | None:
    name = parts.hostname or ""
    if "[" not in parts.netloc:
        return host_name(name)
    address = _address(name) if _BRACKETED.fullmatch(parts.netloc) else None
    return str(address) if isinstance(address, IPv6Address) else None


def _address(value: str) -> IPv4Address | IPv6Address | None:
    # With a scope ("fe80::1%eth0") it is an address of one machine's only.
    try:
        return None if "%" in value else ip_address(value)
    except ValueError:
        return None


def _target(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address leads to, where it is a way to write one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    # "::127.0.0.1", deprecated; the first two are "::" and "::1".
    return IPv4Address(int(address)) if 1 < int(address) < 2**32 else address
