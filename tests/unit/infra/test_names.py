"""A preview of a deployment knows every resource, and things are made in the right order."""

import re

import pytest

from tests.unit.infra.bicep import INFRA, TEMPLATES, template

MADE_BEFORE = {
    "storage": {"monitoring"},
    "cosmos": {"monitoring"},
    "roles": {"identity", "monitoring", "storage"},
    "cosmosRole": {"identity", "cosmos"},
    "network": {"storage", "cosmos", "roles", "cosmosRole"},
    "functionApp": {
        *("identity", "monitoring", "storage", "cosmos"),
        *("network", "roles", "cosmosRole"),
    },
    "bot": {"identity", "monitoring", "functionApp"},
    "signInConnection": {"bot"},
    "dashboard": {"monitoring", "cosmos"},
    "alerts": {"monitoring", "cosmos"},
}
"""For each module, those whose resources it needs while it is deployed."""

NAMES_OF_A_DEPLOYED_BOT = {
    "token": "token",
    "identity": "id-${token}",
    "workspace": "log-${token}",
    "component": "appi-${token}",
    "storageAccount": "st${token}",
    "deploymentContainer": "deployments",
    "bells": "bells",
    "poisonedBells": "bells-poison",
    "cosmosDatabase": "cosmosDatabaseName",
    "cosmosContainer": "cosmosContainerName",
    "virtualNetwork": "vnet-${token}",
    "blobPrivateEndpoint": "pe-blob-${token}",
    "queuePrivateEndpoint": "pe-queue-${token}",
    "cosmosPrivateEndpoint": (
        "pe-cosmos-${empty(existingAccountId) ? token : uniqueString(token, existingAccountId)}"
    ),
    "plan": "plan-${token}",
    "app": "func-${token}",
    "bot": "bot-${token}",
    "actionGroup": "ag-${token}",
    "budget": "budget-${token}-${budgetStartDate}",
}
"""Another name is another resource: a bot that is deployed would lose its state."""


@pytest.mark.parametrize("module", MADE_BEFORE)
def test_what_a_module_needs_is_made_before_it(module: str) -> None:
    """Nothing is deployed beside what it needs, although no output of that tells the order."""
    assert MADE_BEFORE[module] <= _before(module)


def test_every_modules_order_is_known() -> None:
    """A module that is new here says what it needs, or that it needs nothing."""
    assert template("main").modules.keys() == MADE_BEFORE.keys() | {
        "identity",
        "monitoring",
        "budget",
    }


def test_a_deployed_bot_keeps_its_names() -> None:
    """The names are those of the first release, made of the hash."""
    names = dict(template("main").variables["names"]["value"])
    assert "'cosmos-${token}'" in template("main").text
    del names["cosmosAccountId"]
    assert NAMES_OF_A_DEPLOYED_BOT == names


def test_the_hash_is_that_of_the_first_release_unless_one_is_given() -> None:
    """Its formula must stay; nameToken is for a bot whose environment had another name."""
    main = template("main")
    formula = "uniqueString(resourceGroup().id, environmentName)"
    assert f"var token = empty(nameToken) ? {formula} : nameToken\n" in main.text
    assert main.parameters["nameToken"]["default"] == ""
    parameters = (INFRA / "main.bicepparam").read_text(encoding="utf-8")
    assert "environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'bot')" in parameters


def test_both_documented_ways_name_the_environment_alike() -> None:
    """azd and the Azure CLI make one bot, not two, from the commands in the README."""
    readme = (INFRA.parent / "README.md").read_text(encoding="utf-8")
    (with_azd,) = re.findall(r"^azd up --environment (\S+)$", readme, re.MULTILINE)
    (without,) = re.findall(r"^export AZURE_ENV_NAME=(\S+)", readme, re.MULTILINE)
    assert with_azd == without
    assert readme.index("export AZURE_ENV_NAME=") < readme.index("az deployment group create")


def test_every_name_is_declared() -> None:
    """The table of names has the type that the modules know."""
    names = template("main").variables["names"]
    types = (INFRA / "types.bicep").read_text(encoding="utf-8")
    of_names = types.partition("type Names = {\n")[2].partition("\n}\n")[0]
    declared = re.findall(r"^  (\w+): string$", of_names, re.MULTILINE)
    assert "Names" == names["type"]
    assert set(names["value"]) == set(declared)


@pytest.mark.parametrize("name", TEMPLATES)
def test_modules_have_no_names_of_their_own(name: str) -> None:
    """A fixed name would let two deployments at once get into each other's way."""
    assert [] == re.findall(r"^module .*\n  name:", template(name).text, re.MULTILINE)


def test_no_name_comes_out_of_a_deployment() -> None:
    """Outputs are used for what only Azure knows, so that a preview need not stop at a module."""
    used = set(re.findall(r"\b\w+!?\.outputs\.\w+", template("main").text))
    assert {
        "identity.outputs.principalId",
        "identity.outputs.clientId",
        "cosmosRole.outputs.documentEndpoint",
        "network!.outputs.appSubnetId",
        "functionApp.outputs.messagesEndpoint",
    } == used


def _before(module: str) -> set[str]:
    """
    Modules that are made before this one.

    One that is not deployed hands no order on: what it would have waited for is not waited for.
    """
    modules = template("main").modules
    found: set[str] = set()
    waiting = set(modules[module].waits_for)
    while waiting:
        found |= waiting
        sure = {name for name in waiting if " if (" not in modules[name].text}
        waiting = {each for name in sure for each in modules[name].waits_for} - found
    return found
