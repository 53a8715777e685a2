"""
Which names the bot's port answers to on a developer's machine.

Without this any web page could reach it, under a name of the page's own that leads to 127.0.0.1
(DNS rebinding): to the browser that is the page's own server, which it may ask anything.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")

REFUSAL = (
    "Only requests for localhost are answered on a developer's machine. To answer for another "
    "name as well, start the bot with --allow-host NAME.\n"
)

_AUTHORITY = re.compile(r"([^:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?")
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


@dataclass(frozen=True)
class HostNames:
    """The machine's own names, and those that were allowed on purpose."""

    allowed: tuple[str, ...] = ()
    """Without ports; case does not matter."""

    def include(self, authorities: Iterable[str]) -> bool:
        """Tell whether a request that names these hosts, each perhaps with a port, is for us."""
        found = map(_AUTHORITY.fullmatch, authorities)
        return all(each and each[1].lower() in self._names for each in found)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset((*LOCAL_NAMES, *map(str.lower, self.allowed)))


def is_host_name(text: str) -> bool:
    """Tell whether the text is a host name or an IPv4 address, without a port."""
    return _NAME.fullmatch(text) is not None
