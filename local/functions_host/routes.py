"""The routes of HTTP functions, matched as the Functions host matches them."""

import re

from local.bootstrap.errors import LocalError

_PARAMETER = re.compile(
    r"\{(?P<catch_all>\*?)(?P<name>\w+)(?::(?P<constraint>[^}?]+))?(?P<optional>\??)\}"
)
_CONSTRAINTS = {
    "alpha": "[A-Za-z]+",
    "bool": "true|false",
    "guid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "int": r"-?\d+",
    "long": r"-?\d+",
}


class Route:
    """
    A route template such as `orders/{id:int}/{*rest}`, under the host's route prefix.

    Case does not matter, nor does a slash at the end.
    """

    def __init__(self, prefix: str, template: str) -> None:
        """Raise LocalError for a constraint that is not known here."""
        self.path = "/" + "/".join(filter(None, (prefix.strip("/"), template.strip("/"))))
        self._pattern = re.compile(_pattern(self.path) + "/?", re.IGNORECASE)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route's parameters, or None when the path is another one."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value}


def _pattern(path: str) -> str:
    pattern = ""
    end = 0
    for parameter in _PARAMETER.finditer(path):
        before, end = path[end : parameter.start()], parameter.end()
        expression = f"(?P<{parameter['name']}>{_value_pattern(parameter, path)})"
        if parameter["catch_all"] or parameter["optional"]:
            # With the value goes the slash before it.
            slash = "/" if before.endswith("/") else ""
            pattern += re.escape(before.removesuffix("/")) + f"(?:{slash}{expression})?"
        else:
            pattern += re.escape(before) + expression
    return pattern + re.escape(path[end:])


def _value_pattern(parameter: re.Match[str], path: str) -> str:
    if parameter["catch_all"]:
        return ".*"
    constraint = parameter["constraint"]
    if constraint is None:
        return "[^/]+"
    if constraint not in _CONSTRAINTS:
        known = ", ".join(_CONSTRAINTS)
        raise LocalError(
            f"The route {path} has the constraint '{constraint}', which the embedded host "
            f"does not know (only {known}); install Azure Functions Core Tools to run it."
        )
    return _CONSTRAINTS[constraint]
