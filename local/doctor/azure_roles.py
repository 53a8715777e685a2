"""
Whether the identity of a deployed bot has the roles that roles.bicep and cosmos-role.bicep
of infra/modules assign.

Standard library only.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from local.doctor.azure_cli import Azure, AzureCliError, ids_of_type, name_of
from local.doctor.findings import Finding, Level

STORAGE_BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
STORAGE_QUEUE_DATA_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
COSMOS_DATA_CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"


def blob_role(
    azure: Azure, listed: list[dict[str, Any]], settings: Mapping[str, str], principal_id: str
) -> Finding:
    accounts = _storage_accounts(listed, settings, "AzureWebJobsStorage__blobServiceUri")
    return _role(
        azure, accounts, principal_id, STORAGE_BLOB_DATA_OWNER, "Storage Blob Data Owner", "starts"
    )


def queue_roles(
    azure: Azure, listed: list[dict[str, Any]], settings: Mapping[str, str], principal_id: str
) -> Iterator[Finding]:
    accounts = _storage_accounts(listed, settings, "AzureWebJobsStorage__queueServiceUri")
    for queue in ("bells", "bells-poison"):
        try:
            yield _role(
                azure,
                [f"{account}/queueServices/default/queues/{queue}" for account in accounts],
                principal_id,
                STORAGE_QUEUE_DATA_CONTRIBUTOR,
                "Storage Queue Data Contributor",
                "finishes slow turns",
            )
        except AzureCliError as error:
            yield Finding(Level.FAULT, f"The queue {queue} cannot be checked: {error}")


def _storage_accounts(
    listed: list[dict[str, Any]], settings: Mapping[str, str], name: str
) -> list[str]:
    """The ids of the accounts, one or none, that the setting has the address of."""
    host = urlsplit(settings.get(name, "")).hostname or ""
    return [
        account
        for account in ids_of_type(listed, "Microsoft.Storage/storageAccounts")
        if name_of(account) == host.partition(".")[0]
    ]


def telemetry_role(azure: Azure, listed: list[dict[str, Any]], principal_id: str) -> Finding:
    return _role(
        azure,
        ids_of_type(listed, "Microsoft.Insights/components"),
        principal_id,
        MONITORING_METRICS_PUBLISHER,
        "Monitoring Metrics Publisher",
        "shows up in Application Insights",
    )


def _role(
    azure: Azure, targets: list[str], principal_id: str, role_id: str, role: str, purpose: str
) -> Finding:
    for target in targets:
        assignments = azure.get(
            f"{target}/providers/Microsoft.Authorization/roleAssignments",
            "2022-04-01",
            {"$filter": f"assignedTo('{principal_id}')"},
        )["value"]
        if any(a["properties"]["roleDefinitionId"].endswith(role_id) for a in assignments):
            return Finding(Level.OK, f"The identity has the role {role} on {name_of(target)}")
    where = name_of(targets[0]) if targets else "a resource that is not in this group"
    return Finding(
        Level.FAULT,
        f"The bot only {purpose} if its identity has the role {role} on {where}; assign it",
    )


def state_role(azure: Azure, account: str, database_id: str, principal_id: str) -> Finding:
    """Whether the identity may read and write the database in the Cosmos DB account."""
    role = "Cosmos DB Built-in Data Contributor"
    database = f"{account}/dbs/{database_id}".casefold()
    for assignment in azure.get(f"{account}/sqlRoleAssignments", "2025-10-15")["value"]:
        properties = assignment["properties"]
        if (
            properties["principalId"] == principal_id
            and properties["roleDefinitionId"].endswith(COSMOS_DATA_CONTRIBUTOR)
            and f"{database}/".startswith(f"{properties['scope'].rstrip('/')}/".casefold())
        ):
            return Finding(Level.OK, f"The identity has the role {role} on {name_of(account)}")
    return Finding(
        Level.FAULT,
        f"The bot cannot read its state without the role {role} on {name_of(account)}; deploy, or "
        "assign it with `az cosmosdb sql role assignment create` (the portal cannot)",
    )
