"""A lock between processes. It ends when the file is closed, so no crash leaves it behind."""

import sys
from typing import IO

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
