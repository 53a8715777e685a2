"""
The functions of a function app, as `host.json` and each `function.json` declare them.

Reading imports none of the app's code; `Function.load` does. A function that the Functions host
would refuse is left out, and the others are served.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.bootstrap.errors import LocalError
from local.functions_host.bindings import checked_bindings
from local.functions_host.host_json import HttpSettings, check_version, is_listed
from local.functions_host.json_files import Json, read_json
from local.functions_host.routes import Route
from local.functions_host.triggers.queue_settings import QueueSettings

if TYPE_CHECKING:
    from local.functions_host.loading import LoadedFunction

# Under these the Functions host has its own.
_RESERVED_ROUTES = ("admin", "runtime")


@dataclass(frozen=True)
class Function:
    """One folder with a function.json."""

    name: str
    folder: Path
    script: Path
    entry_point: str
    trigger: str
    """The parameter that takes the request, the message, or whatever else starts the function."""
    bindings: tuple[Json, ...]

    @cached_property
    def returns(self) -> bool:
        """Whether `$return` is bound."""
        return any(each["name"] == "$return" for each in self.bindings)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The parameters through which the function gives something back, by `set`."""
        return tuple(
            each["name"]
            for each in self.bindings
            if each["direction"] == "out" and each["name"] != "$return"
        )

    def load(self) -> "LoadedFunction":
        """
        Import the script and find the entry point in it.

        Raises:
            LocalError: the code does not fit its function.json. What the import raises is
                passed on.
        """
        # Only the worker needs the SDK.
        from local.functions_host.loading import Binding, load

        bindings = {
            each["name"]: Binding(each["type"], each["direction"] == "out")
            for each in self.bindings
        }
        return load(self.script, self.folder.parent, self.entry_point, bindings)


@dataclass(frozen=True)
class HttpFunction(Function):
    """One function with an HTTP trigger."""

    route: Route
    methods: frozenset[str] | None
    """Upper case. None: all of them."""
    needs_key: bool
    """In Azure: its authLevel is not "anonymous". Without one it is "function"."""

    def accepts(self, method: str) -> bool:
        """Tell whether the trigger lists the method."""
        return self.methods is None or method.upper() in self.methods

    def conflicts_with(self, other: "HttpFunction") -> bool:
        """Tell whether the two have the same route, and a method in common."""
        if self.route.path.lower() != other.route.path.lower():
            return False
        return not (self.methods and other.methods) or bool(self.methods & other.methods)


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
    triggered: tuple[TriggeredFunction, ...]
    faults: Mapping[str, str]
    """By the names of the functions that are left out: a sentence that says why."""
    http: HttpSettings
    queue_settings: QueueSettings

    @classmethod
    def read(cls, root: Path) -> "FunctionApp":
        """Raise LocalError when host.json is not what the Functions host would accept."""
        host_json = read_json(root / "host.json")
        check_version(host_json)
        http = HttpSettings.from_host_json(host_json)
        functions: list[HttpFunction] = []
        triggered: list[TriggeredFunction] = []
        faults: dict[str, str] = {}
        # Where two routes match, the first function counts.
        for file in sorted(root.glob("*/function.json"), key=lambda file: file.parent.name.upper()):
            if not is_listed(file.parent.name, host_json):
                continue
            try:
                function = _function(file, http.route_prefix)
                if isinstance(function, HttpFunction):
                    _check_conflicts(function, functions)
                    functions.append(function)
                elif function is not None:
                    triggered.append(function)
            except LocalError as error:
                faults[file.parent.name] = str(error)
        queues = QueueSettings.from_host_json(host_json.get("extensions", {}).get("queues", {}))
        return cls(root, tuple(functions), tuple(triggered), faults, http, queues)

    @property
    def messages_path(self) -> str:
        """Where activities are posted to: the function at `messages`, else the first for POST."""
        posts = [function.route.path for function in self.functions if function.accepts("POST")]
        if not posts:
            raise LocalError(
                f"No function in {self.root} takes POST requests over HTTP; "
                "check whether its function.json is there."
                + "".join(f"\n{name}: {fault}" for name, fault in self.faults.items())
            )
        return next((path for path in posts if path.endswith("/messages")), posts[0])


def is_disabled(function: Function, settings: Mapping[str, str]) -> bool:
    """Tell whether a setting takes the function out of service; function.json cannot."""
    value = settings.get(f"AzureWebJobs.{function.name}.Disabled", "")
    return value.lower() in ("true", "1")


def _function(file: Path, prefix: str) -> HttpFunction | TriggeredFunction | None:
    declaration = read_json(file)
    bindings = checked_bindings(file.parent.name, declaration)
    trigger = next((each for each in bindings if each["type"].endswith("Trigger")), None)
    if trigger is None:
        return None
    folder = file.parent
    code: dict[str, Any] = {
        "name": folder.name,
        "folder": folder,
        "script": _script(folder, declaration),
        "entry_point": declaration.get("entryPoint") or "main",
        "trigger": trigger["name"],
        "bindings": bindings,
    }
    if trigger["type"] != "httpTrigger":
        return TriggeredFunction(**code, binding=trigger)
    methods = trigger.get("methods")
    route = str(trigger.get("route") or folder.name)
    if route.strip("/").lower().startswith(_RESERVED_ROUTES):
        raise LocalError("its route conflicts with those of the Functions host itself")
    return HttpFunction(
        **code,
        route=Route(prefix, route),
        methods=None if methods is None else frozenset(method.upper() for method in methods),
        needs_key=str(trigger.get("authLevel", "function")).lower() != "anonymous",
    )


def _script(folder: Path, declaration: Json) -> Path:
    """Return the file with the code: the one that is named, the only one, or the usual one."""
    declared = declaration.get("scriptFile")
    if declared:
        script = folder / str(declared)
        if not script.is_file():
            raise LocalError("its scriptFile does not exist")
    else:
        files = [each for each in folder.iterdir() if each.is_file()]
        files = sorted(each for each in files if each.name.lower() != "function.json")
        usual = [
            each
            for each in files
            if each.stem.lower() == "run" or each.name.lower() == "__init__.py"
        ]
        if not (usual or len(files) == 1):
            raise LocalError("it has no file __init__.py, and no scriptFile names another one")
        script = files[0] if len(files) == 1 else usual[0]
    if script.suffix.lower() != ".py":
        raise LocalError(f"its code is in {script.name}, which is not a Python file")
    return script.resolve()


def _check_conflicts(function: HttpFunction, others: list[HttpFunction]) -> None:
    for other in others:
        if function.conflicts_with(other):
            raise LocalError(f"its route is also that of the function '{other.name}'")
