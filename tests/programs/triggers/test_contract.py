"""
What functions that a queue or a timer triggers may count on, played over every host.

Over the embedded host and over Microsoft's Python worker without further ado. Over any host that
runs, the one of Core Tools for instance, with a connection string of its storage:

    python -m tests.programs.triggers.contract /tmp/app CONNECTION_STRING
    cd /tmp/app && func start
    python3 dev.py test tests/programs/triggers/test_contract.py --host-storage CONNECTION_STRING

The first command also puts into the storage what is to be there when the host starts. It can write
another of the contract's apps, whose name then stands behind it, and behind --host-app in the last.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from local.bootstrap.environment import APP_REQUIREMENTS
from local.node_services.emulators import Azurite
from tests.end_to_end.deployment import environment, find_python
from tests.end_to_end.instances import (
    EMBEDDED_HOST,
    Host,
    Instance,
    Instances,
    microsofts_runtime,
)
from tests.programs.programs import eventually
from tests.programs.triggers.contract import (
    CONTRACT,
    LINES,
    Line,
    host_blobs,
    prepare_storage,
    seen_by,
    write_app,
)
from tests.programs.triggers.queues import TestQueue

EMBEDDED, RUNTIME, ELSEWHERE = "embedded host", "Microsoft's worker", "running host"

INSTALL_TIMEOUT_S = 600

QUIET_S = 2.0
"""In which what should stay as it is would change: each host asks for messages once a second."""

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_S)


class Playground:
    """One host, with the contract's apps on it, and the storage that they work with."""

    def __init__(self, host: Host, storage: str, folder: Path, *, is_embedded: bool) -> None:
        self.storage = storage
        self._host = host
        self._folder = folder
        self._is_embedded = is_embedded
        self._apps: dict[str, Instances] = {}
        self._running: dict[str, Instance] = {}

    def serve(self, app: str) -> None:
        """Start the host on the app, if it does not run."""
        if app not in self._apps:
            prepare_storage(self.storage, app)
            root = write_app(self._folder / app, self.storage, app)
            options = CONTRACT["options"].get(app, ()) if self._is_embedded else ()
            host = Host(self._host.command, (*self._host.options, *options))
            self._apps[app] = Instances(host, root, root)
        if app not in self._running:
            settings = {"AzureWebJobsStorage": self.storage, **CONTRACT["settings"]}
            self._running[app] = self._apps[app].start(settings)

    def send(self, app: str, name: str) -> None:
        """Send SIGKILL or SIGTERM to the host, and return once it has taken notice."""
        instance = self._running.pop(app)
        if name == "SIGKILL":
            instance.kill()
        else:
            instance.terminate()
            eventually(lambda: not instance.listens())

    def has_stopped(self, app: str) -> bool:
        """Tell whether something has happened at which the Functions host ends."""
        return "Host is shutting down" in self._apps[app].printed()

    def close(self) -> None:
        """End all that was started."""
        for instances in self._apps.values():
            instances.__exit__()


class RunningHost:
    """One that somebody else has started on one of the apps."""

    def __init__(self, storage: str) -> None:
        self.storage = storage

    def serve(self, app: str) -> None:
        """Do nothing: it runs."""

    def send(self, app: str, name: str) -> None:
        """Fail: it is not ours to end."""
        raise AssertionError("lines that kill are left out here")

    def has_stopped(self, app: str) -> bool:
        """Tell nothing: its log is elsewhere. But then no more lines come true."""
        return False


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play each line over the host that runs already, or over those of ours that can play it."""
    if "line" not in metafunc.fixturenames:
        return
    config = metafunc.config
    names = [ELSEWHERE] if config.getoption("--host-storage", None) else [EMBEDDED, RUNTIME]
    app = config.getoption("--host-app", "main")
    cases = [(name, line) for name in names for line in LINES if _can_play(name, line, app)]
    ids = [f"{name}-{line.says}" for name, line in cases]
    metafunc.parametrize(
        ("playground", "line"), cases, ids=ids, indirect=["playground"], scope="module"
    )


def _can_play(name: str, line: Line, app: str) -> bool:
    if line.only and not line.only.startswith(name):
        return False
    return name != ELSEWHERE or (line.app == app and not line.kills)


@pytest.fixture(scope="module")
def playground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Playground | RunningHost]:
    """The host that a line is played over."""
    if request.param == ELSEWHERE:
        yield RunningHost(request.config.getoption("--host-storage"))
        return
    host = EMBEDDED_HOST if request.param == EMBEDDED else _runtime()
    request.getfixturevalue("npm_packages")
    with Azurite() as azurite:
        playground = Playground(
            host,
            azurite.connection_string,
            tmp_path_factory.mktemp("host"),
            is_embedded=request.param == EMBEDDED,
        )
        yield playground
        playground.close()


def test_the_outcome_is_the_same(playground: Playground | RunningHost, line: Line) -> None:
    """Each line of the contract comes true on each host that can play it."""
    playground.serve(line.app)
    seen = TestQueue(playground.storage, seen_by(line.function))
    queue = TestQueue(playground.storage, line.queue_name) if line.queue_name else None
    refused = None
    if not line.at_start:
        seen.create_and_clear()
        if queue:
            queue.create_and_clear()
            if line.remade:
                queue.remake()
            refused = line.put_into(queue)
    if line.signal:
        before, name = line.signal
        eventually(lambda: len(_reports(seen)) >= before)
        playground.send(line.app, name)
        seen.put_raw(json.dumps({"signal": name}))
        if name == "SIGKILL":
            playground.serve(line.app)

    expected, outcome = _expected(line), _outcome(line, seen, queue, playground.storage)
    with suppress(AssertionError):  # which would not say how they differ
        eventually(lambda: expected == outcome())
    if line.left or line.visible is not None or line.seen == []:
        time.sleep(QUIET_S)

    assert expected == outcome()
    assert line.refused == refused
    assert not playground.has_stopped(line.app)


def _expected(line: Line) -> dict[str, Any]:
    """Return what comes of the line, in the shape of `_outcome`."""
    expected: dict[str, Any] = {"seen": line.seen if line.first is None else [line.first]}
    if line.queue_name:
        expected["poison"] = list(line.poison)
        is_left = line.left is not None or line.visible is None
        expected |= {"left": line.left or 0} if is_left else {}
        expected |= {} if line.visible is None else {"visible": line.visible}
    expected |= {} if line.written is None else {"written": line.written}
    return expected


def _outcome(
    line: Line, seen: TestQueue, queue: TestQueue | None, storage: str
) -> Callable[[], dict[str, Any]]:
    """Return what looks at that which is expected, and at nothing else."""
    parts: dict[str, Callable[[], Any]] = {
        "seen": lambda: _reports(seen)[: None if line.first is None else 1]
    }
    if queue:
        parts["poison"] = lambda: [message.content for message in queue.poison()]
        parts["left"] = queue.count
        parts["visible"] = lambda: len(queue.visible())
    parts["written"] = lambda: sorted(host_blobs(storage).status(line.function) or ())
    return lambda: {name: parts[name]() for name in _expected(line)}


def _reports(seen: TestQueue) -> list[dict[str, Any]]:
    return [json.loads(text) for text in seen.visible()]


def _runtime() -> Host:
    python = find_python(3, 13)
    if python is None:
        pytest.skip("Microsoft's worker needs Python 3.13: install it, and run the tests again")
    return microsofts_runtime(
        environment(python, APP_REQUIREMENTS, "tests/requirements-runtime.txt")
    )
