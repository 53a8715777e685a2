"""local.settings.json: the application settings of a developer's machine. It may be missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.bootstrap.errors import LocalError
from local.bootstrap.ports import DEFAULT_PORT
from local.functions_host.json_files import read_json
from shared.settings import AZURE_MARKERS

# By these the Functions host and the bot know that they are deployed. A developer's container
# may have some of them as well; Windows has all names in upper case.
_MARKERS = frozenset(map(str.upper, AZURE_MARKERS))


@dataclass(frozen=True)
class LocalSettings:
    """What the file says; the defaults stand for a missing file."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int = DEFAULT_PORT

    @classmethod
    def read(cls, root: Path) -> "LocalSettings":
        """Raise LocalError if the file exists but is not usable."""
        file = root / "local.settings.json"
        if not file.exists():
            return cls()
        content = read_json(file)
        if content.get("IsEncrypted"):
            raise LocalError(f"{file} is encrypted; run `func settings decrypt` once.")
        values, host = content.get("Values", {}), content.get("Host", {})
        if not isinstance(values, dict) or not isinstance(host, dict):
            raise LocalError(f"{file}: Values and Host must be JSON objects, in curly brackets.")
        port = host.get("LocalHttpPort", DEFAULT_PORT)
        if not isinstance(port, int) or not 0 < port < 65536:
            raise LocalError(f"{file}: Host.LocalHttpPort must be a number from 1 to 65535.")
        return cls(
            {name: _text(file, name, value) for name, value in values.items()},
            port,
        )

    def over(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the app's environment: what is in `environ` already wins over the file."""
        merged = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", **self.values, **environ}
        return {name: value for name, value in merged.items() if name.upper() not in _MARKERS}


def _text(file: Path, name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    raise LocalError(f"{file}: the value of {name} must be a string.")
