"""docker-compose.yml runs what the bot expects, for this machine only."""

import json
import re
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.unit.infra.bicep import template

ROOT = Path(__file__).parents[3]


@pytest.fixture
def compose() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_the_bot_starts_with_the_settings_in_docker_compose(compose: str) -> None:
    """The settings that docker-compose.yml shows are accepted, and lead to its emulator."""
    shown = dict(re.findall(r'^# +"(\w+)": "([^"]+)",?$', compose, re.MULTILINE))
    settings = Settings.from_environ(shown | {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"})
    assert settings.cosmos is not None
    assert "https://localhost:8081/" == settings.cosmos.endpoint
    assert '"127.0.0.1:8081:8081"' in compose


def test_docker_compose_makes_the_container_that_azure_has(compose: str) -> None:
    """Database, container and partition key are those of cosmos.bicep."""
    settings = Settings.from_environ(
        {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "CosmosDbEndpoint": "https://localhost:8081/",
        }
    )
    assert settings.cosmos is not None
    database, container = (json.loads(found) for found in re.findall(r"'(\{\"id\".*\})'", compose))
    key = template("modules/cosmos").only(
        "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers"
    )
    assert {"id": settings.cosmos.database_id} == database
    assert {
        "id": settings.cosmos.container_id,
        "partitionKey": key.properties["resource"]["partitionKey"],
    } == container


def test_emulators_are_closed_to_the_network(compose: str) -> None:
    """Every port is published on this machine only."""
    ports = re.findall(r'^ +- "(\S+:\d+)"$', compose, re.MULTILINE)
    assert 5 == len(ports)
    assert all(port.startswith("127.0.0.1:") for port in ports)
