"""
The code of a function, imported and checked against its function.json as Azure's worker does.

https://github.com/Azure/azure-functions-python-worker, `functions.py`.
"""

import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from local.bootstrap.errors import LocalError

# Under this name Azure's Python worker imports every function, so relative imports
# across functions work there and here.
_NAMESPACE = "__app__"

# With these the worker passes on what the host sends as it is, whatever the binding's type is.
_PLAIN = (str, bytes)


@dataclass(frozen=True)
class LoadedFunction:
    """The Python code of a function."""

    call: Callable[..., Any]
    is_async: bool
    wants_context: bool
    plain: frozenset[str]
    """Parameters annotated with str or bytes: they are what the host sends, and no SDK object."""


@dataclass(frozen=True)
class Binding:
    """What of a binding the code has to fit."""

    type: str
    is_out: bool


def load(
    script: Path, root: Path, entry_point: str, bindings: Mapping[str, Binding]
) -> LoadedFunction:
    """
    Import the script and find the entry point in it.

    `bindings` are by their names, `$return` among them.

    Raises:
        LocalError: the code does not fit its function.json. What the import raises is passed on.
    """
    name = f"{script.parent.name}/{script.name}"
    call = getattr(_module(script, root), entry_point, None)
    if not callable(call):
        raise LocalError(f"{name} has no function '{entry_point}'.")
    bound = {name: binding for name, binding in bindings.items() if name != "$return"}
    parameters = set(inspect.signature(call).parameters)
    wants_context = "context" in parameters - set(bound)
    if parameters - ({"context"} if wants_context else set()) != set(bound):
        expected = "', '".join(bound)
        raise LocalError(
            f"{entry_point}() in {name} must take exactly the parameters '{expected}' that its "
            "function.json names; it may also take 'context'."
        )
    annotations = typing.get_type_hints(call)
    if wants_context and getattr(annotations.get("context", func.Context), "__name__", "") != (
        "Context"
    ):
        raise LocalError(f"'context' of {entry_point}() in {name} must be a func.Context.")
    for parameter, binding in bound.items():
        if parameter in annotations and not _takes(annotations[parameter], binding):
            raise LocalError(
                f"'{parameter}' of {entry_point}() in {name} is annotated with something that "
                f"the binding '{binding.type}' does not give."
            )
    if "$return" in bindings and "return" in annotations:
        returned = annotations["return"]
        if not isinstance(returned, type) or not _sends(returned, bindings["$return"]):
            raise LocalError(
                f"{entry_point}() in {name} must be annotated to return what the binding "
                f"'{bindings['$return'].type}' sends."
            )
    plain = frozenset(name for name in bound if _is_plain(annotations.get(name)))
    return LoadedFunction(call, inspect.iscoroutinefunction(call), wants_context, plain)


def _takes(annotation: Any, binding: Binding) -> bool:
    origin = typing.get_origin(annotation)
    is_out = getattr(origin or annotation, "__name__", "") == "Out"
    if is_out is not binding.is_out:
        return False
    if is_out:
        arguments = typing.get_args(annotation)
        return len(arguments) == 1 and (arguments[0] in _PLAIN or _sends(arguments[0], binding))
    if origin in (typing.Union, types.UnionType) or not isinstance(origin or annotation, type):
        return False
    return annotation in _PLAIN or bool(_converter(binding).check_input_type_annotation(annotation))


def _is_plain(annotation: Any) -> bool:
    return annotation in _PLAIN or typing.get_args(annotation) in [(kind,) for kind in _PLAIN]


def _sends(annotation: Any, binding: Binding) -> bool:
    return bool(_converter(binding).check_output_type_annotation(annotation))


def _converter(binding: Binding) -> Any:
    return func.get_binding_registry().get(binding.type)  # type: ignore[no-untyped-call]


def _module(script: Path, root: Path) -> ModuleType:
    if _NAMESPACE not in sys.modules:
        namespace = ModuleType(_NAMESPACE)
        namespace.__path__ = [str(root)]
        sys.modules[_NAMESPACE] = namespace
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    parts = [_NAMESPACE, *script.relative_to(root).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    return importlib.import_module(".".join(parts))
