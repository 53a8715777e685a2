"""
The documents of a turn, never read older than they are known to be.
"""

from botbuilder.core import Storage

from shared.errors import StateError
from shared.turns import stored
from shared.turns.identity import TurnIdentity
from shared.turns.stored import Stored
from shared.turns.surroundings import STORE_FAULTS, Patience


class Documents:
    """The store, as one activity on its way through sees it."""

    def __init__(self, storage: Storage, identity: TurnIdentity) -> None:
        self._storage = storage
        self._home_key = identity.home_key
        self._user_key = identity.user_key
        self._home_version = 0

    async def read_home(self, patience: Patience) -> Stored:
        """Read the home document, never an older one than was read or written before."""
        home = await self.read_at_least(self._home_version, self._home_key, patience)
        self._home_version = home.version
        return home

    async def write_home(self, home: Stored) -> Stored:
        """Write the home document; see `stored.write`."""
        written = await self.write(home)
        self._home_version = written.version
        return written

    async def read_user(self) -> Stored | None:
        """The user's document, on suspicion; whoever needs it reads it if this fails."""
        try:
            return await self.read(self._user_key) if self._user_key else None
        except StateError:
            return None

    async def read_at_least(self, version: int, key: str, patience: Patience) -> Stored:
        """
        Read a document that is not older than the version; replicas may lag behind.

        Raises:
            TurnDeadlineExceeded: there is none, or no store, for as long as patience lasts.
            StateError: for what will not get better, the store's reason.
        """
        cause: Exception | None = None
        while True:
            try:
                document = await self.read(key)
                if document.version >= version:
                    return document
            except STORE_FAULTS as error:
                cause = error
            await patience.pause(cause)

    async def read(self, key: str) -> Stored:
        """Read a document once; see `stored.read`."""
        return await stored.read(self._storage, key)

    async def write(self, document: Stored) -> Stored:
        """Write a document once; see `stored.write`."""
        return await stored.write(self._storage, document)
