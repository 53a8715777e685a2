"""No key opens anything, no secret leaves a deployment, and every right has its target."""

import re

from tests.unit.infra.bicep import (
    TEMPLATES,
    Resource,
    alternatives,
    made_resources,
    reference,
    template,
)

LOCAL_AUTHENTICATION_SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "Microsoft.BotService/botServices": (("disableLocalAuth",), True),
    "Microsoft.DocumentDB/databaseAccounts": (("disableLocalAuth",), True),
    "Microsoft.Insights/components": (("DisableLocalAuth",), True),
    "Microsoft.OperationalInsights/workspaces": (("features", "disableLocalAuth"), True),
    "Microsoft.Storage/storageAccounts": (("allowSharedKeyAccess",), False),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (("allow",), False),
}
"""For each type that accepts keys or passwords: the property that ends it, and its value."""

BUILT_IN_ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "cosmosDbDataContributor": "00000000-0000-0000-0000-000000000002",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""


def test_nothing_accepts_a_key_or_a_password() -> None:
    """Every resource that could be opened with a key refuses keys."""
    seen = set()
    for _, resource in made_resources():
        if resource.type in LOCAL_AUTHENTICATION_SWITCHES:
            path, expected = LOCAL_AUTHENTICATION_SWITCHES[resource.type]
            value: object = resource.properties
            for name in path:
                assert isinstance(value, dict)
                value = value.get(name)
            assert expected is value, resource.symbol
            seen.add(resource.type)
    assert LOCAL_AUTHENTICATION_SWITCHES.keys() == seen


def test_no_secret_is_read() -> None:
    """No template calls a function that returns keys."""
    for name in TEMPLATES:
        assert not re.search(r"\blist[A-Z]\w*\(|\.list\w+\(|getSecret\(", template(name).text)


def test_no_secret_is_a_parameter_or_an_output() -> None:
    """Nothing that is handed in or out is, or is named like, a secret."""
    secret = re.compile(r"key|secret|password|pwd|connectionstring|credential", re.IGNORECASE)
    for name in TEMPLATES:
        file = template(name)
        assert "@secure" not in file.text
        for declared, output in file.outputs.items():
            assert not secret.search(f"{declared} {reference(output['value'])}"), declared
        assert not [parameter for parameter in file.parameters if secret.search(parameter)]


def test_roles_are_azures_own() -> None:
    """The ids in the role table are those of the roles that it names."""
    assert template("modules/roles").variables["roleIds"]["value"] == BUILT_IN_ROLES


def test_the_identity_has_three_rights_and_no_other() -> None:
    """It owns the runtime's blobs, sends telemetry, and writes state; each with the role for it."""
    roles = template("modules/roles")
    rights = {
        made.symbol: (_target(made).type, *sorted(set(re.findall(r"roleIds\.(\w+)", block))))
        for made in roles.resources.values()
        for block in re.findall(rf"resource {made.symbol} .*?\n}}\n", roles.text, re.DOTALL)
        if not made.existing
    }
    assert {
        "ownsBlobs": ("Microsoft.Storage/storageAccounts", "storageBlobDataOwner"),
        "publishesTelemetry": ("Microsoft.Insights/components", "monitoringMetricsPublisher"),
        "writesState": ("Microsoft.DocumentDB/databaseAccounts", "cosmosDbDataContributor"),
    } == rights


def test_every_role_assignment_has_its_target() -> None:
    """The resource that a role is assigned on is one that the deployment makes, of that type."""
    main = template("main")
    for assignment in template("modules/roles").resources.values():
        if not assignment.existing:
            target = _target(assignment)
            given = main.modules["roles"].parameters[target.body["name"]]
            module, _, output = reference(given).split(".")
            maker = template(main.modules[module].template)
            made = maker.resources[reference(maker.outputs[output]["value"]).removesuffix(".name")]
            assert (target.type, False) == (made.type, made.existing), assignment.symbol


def test_roles_go_to_the_bots_identity_only() -> None:
    """All three rights belong to one principal: the identity of the bot."""
    roles, main = template("modules/roles"), template("main")
    for resource in roles.resources.values():
        if not resource.existing:
            assert "principalId" == resource.properties["principalId"], resource.symbol
    given = main.modules["roles"].parameters["principalId"]
    assert "identity.outputs.principalId" == reference(given)


def test_state_is_writable_in_one_database_only() -> None:
    """The data role ends at the database; it does not cover the account."""
    assignment = template("modules/roles").only(
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"
    )
    assert "${cosmosAccount.id}/dbs/${cosmosDatabaseName}" == assignment.properties["scope"]


def test_a_private_network_closes_the_public_doors() -> None:
    """With privateNetwork, the state and storage accounts refuse the internet."""
    main = template("main")
    for module, type_ in (
        ("cosmos", "Microsoft.DocumentDB/databaseAccounts"),
        ("storage", "Microsoft.Storage/storageAccounts"),
    ):
        account = template(f"modules/{module}").only(type_)
        assert ["Enabled", "Disabled"] == alternatives(account.properties["publicNetworkAccess"])
        assert "publicAccess: !privateNetwork" in main.text
        assert "publicAccess" in main.modules[module].parameters


def _target(assignment: Resource) -> Resource:
    """The resource that a role is assigned on, as roles.bicep refers to it."""
    symbol = assignment.body.get("scope") or assignment.body["parent"]
    return template("modules/roles").resources[symbol]
