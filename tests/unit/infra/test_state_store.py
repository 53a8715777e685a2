"""The container is what the storage code expects, and costs no more than it must."""

from tests.unit.infra.bicep import Resource, alternatives, template

DATABASES = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases"


def test_documents_are_partitioned_by_their_id() -> None:
    """The partition key is that of the SDK's own containers: /id."""
    key = _container().properties["resource"]["partitionKey"]
    assert {"kind": "Hash", "paths": ["/id"], "version": 2} == key


def test_only_what_the_sweep_looks_for_is_indexed() -> None:
    """A settled document is in no index; "consistent" is the mode that allows a time to live."""
    policy = _container().properties["resource"]["indexingPolicy"]
    assert "consistent" == policy["indexingMode"]
    assert [{"path": '/document/"$turns"/open/?'}] == policy["includedPaths"]
    assert [{"path": "/*"}] == policy["excludedPaths"]


def test_state_is_kept_unless_asked() -> None:
    """By default no document ever expires."""
    assert 0 == template("main").parameters["stateTtlSeconds"]["default"]
    assert [None, "ttlSeconds"] == alternatives(_container().properties["resource"]["defaultTtl"])


def test_the_account_costs_nothing_while_idle() -> None:
    """Serverless unless asked otherwise; throughput is provisioned with autoscale only."""
    account = template("modules/cosmos").only("Microsoft.DocumentDB/databaseAccounts")
    autoscale = {"autoscaleSettings": {"maxThroughput": "maxThroughput"}}
    assert "serverless" == template("main").parameters["cosmosCapacity"]["default"]
    assert [[{"name": "EnableServerless"}], []] == alternatives(account.properties["capabilities"])
    assert [autoscale, {}] == alternatives(_container().properties["options"])


def test_a_lost_document_can_be_had_back() -> None:
    """Backup is continuous: any moment of the last week can be restored."""
    account = template("modules/cosmos").only("Microsoft.DocumentDB/databaseAccounts")
    assert "Continuous" == account.properties["backupPolicy"]["type"]


def test_one_region_takes_the_writes() -> None:
    """A conditional write is one only where one region decides on it."""
    account = template("modules/cosmos").only("Microsoft.DocumentDB/databaseAccounts")
    assert 1 == len(account.properties["locations"])
    assert account.properties["enableMultipleWriteLocations"] is False


def _container() -> Resource:
    return template("modules/cosmos").only(f"{DATABASES}/containers")
