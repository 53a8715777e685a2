"""
What a worker loads before its first request, which every cold start waits for.

It is what is deployed, with a bot that loads nothing but what every bot does.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from tests.bots import echo
from tests.end_to_end.deployment import ROOT, deploy

STATE_IN_COSMOS = {
    "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
    "CosmosDbEndpoint": "https://localhost:9/",
    "CosmosDbKey": "YQ==",
    "CosmosDbVerifyTls": "false",
}


class Run(Protocol):
    """Runs Python as a worker with these settings does, and sees it end well."""

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]": ...


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is deployed."""
    return deploy(tmp_path_factory.mktemp("app"), bot=Path(echo.__file__))


@pytest.fixture(scope="module")
def run(app: Path) -> Run:
    kept = ("PATH", "HOME", "SYSTEMROOT")
    environ = {name: os.environ[name] for name in kept if name in os.environ}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=app,
            env={**environ, **STATE_IN_COSMOS},
            capture_output=True,
            text=True,
            check=True,
        )

    return run


@pytest.fixture(scope="module")
def imported(run: Run) -> set[str]:
    """The modules that loading the function imports."""
    report = run("-X", "importtime", "-c", "import MessagesFunction").stderr
    lines = [line for line in report.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    "module",
    [
        # For bots with dialogs only.
        "babel",
        "botbuilder.dialogs",
        # For tokens, which an emulator does not ask for.
        "azure.identity",
        "azure.identity.aio",
        # What botbuilder-azure brings along.
        "azure.storage.blob",
        "azure.storage.queue",
        # Where the host exports its telemetry, it has loaded these itself.
        "azure.monitor",
        "opentelemetry",
        # For developers.
        "local",
        "unittest",
    ],
)
def test_module_is_not_imported_at_start(imported: set[str], module: str) -> None:
    """What the first turn can do without is imported when it is needed, or never."""
    assert [] == sorted(
        name for name in imported if name == module or name.startswith(f"{module}.")
    )


def test_modules_of_the_first_turn_are_imported_at_start(imported: set[str]) -> None:
    """The first user waits for no import that could have been done before."""
    needed = {
        "botbuilder.core",
        "azure.cosmos.aio",
        "shared.turns.turn",
        "shared.storage.cosmos.storage",
    }
    assert set() == needed - imported


def test_the_sdks_storage_is_the_same_class_in_its_package(run: Run) -> None:
    """A bot may import botbuilder.azure before or after the app, with all that is in it."""
    for first, second in (
        ("MessagesFunction", "botbuilder.azure"),
        ("botbuilder.azure", "MessagesFunction"),
    ):
        said = run(
            "-c",
            f"import {first}, {second}\n"
            "from botbuilder.azure import BlobStorage, CosmosDbPartitionedStorage\n"
            "from shared.storage.cosmos.storage import CosmosStorage\n"
            "print(BlobStorage.__name__, issubclass(CosmosStorage, CosmosDbPartitionedStorage))",
        ).stdout
        assert "BlobStorage True\n" == said


def test_what_is_loaded_is_not_searched_for_garbage(run: Run) -> None:
    """A full collection, which stops all turns, has nothing to look at but what turns made."""
    said = run(
        "-c", "import MessagesFunction, gc; print(gc.isenabled(), len(gc.get_objects()) < 1000)"
    ).stdout
    assert "True True\n" == said


IMPORT_ALL = """
import importlib, pkgutil, sys
from pathlib import Path

APP, TEMPLATE = str(Path.cwd()), sys.argv[1]
sys.path.append(TEMPLATE)
IO = {"open", "os.exec", "os.fork", "os.listdir", "os.mkdir", "os.posix_spawn", "os.remove"}
IO |= {"os.rename", "os.scandir", "os.system", "socket.bind", "socket.connect"}
IO |= {"socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "_thread.start_new_thread"}
IO |= {"_thread.start_joinable_thread"}  # what that is called from Python 3.13 on
found = set()

def importer():
    # The module of ours that did it. Not if an import is in between: libraries do as they like
    # (urllib3 binds a socket), and Python opens the modules themselves.
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name or "pkgutil" in name:
            return None
        if name.startswith((APP, TEMPLATE)) and ".venv" not in name:
            return name
        frame = frame.f_back

def note(event, arguments):
    if event in IO and (name := importer()):
        found.add(f"{event} by {name}")

sys.addaudithook(note)
import MessagesFunction
for package in (importlib.import_module(name) for name in ("shared", "local")):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name not in ("local.__main__", "local.torture"):
            importlib.import_module(module.name)
assert "shared.storage.cosmos.storage" in sys.modules
print(*sorted(found), sep="\\n", end="")
"""


def test_importing_does_no_io(run: Run) -> None:
    """No module of the project opens a file or connection or starts something when imported."""
    assert "" == run("-B", "-c", IMPORT_ALL, str(ROOT)).stdout


@pytest.mark.parametrize(("environment", "starts"), [("Development", True), ("Production", False)])
def test_the_function_loads_only_with_usable_settings(
    app: Path, environment: str, starts: bool
) -> None:
    """In production the function does not load without identity and store, and says what to set."""
    environ = {"PATH": os.environ["PATH"], "AZURE_FUNCTIONS_ENVIRONMENT": environment}
    loading = subprocess.run(
        [sys.executable, "-c", "import MessagesFunction"],
        cwd=app,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert starts == (loading.returncode == 0)
    assert starts != ("MicrosoftAppId is missing" in loading.stderr)
    assert starts != ("CosmosDbEndpoint is missing" in loading.stderr)
