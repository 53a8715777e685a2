"""Where a bot is deployed, by its name, the shell's variables or azd's. Standard library only."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A resource group and its subscription."""

    resource_group: str | None
    """None: nobody has named one."""
    subscription: str | None
    """None: the one that the Azure CLI works in."""


def place_of(environ: Mapping[str, str], root: Path, resource_group: str | None = None) -> Place:
    """
    Find out where the bot is.

    A named group wins over the shell's `AZURE_RESOURCE_GROUP`, and that over azd's. azd's
    subscription counts only for azd's group: another group may be in another subscription.
    """
    azd = _azd_variables(environ, root)
    azd_group = azd.get("AZURE_RESOURCE_GROUP")
    group = resource_group or environ.get("AZURE_RESOURCE_GROUP") or azd_group
    subscription = environ.get("AZURE_SUBSCRIPTION_ID")
    if not subscription and group and azd_group and group.casefold() == azd_group.casefold():
        subscription = azd.get("AZURE_SUBSCRIPTION_ID")
    return Place(group, subscription or None)


def _azd_variables(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """What azd keeps of its environment: the shell's AZURE_ENV_NAME, else its default one."""
    try:
        name = environ.get("AZURE_ENV_NAME") or _default_environment(root)
        lines = (root / ".azure" / name / ".env").read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError):
        return {}
    return dict(re.findall(r'^(\w+)="?([^"\r\n]+)"?', lines, re.MULTILINE))


def _default_environment(root: Path) -> str:
    config = json.loads((root / ".azure" / "config.json").read_text(encoding="utf-8"))
    return str(config["defaultEnvironment"])
