"""The parts of a URL that decide whether it may be trusted."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Url:
    """Scheme and host of an http or https URL."""

    scheme: str
    host: str
    """Lower case; an IPv6 literal without brackets."""

    @classmethod
    def parse(cls, value: str) -> "Url | None":
        """Return None unless it is http or https and names a host."""
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  (raises on a port that is no number)
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return cls(parts.scheme, parts.hostname)


def is_loopback(url: Url) -> bool:
    """Tell whether the host is this machine: `localhost` or a loopback address."""
    try:
        return ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def is_private(url: Url) -> bool:
    """Tell whether the host is an address that the internet does not route: private, link-local."""
    try:
        return not ip_address(url.host).is_global
    except ValueError:
        return False
