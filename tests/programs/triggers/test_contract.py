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
from typing import Any

import pytest

from local.node_services.emulators import Azurite
from tests.end_to_end.deployment import REQUIREMENTS, ROOT, environment, find_python
from tests.end_to_end.instances import EMBEDDED_HOST, Host, Instances, microsofts_runtime
from tests.programs.programs import eventually
from tests.programs.triggers.contract import CONTRACT, LINES, Line, seen_by, write_app
from tests.programs.triggers.queues import TestQueue

EMBEDDED, RUNTIME, ELSEWHERE = "embedded host", "Microsoft's worker", "running host"

INSTALL_TIMEOUT_S = 600

pytestmark = pytest.mark.timeout(INSTALL_TIMEOUT_S)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play over the host that runs already, or over both of ours."""
    if "storage" in metafunc.fixturenames:
        is_elsewhere = metafunc.config.getoption("--host-storage", None)
        names = [ELSEWHERE] if is_elsewhere else [EMBEDDED, RUNTIME]
        metafunc.parametrize("storage", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def storage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The connection string of the account that a host with the contract's app works with."""
    if request.param == ELSEWHERE:
        yield request.config.getoption("--host-storage")
        return
    host = EMBEDDED_HOST if request.param == EMBEDDED else _runtime()
    request.getfixturevalue("npm_packages")
    folder = tmp_path_factory.mktemp("host")
    with Azurite() as azurite, Instances(host, folder / "app", folder) as instances:
        write_app(folder / "app", azurite.connection_string)
        for function in CONTRACT["functions"]:
            TestQueue(azurite.connection_string, seen_by(function["name"])).create()
        settings = {"AzureWebJobsStorage": azurite.connection_string, **CONTRACT["settings"]}
        instances.start(settings)
        yield azurite.connection_string


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.says)
def test_the_outcome_is_the_same(storage: str, line: Line) -> None:
    """Each line of the contract comes true on each host."""
    seen = TestQueue(storage, seen_by(line.function))
    queue = TestQueue(storage, line.queue_name)
    for each in (seen, queue):
        each.create_and_clear()
    for text in line.put:
        queue.put(text)
    for text in line.put_raw:
        queue.put_raw(text)
    if line.put_bytes:
        queue.put("x" * line.put_bytes)

    if line.first is not None:
        eventually(lambda: len(_reports(seen)) > 0)
        assert line.first == _reports(seen)[0]
        return
    eventually(
        lambda: (
            len(_reports(seen)) >= len(line.seen or [])
            and len(queue.poison()) >= len(line.poison)
            and queue.count() <= line.left
        )
    )
    assert (line.seen, list(line.poison), line.left) == (
        _reports(seen),
        [message.content for message in queue.poison()],
        queue.count(),
    )


def _reports(seen: TestQueue) -> list[dict[str, Any]]:
    return [json.loads(text) for text in seen.visible()]


def _runtime() -> Host:
    python = find_python(3, 13)
    if python is None:
        pytest.skip("Microsoft's worker needs Python 3.13: install it, and run the tests again")
    runtime = ROOT / "tests" / "requirements-runtime.txt"
    return microsofts_runtime(environment(python, REQUIREMENTS, runtime))
