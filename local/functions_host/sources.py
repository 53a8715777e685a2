"""
The files that make up the function app, and which of them have changed.

By looking at them again and again: a template has a few dozen files, and notifications do not
cross the borders of virtual machines, containers and network drives.
"""

import os
from pathlib import Path

_SUFFIXES = (".py", ".json")
# Those that Python and npm fill. Folders whose name begins with a dot are skipped as well.
_FILLED_FOLDERS = frozenset({"__pycache__", "node_modules"})
# It is not deployed, but on this machine the app runs with it.
_LOCAL_SETTINGS = "local.settings.json"


class Sources:
    """Remembers how the files were, and tells what has changed since it was asked last."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._not_deployed = _not_deployed(root)
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
            skipped = _FILLED_FOLDERS
            if Path(folder) == self._root:
                skipped |= self._not_deployed
            subfolders[:] = [name for name in subfolders if name not in skipped and name[0] != "."]
            for name in names:
                if name.endswith(_SUFFIXES) and name not in skipped:
                    path = os.path.join(folder, name)
                    try:
                        files[os.path.relpath(path, self._root)] = os.stat(path).st_mtime_ns
                    except FileNotFoundError:
                        continue
        return files


def _not_deployed(root: Path) -> frozenset[str]:
    """Return what of the root no function imports: the names that .funcignore keeps back."""
    try:
        lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    names = {line.strip().removeprefix("/") for line in lines if line.startswith("/")}
    return frozenset(names - {_LOCAL_SETTINGS})
