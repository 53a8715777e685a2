"""A lock between processes. It ends when the file is closed, so no crash leaves it behind."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_INTERVAL_S = 0.2

if sys.platform == "win32":
    import msvcrt

    def try_to_lock(file: IO[str]) -> bool:
        """Take the lock; return False if another process has it."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_to_lock(file: IO[str]) -> bool:
        """Take the lock; return False if another process has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def lock(path: Path, tell_of_the_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock in this file, which is made where it is missing, until the block ends."""
    with path.open("w") as file:
        if not try_to_lock(file):
            tell_of_the_wait()
            while not try_to_lock(file):
                time.sleep(_INTERVAL_S)
        yield
