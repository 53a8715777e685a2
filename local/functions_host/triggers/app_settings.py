"""What a trigger's binding takes from the app's settings: connections, and `%NAME%` in texts."""

import re
from collections.abc import Mapping

from local.bootstrap import development_storage
from local.bootstrap.errors import LocalError

DEFAULT_CONNECTION = "AzureWebJobsStorage"

_SETTING = re.compile("%([^%]+)%")


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """
    Replace each `%NAME%` by the setting of that name.

    Raises:
        LocalError: there is none, or it is empty.
    """

    def value(found: re.Match[str]) -> str:
        if not settings.get(found[1]):
            raise LocalError(f"'{found[0]}' does not resolve to a value")
        return settings[found[1]]

    return _SETTING.sub(value, text)


def connection_string(connection: str, settings: Mapping[str, str]) -> str | None:
    """
    Return the connection string that a binding's `connection` names; None if there is none.

    The name may leave out its beginning, "AzureWebJobs", and `UseDevelopmentStorage=true` stands
    for an emulator on this machine.

    Raises:
        LocalError: the connection is an identity's.
    """
    name = connection or DEFAULT_CONNECTION
    value = settings.get(f"AzureWebJobs{name}") or settings.get(name)
    if not value:
        if any(setting.startswith(f"{name}__") for setting in settings):
            raise LocalError(
                f"{name} is an identity's connection, which works only in Azure; set {name} to a "
                "connection string here, or to UseDevelopmentStorage=true"
            )
        return None
    if development_storage.is_meant_by(value):
        return development_storage.connection_string()
    return value
