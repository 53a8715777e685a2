"""
Which runs are under way, known outside of the process that they are in.

In Azure the host knows them: when its worker dies they have failed. Here they are in the process
that dies. It tells each one to the process that has started it, which hands those that were left to
the next one.
"""

import contextlib
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

LAST_WORDS_S = 1.0
"""For which a dead worker's starter waits to have read what it told."""


@dataclass(frozen=True)
class Left:
    """A run that a worker's death has ended."""

    function: str
    content: bytes = field(repr=False)

    @property
    def trigger(self) -> Any:
        """What the function's listener needs to treat it as failed."""
        return pickle.loads(self.content)  # noqa: S301 (another process of this program wrote it)


class UnderWay:
    """The worker's end."""

    def __init__(self, line: Connection | None) -> None:
        """Without a line nobody is told."""
        self._line = line

    @contextlib.contextmanager
    def run(self, function: str, key: str, trigger: Any) -> Iterator[None]:
        """Tell of a run while the block lasts. `key` names it among those of the function."""
        self.tell(function, key, trigger)
        try:
            yield
        finally:
            self.tell(function, key, None)

    def tell(self, function: str, key: str, trigger: Any) -> None:
        """Tell of a run, or what has changed about it; with None, that it is over."""
        if self._line is None:
            return
        # Who has started this process may be gone. Then it ends, but not before its runs.
        with contextlib.suppress(OSError):
            # Who only keeps it need not import what it is made of.
            self._line.send((function, key, trigger and pickle.dumps(trigger)))


class Witness:
    """The starter's end. It listens until the worker is gone."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._runs: dict[tuple[str, str], bytes] = {}
        self._thread = threading.Thread(target=self._listen, name="witness", daemon=True)
        self._thread.start()

    def left(self) -> tuple[Left, ...]:
        """Return what was under way when the worker died."""
        # What the worker had started may live on, and hold the line open.
        self._thread.join(LAST_WORDS_S)
        return tuple(Left(function, content) for (function, _), content in self._runs.items())

    def _listen(self) -> None:
        with self._line, contextlib.suppress(EOFError, OSError):
            while True:
                function, key, content = self._line.recv()
                if content is None:
                    self._runs.pop((function, key), None)
                else:
                    self._runs[function, key] = content
