"""No key opens anything, no secret leaves a deployment, and every right has its target."""

import re
from collections.abc import Iterator

import pytest

from tests.unit.infra.bicep import (
    TEMPLATES,
    Resource,
    Template,
    alternatives,
    made_resources,
    reference,
    template,
)

LOCAL_AUTHENTICATION_SWITCHES: dict[str, tuple[tuple[str, ...], bool]] = {
    "Microsoft.DocumentDB/databaseAccounts": (("disableLocalAuth",), True),
    "Microsoft.Insights/components": (("DisableLocalAuth",), True),
    "Microsoft.OperationalInsights/workspaces": (("features", "disableLocalAuth"), True),
    "Microsoft.Storage/storageAccounts": (("allowSharedKeyAccess",), False),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (("allow",), False),
}
"""For each type that accepts keys or passwords: the property that ends it, and its value."""

BUILT_IN_ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "cosmosDbDataContributor": "00000000-0000-0000-0000-000000000002",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""


QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"

ROLE_TEMPLATES = ("modules/roles", "modules/cosmos-role")


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


def test_one_secret_may_be_handed_in_and_none_out() -> None:
    """A client secret for signing people in is the only one; it is secure, and has no default."""
    secret = re.compile(r"key|secret|password|pwd|connectionstring|credential", re.IGNORECASE)
    taken = set()
    for name in TEMPLATES:
        file = template(name)
        for declared, output in file.outputs.items():
            assert not secret.search(f"{declared} {reference(output['value'])}"), declared
        for parameter, declaration in file.parameters.items():
            secure = {"type": "secure"} in declaration["decorators"]
            assert secure == bool(secret.search(parameter)), parameter
            if secure:
                assert not declaration["default"], parameter
                taken.add((name, parameter))
    assert {("main", "signInSecret"), ("modules/sign-in", "secret")} == taken


def test_a_forgotten_secret_ends_the_deployment() -> None:
    """Without signInSecret nothing is deployed: an empty one would replace the one that works."""
    given = template("main").modules["signInConnection"].parameters["secret"]
    failure, passed = alternatives(given)
    assert "fail" == failure["function"]["type"]
    assert "signInSecret" == passed
    assert "if (signIn != null)" in template("main").modules["signInConnection"].text


def test_secrets_open_no_channel_unless_asked() -> None:
    """The bot takes tokens only, until whoever embeds it with a secret says so."""
    bot = template("modules/bot").only("Microsoft.BotService/botServices")
    negated = bot.properties["disableLocalAuth"]["operator"]
    assert ("not", "localAuthEnabled") == (negated["type"], negated["operands"]["bool_value"])
    assert template("main").parameters["localAuthEnabled"]["default"] is False


@pytest.mark.parametrize("channel", ["directLine", "webChat"])
def test_trusted_origins_bring_enhanced_authentication(channel: str) -> None:
    """With origins, a user's id comes from the page's server, not from whoever sits before it."""
    channel_properties = template("modules/bot").resources[channel].properties["properties"]
    (site,) = channel_properties["sites"]
    assert "trustedOrigins" == site["trustedOrigins"]
    assert "isSecureSiteEnabled: !empty(trustedOrigins)" in template("modules/bot").text
    assert "not" == site["isSecureSiteEnabled"]["operator"]["type"]
    assert [] == template("main").parameters["trustedOrigins"]["default"]


def test_roles_are_azures_own() -> None:
    """The ids in the role tables are those of the roles that they name."""
    tables = [template(file).variables["roleIds"]["value"] for file in ROLE_TEMPLATES]
    assert BUILT_IN_ROLES == {name: id_ for table in tables for name, id_ in table.items()}


def test_the_identity_has_these_rights_and_no_other() -> None:
    """It owns the runtime's blobs, rings bells, sends telemetry, and writes state."""
    rights = {
        made.symbol: (_target(file, made).type, *sorted(set(re.findall(r"roleIds\.(\w+)", block))))
        for file, made in _assignments()
        for block in re.findall(rf"resource {made.symbol} .*?\n}}\n", file.text, re.DOTALL)
    }
    assert {
        "ownsBlobs": ("Microsoft.Storage/storageAccounts", "storageBlobDataOwner"),
        "ringsBells": (QUEUES, "storageQueueDataContributor"),
        "setsBellsAside": (QUEUES, "storageQueueDataContributor"),
        "publishesTelemetry": ("Microsoft.Insights/components", "monitoringMetricsPublisher"),
        "writesState": ("Microsoft.DocumentDB/databaseAccounts", "cosmosDbDataContributor"),
    } == rights


def test_every_role_assignment_has_its_target() -> None:
    """The resource that a role is assigned on is one that the deployment makes, of that type."""
    made = [(resource.type, resource.body["name"]) for _, resource in made_resources()]
    for file, assignment in _assignments():
        target = _target(file, assignment)
        assert (target.type, target.body["name"]) in made, assignment.symbol


def test_roles_go_to_the_bots_identity_only() -> None:
    """All rights belong to one principal: the identity of the bot."""
    for _, assignment in _assignments():
        assert "principalId" == assignment.properties["principalId"], assignment.symbol
    for module in ("roles", "cosmosRole"):
        given = template("main").modules[module].parameters["principalId"]
        assert "identity.outputs.principalId" == reference(given)


def test_state_is_writable_in_one_database_only() -> None:
    """The data role ends at the database; it does not cover the account."""
    assignment = template("modules/cosmos-role").only(
        "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"
    )
    assert "${names.cosmosAccountId}/dbs/${names.cosmosDatabase}" == assignment.properties["scope"]


@pytest.mark.parametrize(
    ("module", "type_"),
    [
        ("cosmos", "Microsoft.DocumentDB/databaseAccounts"),
        ("storage", "Microsoft.Storage/storageAccounts"),
    ],
)
def test_a_private_network_closes_the_public_doors(module: str, type_: str) -> None:
    """With "private", and only then, the state and storage accounts refuse the internet."""
    account = template(f"modules/{module}").only(type_)
    assert ["Enabled", "Disabled"] == alternatives(account.properties["publicNetworkAccess"])
    given = template("main").modules[module].parameters["publicAccess"]["operator"]
    assert ("not_equals", "networkAccess", "private") == (
        given["type"],
        given["operands"]["operand_1"],
        given["operands"]["operand_2"],
    )


def test_a_live_bot_can_be_moved_into_a_private_network() -> None:
    """With "both", the app is inside while the accounts are still open; then they can be closed."""
    main = template("main")
    (allowed,) = [
        decorator["argument"]
        for decorator in main.parameters["networkAccess"]["decorators"]
        if decorator["type"] == "allowed"
    ]
    assert ["public", "both", "private"] == allowed
    assert "public" == main.parameters["networkAccess"]["default"]
    assert "if (networkAccess != 'public')" in main.modules["network"].text
    assert "subnetId: (networkAccess != 'public') ? network!.outputs.appSubnetId : ''" in main.text


def test_private_endpoints_are_made_one_by_one() -> None:
    """Two endpoints of one account at once are refused."""
    assert "@batchSize(1)\nmodule endpoints 'private-endpoint.bicep'" in (
        template("modules/network").text
    )


def _assignments() -> Iterator[tuple[Template, Resource]]:
    """What gives the identity its rights."""
    for name in ROLE_TEMPLATES:
        file = template(name)
        for resource in file.resources.values():
            if not resource.existing:
                yield file, resource


def _target(file: Template, assignment: Resource) -> Resource:
    """The resource that a role is assigned on, as the file refers to it."""
    return file.resources[assignment.body.get("scope") or assignment.body["parent"]]
