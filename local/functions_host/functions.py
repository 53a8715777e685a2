"""
The functions of a function app, as `host.json` and each `function.json` declare them.

Reading imports none of the app's code; `Function.load` does.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from local.bootstrap.errors import LocalError
from local.functions_host.routes import Route
from local.functions_host.triggers.queue_settings import QueueSettings

# Under this name Azure's Python worker imports every function, so relative imports
# across functions work there and here.
_NAMESPACE = "__app__"

Json = dict[str, Any]


@dataclass(frozen=True)
class LoadedFunction:
    """The Python code of a function."""

    call: Callable[..., Any]
    is_async: bool
    wants_context: bool


@dataclass(frozen=True)
class Function:
    """One folder with a function.json."""

    name: str
    folder: Path
    script: Path
    entry_point: str
    trigger: str
    """The parameter that takes the request, the message, or whatever else starts the function."""
    returns: bool
    """Whether `$return` is bound."""

    def load(self) -> LoadedFunction:
        """
        Import the script and find the entry point in it.

        Raises:
            LocalError: the code does not fit its function.json. What the import raises is
                passed on.
        """
        call = getattr(self._module(), self.entry_point, None)
        if not callable(call):
            raise LocalError(f"{self._script_name} has no function '{self.entry_point}'.")
        declared = set(inspect.signature(call).parameters)
        wants_context = "context" in declared and self.trigger != "context"
        if declared - ({"context"} if wants_context else set()) != {self.trigger}:
            raise LocalError(
                f"{self.entry_point}() in {self._script_name} must take exactly the parameter "
                f"'{self.trigger}' that its function.json names, and may take 'context' too."
            )
        return LoadedFunction(call, inspect.iscoroutinefunction(call), wants_context)

    @property
    def _script_name(self) -> str:
        return f"{self.folder.name}/{self.script.name}"

    def _module(self) -> ModuleType:
        root = str(self.folder.parent)
        if _NAMESPACE not in sys.modules:
            namespace = ModuleType(_NAMESPACE)
            namespace.__path__ = [root]
            sys.modules[_NAMESPACE] = namespace
        if root not in sys.path:
            sys.path.insert(0, root)
        parts = [_NAMESPACE, *self.script.relative_to(self.folder.parent).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        return importlib.import_module(".".join(parts))


@dataclass(frozen=True)
class HttpFunction(Function):
    """One function with an HTTP trigger."""

    route: Route
    methods: frozenset[str]
    """Upper case. Empty: all of them."""

    def accepts(self, method: str) -> bool:
        """Tell whether the trigger lists the method."""
        return not self.methods or method.upper() in self.methods


@dataclass(frozen=True)
class TriggeredFunction(Function):
    """One function that something else than a request starts: a queue's message, or a timer."""

    binding: Json
    """The trigger's binding in function.json."""

    @property
    def kind(self) -> str:
        """The type of the trigger: "queueTrigger", for instance."""
        return str(self.binding["type"])


@dataclass(frozen=True)
class FunctionApp:
    """What a folder with a `host.json` declares."""

    root: Path
    functions: tuple[HttpFunction, ...]
    max_concurrent_requests: int
    """0: as many as come."""
    triggered: tuple[TriggeredFunction, ...]
    queue_settings: QueueSettings

    @classmethod
    def read(cls, root: Path) -> "FunctionApp":
        """Raise LocalError when a file is not what Azure Functions would accept."""
        host_json = read_json(root / "host.json")
        extensions = host_json.get("extensions", {})
        http = extensions.get("http", {})
        prefix = http.get("routePrefix", "api")
        functions = []
        triggered = []
        for file in sorted(root.glob("*/function.json")):
            declaration = read_json(file)
            if declaration.get("disabled"):
                continue
            function = _http_function(file, declaration, prefix)
            if function is not None:
                functions.append(function)
            elif (other := _triggered_function(file, declaration)) is not None:
                triggered.append(other)
        # -1 is "unbounded" in host.json.
        limit = max(0, http.get("maxConcurrentRequests", 0))
        queues = QueueSettings.from_host_json(extensions.get("queues", {}))
        return cls(root, tuple(functions), limit, tuple(triggered), queues)

    @property
    def messages_path(self) -> str:
        """Where activities are posted to: the function at `messages`, else the first for POST."""
        posts = [function.route.path for function in self.functions if function.accepts("POST")]
        if not posts:
            raise LocalError(
                f"No function in {self.root} takes POST requests over HTTP; "
                "see whether its function.json is there."
            )
        return next((path for path in posts if path.endswith("/messages")), posts[0])


def read_json(file: Path) -> Json:
    """Raise LocalError unless the file holds one JSON object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise LocalError(f"{file} is missing; run this in a complete checkout.") from None
    except json.JSONDecodeError as error:
        raise LocalError(
            f"{file} is not JSON at line {error.lineno}, column {error.colno} ({error.msg})."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{file} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise LocalError(f"{file} must hold a JSON object, in curly brackets.")
    return content


def _http_function(file: Path, declaration: Json, prefix: str) -> HttpFunction | None:
    bindings = declaration.get("bindings", [])
    trigger = next((each for each in bindings if each.get("type") == "httpTrigger"), None)
    if trigger is None:
        return None
    others = [each for each in bindings if each is not trigger]
    returns = any(each.get("name") == "$return" and each.get("type") == "http" for each in others)
    if len(others) > returns:
        raise LocalError(
            f"{file} has bindings besides httpTrigger and the http $return, which the embedded "
            "host does not serve; install Azure Functions Core Tools to run it."
        )
    return HttpFunction(
        **_code(file, declaration, trigger, "req"),
        returns=returns,
        route=Route(prefix, trigger.get("route", file.parent.name)),
        methods=frozenset(method.upper() for method in trigger.get("methods", [])),
    )


def _triggered_function(file: Path, declaration: Json) -> TriggeredFunction | None:
    bindings = declaration.get("bindings", [])
    triggers = [each for each in bindings if str(each.get("type", "")).endswith("Trigger")]
    if not triggers:
        return None
    return TriggeredFunction(
        **_code(file, declaration, triggers[0], ""),
        returns=any(each.get("name") == "$return" for each in bindings),
        binding=triggers[0],
    )


def _code(file: Path, declaration: Json, trigger: Json, parameter: str) -> Json:
    """Return the fields that say which code a function is."""
    folder = file.parent
    return {
        "name": folder.name,
        "folder": folder,
        "script": (folder / declaration.get("scriptFile", "__init__.py")).resolve(),
        "entry_point": declaration.get("entryPoint", "main"),
        "trigger": trigger.get("name", parameter),
    }
