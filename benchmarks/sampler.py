"""Where a process's CPU time goes, by the part of the software that uses it."""

import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from types import FrameType

INTERVAL_S = 0.001
"""In CPU time, not by the clock; the kernel's own interval may be longer."""

PARTS = {
    "the bot": ("/shared/bot/", "/benchmarks/stacks/"),
    "atomic turns": ("/shared/turns/",),
    "state documents": ("/shared/storage/", "/msgspec/"),
    "endpoint, authentication, replies": ("/shared/", "/MessagesFunction/"),
    "the SDK": (
        *("/botbuilder/", "/botframework/", "/msrest/", "/jsonpickle/", "/isodate/"),
        *("/microsoft_agents/", "/pydantic/"),
    ),
    "azure-cosmos, azure-core": ("/azure/cosmos/", "/azure/core/"),
    "HTTP": (
        *("/aiohttp/", "/yarl/", "/multidict/", "/http/client.py"),
        *("/requests/", "/urllib3/", "/requests_oauthlib/"),
    ),
    "event loop, TLS, sockets": ("/asyncio/", "/ssl.py", "/socket.py", "/selectors.py"),
    "the benchmark's front": ("/benchmarks/", "/local/", "/azure/functions/"),
}
"""A path belongs to the first part that it matches; without one, to the part of its caller."""

REST = "other"


def part_of(paths: Iterable[str]) -> str:
    """Return the part that a stack of source files, the innermost first, is working for."""
    for path in paths:
        for part, markers in PARTS.items():
            if any(marker in path for marker in markers):
                return part
    return REST


class Sampler:
    """Notes at intervals of CPU time which part the main thread is working for."""

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()
        """How many samples each part has."""

    def start(self) -> None:
        """Take samples until the process ends, by os._exit: a signal at the end would kill it."""
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def _take(self, _signal: int, frame: FrameType | None) -> None:
        self.samples[part_of(_paths(frame))] += 1


def _paths(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back
