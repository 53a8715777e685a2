"""The hosts that the contract is played over."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.bootstrap.environment import APP_REQUIREMENTS
from tests.end_to_end.deployment import environment, find_python
from tests.end_to_end.instances import EMBEDDED_HOST, Host, Instance, Instances, microsofts_runtime
from tests.hosts.app import write_app
from tests.hosts.contract import Contract, Line, read_contract

INSTALL_TIMEOUT_S = 600
"""The first run installs packages, over whatever network there is."""

CONTRACT = read_contract("http")

EMBEDDED, RUNTIME, ELSEWHERE = "embedded host", "Microsoft's runtime", "running host"

_KINDS = {EMBEDDED: "embedded", RUNTIME: "runtime", ELSEWHERE: "azure"}


class Playground:
    """One host, with the contract's apps on it."""

    def __init__(
        self, name: str, folder: Path, command: Host | None, config: pytest.Config
    ) -> None:
        """`command` starts it. None: it runs already, with the app "main"."""
        self.kind = _KINDS[name]
        self._folder = folder
        self._command = command
        self._origin: str = config.getoption("--host-url") or ""
        self._log: str = config.getoption("--host-log") or ""
        self._instances: dict[str, tuple[Instances, Instance]] = {}

    def origin(self, app: str) -> str:
        """Return where the app is served."""
        return self.instance(app).origin if self._command else self._origin.rstrip("/")

    def instance(self, app: str) -> Instance:
        """Return the process that serves the app."""
        assert self._command is not None
        if app not in self._instances:
            declared = CONTRACT.apps[app]
            root = write_app(declared, self._folder / app)
            instances = Instances(self._command, root, self._folder)
            self._instances[app] = (instances, instances.start(dict(declared.settings)))
        return self._instances[app][1]

    def log(self, app: str) -> str:
        """Return what the host has logged so far."""
        if self._command:
            return self.instance(app).printed()
        return Path(self._log).read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End all that was started."""
        for instances, _ in self._instances.values():
            instances.__exit__()
        self._instances.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests here the time to install what they run on."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(INSTALL_TIMEOUT_S))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play each line over each host that can play it."""
    if "line" not in metafunc.fixturenames:
        return
    config = metafunc.config
    names = [ELSEWHERE] if config.getoption("--host-url") else [EMBEDDED, RUNTIME]
    cases = [
        (name, line)
        for name in names
        for line in CONTRACT.lines
        if _can_play(name, line, has_log=bool(config.getoption("--host-log")))
    ]
    metafunc.parametrize(
        ("host_name", "line"),
        cases,
        ids=[f"{name}: row {line.row}: {line.says}" for name, line in cases],
    )


def _can_play(name: str, line: Line, *, has_log: bool) -> bool:
    if line.only and not line.only.startswith(name):
        return False
    return name != ELSEWHERE or not (line.kills or (line.log and not has_log))


@pytest.fixture(scope="session")
def contract() -> Contract:
    """All lines."""
    return CONTRACT


@pytest.fixture(scope="session")
def playgrounds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Playground]]:
    """Every host by its name; what it serves it starts to serve when a line needs it."""
    commands: dict[str, Callable[[], Host | None]] = {
        EMBEDDED: lambda: EMBEDDED_HOST,
        RUNTIME: _runtime,
        ELSEWHERE: lambda: None,
    }

    made: dict[str, Playground] = {}

    def playground(name: str) -> Playground:
        if name not in made:
            folder = tmp_path_factory.mktemp("host")
            made[name] = Playground(name, folder, commands[name](), request.config)
        return made[name]

    yield playground
    for each in made.values():
        each.close()


@pytest.fixture
def playground(host_name: str, playgrounds: Callable[[str], Playground]) -> Playground:
    """The host that a line is played over."""
    return playgrounds(host_name)


def _runtime() -> Host:
    python = find_python(3, 13)
    if python is None:
        pytest.skip("Microsoft's runtime needs Python 3.13: install it, and run the tests again")
    return microsofts_runtime(
        environment(python, APP_REQUIREMENTS, "tests/requirements-runtime.txt")
    )
