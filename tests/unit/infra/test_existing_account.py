"""A bot may keep its state in a Cosmos DB account that exists already, such as a restored one."""

import re

import pytest

from tests.unit.infra.bicep import TEMPLATES, alternatives, made_resources, template


def test_an_account_is_made_unless_one_is_given() -> None:
    """With existingCosmosAccountId no account, database or container is made."""
    main = template("main")
    assert main.parameters["existingCosmosAccountId"]["default"] == ""
    assert "if (empty(existingAccountId))" in main.modules["cosmos"].text
    makers = {
        file.name
        for file, resource in made_resources()
        if re.match(r"Microsoft\.DocumentDB/databaseAccounts(?!/sqlRoleAssignments)", resource.type)
    }
    assert {"modules/cosmos"} == makers


def test_what_is_no_account_ends_the_deployment() -> None:
    """A misspelled id is refused in a sentence, before anything is made."""
    given, failure = alternatives(template("main").variables["existingAccountId"]["value"])
    assert "existingCosmosAccountId" == given
    assert "fail" == failure["function"]["type"]


def test_the_given_account_takes_the_place_of_the_made_one() -> None:
    """One id in the table of names is what everybody uses."""
    own, given = alternatives(template("main").variables["names"]["value"]["cosmosAccountId"])
    assert "resource_id" == own["function"]["type"]
    assert "existingAccountId" == given


@pytest.mark.parametrize("user", ["cosmos-role", "network", "alerts", "dashboard"])
def test_all_users_of_the_account_follow(user: str) -> None:
    """Role, private endpoint, alert and workbook are on the account that is used."""
    assert "names.cosmosAccountId" in template(f"modules/{user}").text


def test_nobody_finds_the_account_another_way() -> None:
    """Whoever refers to an account takes its name out of that id."""
    referring = [
        name
        for name in TEMPLATES
        for resource in template(name).resources.values()
        if resource.type == "Microsoft.DocumentDB/databaseAccounts"
    ]
    by_id = "name: last(split(names.cosmosAccountId, '/'))"
    assert referring
    assert [] == [name for name in referring if by_id not in template(name).text]


def test_the_role_is_assigned_where_the_account_is() -> None:
    """The account may be in another resource group, or subscription."""
    main = template("main").text
    scope = (
        "resourceGroup(split(names.cosmosAccountId, '/')[2], split(names.cosmosAccountId, '/')[4])"
    )
    assert f"module cosmosRole 'modules/cosmos-role.bicep' = {{\n  scope: {scope}\n" in main
