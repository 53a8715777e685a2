"""
The files that make up the function app, and which of them have changed.

By looking at them again and again: a template has a few dozen files, and notifications do not
cross the borders of virtual machines, containers and network drives.
"""

import os
from pathlib import Path

_SUFFIXES = (".py", ".json")
# What no function imports. Folders whose name begins with a dot are skipped as well.
_OTHER_FOLDERS = frozenset(
    {"__pycache__", "benchmarks", "docs", "infra", "local", "node_modules", "tests"}
)


class Sources:
    """Remembers how the files were, and tells what has changed since it was asked last."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = self._look()

    def changed(self) -> list[str]:
        """Return the changed, new and missing files, relative to the root."""
        before, self._files = self._files, self._look()
        names = {name for name, _ in before.items() ^ self._files.items()}
        return sorted(names)

    def _look(self) -> dict[str, int]:
        """Return the time of the last change of each file, in nanoseconds."""
        files = {}
        for folder, subfolders, names in os.walk(self._root):
            subfolders[:] = [
                name for name in subfolders if name not in _OTHER_FOLDERS and name[0] != "."
            ]
            for name in names:
                if name.endswith(_SUFFIXES) and name != "dev.py":
                    path = os.path.join(folder, name)
                    try:
                        files[os.path.relpath(path, self._root)] = os.stat(path).st_mtime_ns
                    except FileNotFoundError:
                        continue
        return files
