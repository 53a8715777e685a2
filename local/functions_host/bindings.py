"""The bindings of a function.json, checked against what the Functions host accepts and serves."""

import re
from typing import Any

from local.bootstrap.errors import LocalError
from local.functions_host.json_files import Json

# `Utility` in azure-functions-host.
_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")

_DIRECTIONS = ("in", "out", "inout")


def checked_bindings(function: str, declaration: Json) -> tuple[Json, ...]:
    """
    Return the bindings of a function's declaration, with directions in lower case.

    Raises:
        LocalError: the Functions host would refuse the function, or this one cannot serve it.
    """
    if not _FUNCTION_NAME.fullmatch(function) or function.lower() == "host":
        raise LocalError(f"'{function}' is not a valid name of a function")
    declared = declaration.get("bindings")
    if not isinstance(declared, list) or not declared:
        raise LocalError("it has no bindings")
    bindings = tuple(_checked(each) for each in declared)
    triggers = [each["type"] for each in bindings if each["type"].endswith("Trigger")]
    if len(triggers) > 1:
        raise LocalError("it has more than one trigger")
    others = {each["type"] for each in bindings} - set(triggers)
    unserved = others - ({"http"} if triggers == ["httpTrigger"] else set())
    if triggers and unserved:
        raise LocalError(
            f"it has a binding of type '{min(unserved)}', which only Azure Functions Core Tools "
            "serves on this machine"
        )
    return bindings


def _checked(binding: Any) -> Json:
    if not isinstance(binding, dict):
        raise LocalError("a binding is not a JSON object")
    name, kind = binding.get("name"), binding.get("type")
    if not isinstance(name, str) or not _BINDING_NAME.fullmatch(name):
        raise LocalError(f"a binding has no valid name ({name})")
    if not isinstance(kind, str):
        raise LocalError(f"the binding '{name}' has no type")
    direction = str(binding.get("direction", "")).lower()
    if direction not in _DIRECTIONS:
        raise LocalError(f"the binding '{name}' has no valid direction")
    if direction == "inout" or (name == "$return" and direction != "out"):
        raise LocalError(f"the binding '{name}' has a direction that Python functions cannot have")
    return {**binding, "direction": direction}
