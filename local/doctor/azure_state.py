"""
Where a deployed bot keeps its state, and whether it can do so. Standard library only.

The account need not be in the bot's resource group: a restored one may be anywhere.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from local.doctor.azure_cli import Azure, AzureCliError, ids_of_type, name_of
from local.doctor.azure_roles import state_role
from local.doctor.findings import Finding, Level

ACCOUNTS = "Microsoft.DocumentDB/databaseAccounts"
SWEPT_PATH = '/document/"$turns"/open/?'
"""What is there only while a conversation has something to finish (infra/modules/cosmos.bicep)."""

API_VERSION = "2025-10-15"


def state(
    azure: Azure,
    subscription: str,
    listed: list[dict[str, Any]],
    settings: Mapping[str, str],
    principal_id: str,
) -> Iterator[Finding]:
    """Examine the account and the container that the settings name, and the identity's role."""
    host = urlsplit(settings.get("CosmosDbEndpoint", "")).hostname or ""
    account = _account(azure, subscription, listed, host.partition(".")[0])
    if account is None:
        yield Finding(
            Level.FAULT,
            f"No Cosmos DB account in the subscription {subscription} has the address in "
            f"CosmosDbEndpoint ({host or 'none'}); deploy, or find out where the account is",
        )
        return
    database = settings.get("CosmosDbDatabaseId") or "bot"
    container = settings.get("CosmosDbContainerId") or "state"
    yield _regions(azure, account)
    yield from _container(azure, account, database, container)
    yield state_role(azure, account, database, principal_id)


def _account(
    azure: Azure, subscription: str, listed: list[dict[str, Any]], name: str
) -> str | None:
    """Return the id of the account with this name, in the bot's group or anywhere else."""
    for account in ids_of_type(listed, ACCOUNTS):
        if name_of(account) == name:
            return account
    everywhere = azure.get(f"/subscriptions/{subscription}/providers/{ACCOUNTS}", API_VERSION)
    return next((each["id"] for each in everywhere["value"] if each["name"] == name), None)


def _regions(azure: Azure, account: str) -> Finding:
    properties = azure.get(account, API_VERSION)["properties"]
    if properties.get("enableMultipleWriteLocations"):
        return Finding(
            Level.FAULT,
            f"Several regions of {name_of(account)} take writes, so two turns may both believe "
            "that they came first (docs/region-loss.md); switch off multi-region writes",
        )
    return Finding(Level.OK, f"One region of {name_of(account)} takes the writes")


def _container(azure: Azure, account: str, database: str, container: str) -> Iterator[Finding]:
    where = f"{container} in {database} of {name_of(account)}"
    try:
        found = azure.get(f"{account}/sqlDatabases/{database}/containers/{container}", API_VERSION)
    except AzureCliError as error:
        yield Finding(Level.FAULT, f"The container {where} cannot be checked: {error}")
        return
    paths = found["properties"]["resource"]["partitionKey"]["paths"]
    if paths != ["/id"]:
        yield Finding(
            Level.FAULT,
            f"The container {where} has the partition key {', '.join(paths)}, but the bot needs "
            "/id; copy its documents into a new container",
        )
    else:
        yield Finding(Level.OK, f"State is kept in {where}")
    yield _index(found["properties"]["resource"].get("indexingPolicy") or {}, where)


def _index(policy: Mapping[str, Any], where: str) -> Finding:
    included = {one.get("path") for one in policy.get("includedPaths") or []}
    if policy.get("indexingMode") != "none" and included & {SWEPT_PATH, "/*"}:
        return Finding(Level.OK, f"The container {where} has the index that the sweep uses")
    return Finding(
        Level.FAULT,
        f"The container {where} has no index of {SWEPT_PATH}, so the sweep reads every document "
        "once a minute; add the path to its indexing policy (docs/azure.md)",
    )
