"""
What functions that a queue or a timer triggers may count on, played over every host.

Over the embedded host and over Microsoft's Python worker without further ado. Over any host that
runs, the one of Core Tools for instance, with a connection string of its storage:

    python -m tests.programs.triggers.contract /tmp/app CONNECTION_STRING
    cd /tmp/app && func start
    python3 dev.py test tests/programs/triggers/test_contract.py --host-storage CONNECTION_STRING
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from local.bootstrap.environment import APP_REQUIREMENTS
from local.node_services.emulators import Azurite
from tests.end_to_end.deployment import environment, find_python
from tests.end_to_end.instances import EMBEDDED_HOST, Host, Instances, microsofts_runtime
from tests.programs.programs import eventually
from tests.programs.triggers.contract import (
    CONTRACT,
    LINES,
    Line,
    functions_of,
    seen_by,
    write_app,
)
from tests.programs.triggers.queues import TestQueue

EMBEDDED, RUNTIME, ELSEWHERE = "embedded host", "Microsoft's worker", "running host"

INSTALL_TIMEOUT_S = 600

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_S)


class Playground:
    """One host, with the contract's apps on it, and the storage that they work with."""

    def __init__(self, host: Host, storage: str, folder: Path) -> None:
        self.storage = storage
        self._host = host
        self._folder = folder
        self._started: dict[str, Instances] = {}

    def serve(self, app: str) -> None:
        """Start the host on the app, if it does not run yet."""
        if app in self._started:
            return
        root = write_app(self._folder / app, self.storage, app)
        for function in functions_of(app):
            TestQueue(self.storage, seen_by(function["name"])).create()
        self._started[app] = Instances(self._host, root, self._folder)
        self._started[app].start({"AzureWebJobsStorage": self.storage, **CONTRACT["settings"]})

    def close(self) -> None:
        """End all that was started."""
        for instances in self._started.values():
            instances.__exit__()


class RunningHost:
    """One that somebody else has started on the app "main"."""

    def __init__(self, storage: str) -> None:
        self.storage = storage

    def serve(self, app: str) -> None:
        """Do nothing: it runs."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play each line over the host that runs already, or over those of ours that can play it."""
    if "line" not in metafunc.fixturenames:
        return
    is_elsewhere = metafunc.config.getoption("--host-storage", None)
    names = [ELSEWHERE] if is_elsewhere else [EMBEDDED, RUNTIME]
    cases = [(name, line) for name in names for line in LINES if _can_play(name, line)]
    ids = [f"{name}-{line.says}" for name, line in cases]
    metafunc.parametrize(
        ("playground", "line"), cases, ids=ids, indirect=["playground"], scope="module"
    )


def _can_play(name: str, line: Line) -> bool:
    return line.only.startswith(name) if line.only else line.app == "main" or name != ELSEWHERE


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
        playground = Playground(host, azurite.connection_string, tmp_path_factory.mktemp("host"))
        yield playground
        playground.close()


def test_the_outcome_is_the_same(playground: Playground | RunningHost, line: Line) -> None:
    """Each line of the contract comes true on each host that can play it."""
    storage = playground.storage
    playground.serve(line.app)
    seen = TestQueue(storage, seen_by(line.function))
    queue = TestQueue(storage, line.queue_name)
    for each in (seen, queue):
        each.create_and_clear()
    refused = _put(line, queue)

    if line.first is not None:
        eventually(lambda: len(_reports(seen)) > 0)
        assert line.first == _reports(seen)[0]
        return
    expected_left = line.left if line.visible is None else line.visible

    def left() -> int:
        return queue.count() if line.visible is None else len(queue.visible())

    eventually(
        lambda: (
            len(_reports(seen)) >= len(line.seen or [])
            and len(queue.poison()) >= len(line.poison)
            and left() <= expected_left
        )
    )
    assert (line.refused, line.seen, list(line.poison), expected_left) == (
        refused,
        _reports(seen),
        [message.content for message in queue.poison()],
        left(),
    )


def _put(line: Line, queue: TestQueue) -> int | None:
    """Return the status with which the queue has refused a message; None if it has not."""
    try:
        for text in line.put:
            queue.put(text, **line.options)
        for text in line.put_raw:
            queue.put_raw(text, **line.options)
        if line.put_bytes:
            queue.put("x" * line.put_bytes)
    except HttpResponseError as error:
        return error.status_code
    return None


def _reports(seen: TestQueue) -> list[dict[str, Any]]:
    return [json.loads(text) for text in seen.visible()]


def _runtime() -> Host:
    python = find_python(3, 13)
    if python is None:
        pytest.skip("Microsoft's worker needs Python 3.13: install it, and run the tests again")
    return microsofts_runtime(
        environment(python, APP_REQUIREMENTS, "tests/requirements-runtime.txt")
    )
