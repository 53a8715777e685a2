"""What the application asks of a store of state, wherever it keeps its documents."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from botbuilder.core import Storage


class StateStorage(Storage):
    """
    The SDK's Storage, with a contract that turns can rely on, and with connections.

    Documents are dictionaries of state properties, or single registered objects. Each carries
    its version as "e_tag". Whatever goes wrong is a StateError, unless the caller is cancelled.
    """

    @abstractmethod
    async def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """
        Return the documents there are under `keys`, each with its ETag as "e_tag".

        They are read at the same time, but not as of one moment. Nobody else has the objects
        that are returned.

        Raises:
            StateUnreadable: a document is one object, and not what the codec wrote. (Of others,
                each property that cannot be read is an `Opaque`.)
            StateThrottled, StateUnavailable, StateForbidden, StateContainerMissing: the store's
                reason, as `shared.errors` explains it.
        """

    @abstractmethod
    async def write(self, changes: dict[str, Any]) -> None:
        """
        Store each document if nobody else has written it since it was read.

        A document without "e_tag" must not exist yet; "*" stores it whatever exists. On
        success its new ETag is written back, so one turn may save twice. Several documents are
        written at the same time, each independently: after an error some may be stored and
        others not.

        StateConflict may be the echo of this very write, if the connection has repeated it; the
        caller finds out by reading.

        Raises:
            StateNotStorable: a document cannot be stored; nothing was written.
            StateTooLarge: a document has more than 2 MB.
            StateConflict: somebody else wrote first; read again and run the turn again.
            StateUnavailable: no answer; the document may be stored or not.
            StateThrottled, StateForbidden, StateContainerMissing: it is not stored.
        """

    @abstractmethod
    async def delete(self, keys: Iterable[str]) -> None:
        """
        Remove the documents there are under `keys`, whoever wrote them last.

        Raises what `read` raises for the store's own reasons.
        """

    @abstractmethod
    async def find(self, path: tuple[str, ...], unchanged_s: float) -> list[str]:
        """
        Return the keys of the documents that have something at `path`, and that nobody has written
        for `unchanged_s` seconds, by the store's own clock.

        `path` leads into plain dictionaries; the store should have an index of it.

        Raises what `read` raises for the store's own reasons.
        """

    @abstractmethod
    def encode(self, document: Any) -> bytes:
        """
        Return the JSON in UTF-8 that `write` would store for `document`.

        Raises:
            StateNotStorable: it cannot be stored.
        """

    async def connect(self) -> None:
        """
        Open what the first request would otherwise wait for, where there is something to open.

        It is optional: the other methods connect by themselves. Raises what `read` raises.
        """

    async def close(self) -> None:
        """Close what is open in every event loop. A later request opens it again."""
