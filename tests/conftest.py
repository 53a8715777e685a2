"""What tests of several folders share."""

import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from local.node_services.emulators import CosmosServer, install_npm_packages
from shared.settings import CosmosSettings

pytest_plugins = ["tests.processes", "tests.fast_lane", "tests.kit.fixtures"]

# Hypothesis fails a test that is slow, or whose examples are: on a busy machine any test is.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know what is for single tests: the README's picture, and a host to play on."""
    parser.addoption("--picture", metavar="FILE", help="keep a picture of the chat's page")
    parser.addoption("--host-url", metavar="URL", help="play the hosts' contract over this one")
    parser.addoption("--host-log", metavar="FILE", help="where the output of that host goes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as failed where CI=true: there, nothing may be missing."""
    return _failed_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Count a module that skips itself as failed, like a test."""
    return _failed_if_skipped((yield))


def _failed_if_skipped(report: Report) -> Report:
    expected_failure = hasattr(report, "wasxfail")
    if os.environ.get("CI") == "true" and report.skipped and not expected_failure:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Nothing is skipped where CI=true. {reason}"
    return report


@pytest.fixture(scope="session")
def npm_packages() -> None:
    """The programs from npm that local/node_services/package.json names."""
    if shutil.which("node") is None:
        pytest.skip("needs programs from npm: install Node 20 or newer and run again")
    install_npm_packages(print)


@pytest.fixture(scope="session")
def cosmos_process(npm_packages: None) -> Iterator[CosmosServer]:
    """A Cosmos DB server of this test run."""
    with CosmosServer() as server:
        yield server


@pytest.fixture(scope="session")
def cosmos_server(cosmos_process: CosmosServer) -> CosmosSettings:
    """Where that server is, with a container that all tests share: use keys of your own."""
    settings = CosmosSettings(
        endpoint=cosmos_process.endpoint,
        database_id="bot",
        container_id="state",
        key=cosmos_process.key,
        verify_tls=False,
    )
    cosmos_process.create_container(settings.database_id, settings.container_id)
    return settings


@pytest.fixture
def cosmos_container(cosmos_process: CosmosServer, cosmos_server: CosmosSettings) -> CosmosSettings:
    """A container of this test's own, empty."""
    settings = replace(cosmos_server, container_id=f"state-{uuid4()}")
    cosmos_process.create_container(settings.database_id, settings.container_id)
    return settings
