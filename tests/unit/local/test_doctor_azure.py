"""What `dev.py doctor --azure` says of a deployed bot, from answers that Azure gives."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.doctor.azure import diagnose, examine, post_with_empty_token
from local.doctor.azure_cli import AzureCli, AzureCliError
from local.doctor.azure_place import Place, place_of
from local.doctor.findings import Level
from tests.unit.raw_channel import POLL_INTERVAL_S

RECORDED = Path(__file__).parent / "recorded_azure.json"

SUBSCRIPTION = "99999999-9999-4999-8999-999999999999"

Spoil = Callable[[dict[str, Any]], None]


class RecordedAzure:
    """Azure as it answered once."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))

    def subscription_id(self) -> str:
        return str(self.answers["account show"]["id"])

    def get(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> Any:
        try:
            return self.answers[f"get {path}"]
        except KeyError as error:
            raise AzureCliError("`az rest` failed: Not Found") from error

    def post(self, path: str, api_version: str, body: object = None) -> Any:
        try:
            return self.answers[f"post {path}"]
        except KeyError as error:
            raise AzureCliError("`az rest` failed: Not Found") from error

    def answer(self, path_end: str) -> Any:
        """The one answer whose request ends so, for a test to spoil."""
        (found,) = (answer for key, answer in self.answers.items() if key.endswith(path_end))
        return found


def complaints(azure: RecordedAzure, status: int | None = 401) -> list[str]:
    """What is wrong, in the doctor's words."""
    findings = diagnose(azure, SUBSCRIPTION, "rg-bot", lambda _: status)
    return [finding.text for finding in findings if finding.level is Level.FAULT]


@pytest.fixture
def azure() -> RecordedAzure:
    return RecordedAzure()


def test_a_healthy_bot_has_no_complaints(azure: RecordedAzure) -> None:
    """Of a bot that is deployed as infra/ describes, every finding is good."""
    findings = list(diagnose(azure, SUBSCRIPTION, "rg-bot", lambda _: 401))
    assert [] == [finding.text for finding in findings if finding.level is Level.FAULT]
    assert 14 == len(findings)


def test_an_identity_that_is_not_attached_is_named(azure: RecordedAzure) -> None:
    """The app without the bot's identity cannot do anything, so roles are not looked at."""
    azure.answer("sites/func-abc")["identity"] = {"type": "None"}
    (complaint,) = complaints(azure)
    assert "not attached to func-abc" in complaint


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("storageAccounts/stabc/providers/Microsoft.Authorization/roleAssignments", "Blob Data"),
        ("queues/bells/providers/Microsoft.Authorization/roleAssignments", "Queue Data"),
        ("queues/bells-poison/providers/Microsoft.Authorization/roleAssignments", "Queue Data"),
        ("components/appi-abc/providers/Microsoft.Authorization/roleAssignments", "Metrics"),
        ("cosmos-abc/sqlRoleAssignments", "Data Contributor"),
    ],
)
def test_a_missing_role_is_named(azure: RecordedAzure, path: str, role: str) -> None:
    """Each role is missed when it is not assigned."""
    azure.answer(path)["value"].clear()
    (complaint,) = complaints(azure)
    assert role in complaint


def test_another_role_does_not_count(azure: RecordedAzure) -> None:
    """Roles that only allow reading are none of these."""
    for answer in azure.answers.values():
        for found in answer.get("value", []):
            role = found.get("properties", {}).get("roleDefinitionId", "")
            if role:
                found["properties"]["roleDefinitionId"] = role[:-1] + "1"
    assert 5 == len(complaints(azure))


def test_another_identitys_data_role_does_not_count(azure: RecordedAzure) -> None:
    """The list of data roles has everybody's; only those of the bot's identity help it."""
    assignment = azure.answer("sqlRoleAssignments")["value"][0]["properties"]
    assignment["principalId"] = "77777777-7777-4777-8777-777777777777"
    (complaint,) = complaints(azure)
    assert "Data Contributor" in complaint


@pytest.mark.parametrize(("scope_end", "faults"), [("", 0), ("/dbs/bot", 0), ("/dbs/bo", 1)])
def test_a_data_role_must_cover_the_database(
    azure: RecordedAzure, scope_end: str, faults: int
) -> None:
    """A role on the account or on the bot's database is enough, one on another is not."""
    assignment = azure.answer("sqlRoleAssignments")["value"][0]["properties"]
    assignment["scope"] = assignment["scope"].removesuffix("/dbs/bot") + scope_end
    assert faults == len(complaints(azure))


def test_state_may_be_in_an_account_elsewhere(azure: RecordedAzure) -> None:
    """An account of another resource group, such as a restored one, is found and examined."""
    _restore_elsewhere(azure)
    assert [] == complaints(azure)


def test_a_restored_account_without_the_role_is_named(azure: RecordedAzure) -> None:
    """A restore brings no data roles with it, so the bot could not read what was restored."""
    restored = _restore_elsewhere(azure)
    azure.answers[f"get {restored}/sqlRoleAssignments"]["value"].clear()
    (complaint,) = complaints(azure)
    assert "Data Contributor on cosmos-restored" in complaint


def test_an_account_that_is_nowhere_is_named(azure: RecordedAzure) -> None:
    """An address that belongs to no account of the subscription ends the look at the state."""
    _restore_elsewhere(azure)
    azure.answer("providers/Microsoft.DocumentDB/databaseAccounts")["value"].clear()
    (complaint,) = complaints(azure)
    assert "cosmos-restored.documents.azure.com" in complaint


def test_another_partition_key_is_found(azure: RecordedAzure) -> None:
    """Containers of other bots may be partitioned otherwise, and cannot be used."""
    answer = azure.answer("containers/state")
    answer["properties"]["resource"]["partitionKey"]["paths"] = ["/userId"]
    (complaint,) = complaints(azure)
    assert "has the partition key /userId, but the bot needs /id" in complaint


@pytest.mark.parametrize("paths", [[], [{"path": "/document/other/?"}]])
def test_a_container_without_the_sweeps_index_is_named(
    azure: RecordedAzure, paths: list[dict[str, str]]
) -> None:
    """A restored container has the index that it had, perhaps from before there was a sweep."""
    policy = azure.answer("containers/state")["properties"]["resource"]["indexingPolicy"]
    policy["includedPaths"] = paths
    (complaint,) = complaints(azure)
    assert 'no index of /document/"$turns"/open/?' in complaint


def test_an_index_of_everything_has_the_sweeps_path(azure: RecordedAzure) -> None:
    """A container that somebody else made indexes all there is."""
    policy = azure.answer("containers/state")["properties"]["resource"]["indexingPolicy"]
    policy["includedPaths"], policy["excludedPaths"] = [{"path": "/*"}], []
    assert [] == complaints(azure)


def test_a_deployment_from_before_the_queue_is_named(azure: RecordedAzure) -> None:
    """Where a queue is missing, the examination says which one, and goes on."""
    azure.answers = {key: v for key, v in azure.answers.items() if "/queues/bells/" not in key}
    (complaint,) = complaints(azure)
    assert complaint.startswith("The queue bells cannot be checked")


def test_several_regions_that_write_are_a_fault(azure: RecordedAzure) -> None:
    """With them a conditional write is none, and turns would be lost in silence."""
    azure.answer("databaseAccounts/cosmos-abc")["properties"]["enableMultipleWriteLocations"] = True
    (complaint,) = complaints(azure)
    assert complaint.startswith("Several regions of cosmos-abc take writes")


def test_a_missing_container_is_named(azure: RecordedAzure) -> None:
    """The bot never makes its container, so one that is not there is a fault."""
    azure.answers = {key: v for key, v in azure.answers.items() if "/containers/" not in key}
    (complaint,) = complaints(azure)
    assert complaint.startswith("The container state in bot of cosmos-abc cannot be checked")


def _restore_elsewhere(azure: RecordedAzure) -> str:
    """Have the state in another resource group's account, whose id is returned."""
    listed = azure.answer("rg-bot/resources")["value"]
    (own,) = [str(found["id"]) for found in listed if found["name"] == "cosmos-abc"]
    listed[:] = [found for found in listed if found["id"] != own]
    restored = own.replace("rg-bot", "rg-restored").replace("cosmos-abc", "cosmos-restored")
    azure.answers = json.loads(json.dumps(azure.answers).replace(own, restored))
    subscription = azure.subscription_id()
    azure.answers[
        f"get /subscriptions/{subscription}/providers/Microsoft.DocumentDB/databaseAccounts"
    ] = {"value": [{"id": restored, "name": "cosmos-restored"}]}
    settings = azure.answer("appsettings/list")["properties"]
    settings["CosmosDbEndpoint"] = "https://cosmos-restored.documents.azure.com:443/"
    for assignment in azure.answers[f"get {restored}/sqlRoleAssignments"]["value"]:
        assignment["properties"]["scope"] = f"{restored}/dbs/bot"
    return restored


def test_settings_are_judged_as_the_bot_judges_them(azure: RecordedAzure) -> None:
    """A setting that would stop the bot from starting is named as it would name it."""
    del azure.answer("appsettings/list")["properties"]["MicrosoftAppTenantId"]
    (complaint,) = complaints(azure)
    assert complaint.startswith("MicrosoftAppTenantId is missing")


def test_settings_are_judged_as_in_azure(azure: RecordedAzure) -> None:
    """What only a developer's machine may have is a fault, whatever the settings say they are."""
    settings = azure.answer("appsettings/list")["properties"]
    settings["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development"
    settings["CosmosDbKey"] = "c2VjcmV0"
    assert any("CosmosDbKey is for emulators" in complaint for complaint in complaints(azure))


def test_another_bots_id_in_the_settings_is_found(azure: RecordedAzure) -> None:
    """An app with another id than its registration would refuse every message."""
    settings = azure.answer("appsettings/list")["properties"]
    settings["MicrosoftAppId"] = "88888888-8888-4888-8888-888888888888"
    (complaint,) = complaints(azure)
    assert complaint.startswith("MicrosoftAppId in the app's settings is not the id")


def test_a_messaging_endpoint_elsewhere_is_found(azure: RecordedAzure) -> None:
    """Channels that send to another address than the app's are found."""
    azure.answer("bot-abc")["properties"]["endpoint"] = "https://old.example.com/api/messages"
    (complaint,) = complaints(azure)
    assert "old.example.com" in complaint
    assert "https://func-abc.azurewebsites.net/api/messages" in complaint


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (200, "must refuse it"),
        (404, "The app is empty"),
        (503, "The app fails (503)"),
        (None, "does not answer"),
    ],
)
def test_only_401_is_a_good_answer_to_an_empty_token(
    azure: RecordedAzure, status: int | None, what: str
) -> None:
    """Whatever else the endpoint answers is explained."""
    (complaint,) = complaints(azure, status)
    assert what in complaint


IMPORT_ERROR = (
    "Exception while executing function: Functions.MessagesFunction Result: Failure\n"
    "Exception: ModuleNotFoundError: No module named 'msgspec._core'. Please check ..."
)


def test_a_package_for_another_python_is_recognised(azure: RecordedAzure) -> None:
    """An app that cannot import its requirements was built with the wrong Python; how is said."""
    azure.answer("api/query")["tables"][0]["rows"].append([IMPORT_ERROR])
    (complaint,) = complaints(azure, 500)
    assert "it cannot import msgspec" in complaint
    assert "another Python than 3.13" in complaint
    assert "func azure functionapp publish func-abc --python --no-build" in complaint


def test_import_errors_of_a_bot_that_answers_are_old(azure: RecordedAzure) -> None:
    """What the log remembers is no fault while the app answers as it should."""
    azure.answer("api/query")["tables"][0]["rows"].append([IMPORT_ERROR])
    assert [] == complaints(azure, 401)


def test_a_log_that_cannot_be_read_hides_no_failure(azure: RecordedAzure) -> None:
    """Without the right to query the log, the failure itself is reported all the same."""
    azure.answers = {key: v for key, v in azure.answers.items() if "api/query" not in key}
    (complaint,) = complaints(azure, 500)
    assert complaint.startswith("The app fails (500); the reason is in Application Insights")


def test_a_group_without_a_bot_ends_the_examination(azure: RecordedAzure) -> None:
    """With no registration to start from, there is one sentence and no more."""
    listed = azure.answer("rg-bot/resources")["value"]
    listed[:] = [found for found in listed if "BotService" not in found["type"]]
    (complaint,) = complaints(azure)
    assert "0 bot registrations and 1 apps" in complaint


@pytest.fixture
def azd(tmp_path: Path) -> Path:
    """A project with two azd environments, of which "test" is the default."""
    for name in ("test", "other"):
        folder = tmp_path / ".azure" / name
        folder.mkdir(parents=True)
        (folder / ".env").write_text(
            f'AZURE_ENV_NAME="{name}"\nAZURE_RESOURCE_GROUP="rg-{name}"\n'
            f'AZURE_SUBSCRIPTION_ID="subscription-{name}"\n'
        )
    (tmp_path / ".azure" / "config.json").write_text('{"version":1,"defaultEnvironment":"test"}')
    return tmp_path


@pytest.mark.parametrize(
    ("environ", "named", "place"),
    [
        ({}, None, Place("rg-test", "subscription-test")),
        ({"AZURE_ENV_NAME": "other"}, None, Place("rg-other", "subscription-other")),
        ({"AZURE_ENV_NAME": "none"}, None, Place(None, None)),
        ({}, "RG-Test", Place("RG-Test", "subscription-test")),
        ({}, "rg-elsewhere", Place("rg-elsewhere", None)),
        ({"AZURE_RESOURCE_GROUP": "rg-shell"}, None, Place("rg-shell", None)),
        ({"AZURE_RESOURCE_GROUP": "rg-shell"}, "rg-test", Place("rg-test", "subscription-test")),
        ({"AZURE_SUBSCRIPTION_ID": "shell"}, "rg-test", Place("rg-test", "shell")),
        ({"AZURE_SUBSCRIPTION_ID": "shell"}, "rg-elsewhere", Place("rg-elsewhere", "shell")),
    ],
)
def test_the_bot_is_looked_for_where_it_was_deployed(
    azd: Path, environ: dict[str, str], named: str | None, place: Place
) -> None:
    """What is named wins, then the shell, then azd, whose subscription is for its group only."""
    assert place == place_of(environ, azd, named)


def test_without_azd_nothing_is_known(tmp_path: Path) -> None:
    """A project that azd has never seen names no group."""
    assert Place(None, None) == place_of({}, tmp_path)


@pytest.mark.starts_programs
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a Unix script")
def test_the_subscription_of_the_place_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Azure CLI's own subscription is not looked into when another is known."""
    monkeypatch.setenv("PATH", str(_recorded_az(tmp_path).parent))
    elsewhere = {"AZURE_RESOURCE_GROUP": "rg-bot", "AZURE_SUBSCRIPTION_ID": "elsewhere"}
    (finding,) = examine(elsewhere)
    assert "`az rest` failed: Not Found: /subscriptions/elsewhere/resourceGroups/rg-bot/" in (
        finding.text
    )


@pytest.mark.starts_programs
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a Unix script")
def test_az_is_run_and_read(tmp_path: Path) -> None:
    """The whole diagnosis works through an `az` that is a program."""
    findings = diagnose(
        AzureCli(str(_recorded_az(tmp_path))), SUBSCRIPTION, "rg-bot", lambda _: 401
    )
    assert 14 == sum(finding.level is Level.OK for finding in findings)


@pytest.mark.starts_programs
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a Unix script")
def test_the_log_is_queried_through_az(tmp_path: Path) -> None:
    """A failing app's log is asked with a query in the request's body."""
    findings = diagnose(
        AzureCli(str(_recorded_az(tmp_path))), SUBSCRIPTION, "rg-bot", lambda _: 500
    )
    (complaint,) = [finding.text for finding in findings if finding.level is Level.FAULT]
    assert complaint.startswith("The app fails (500)")


@pytest.mark.starts_programs
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a Unix script")
def test_a_failing_az_is_quoted(tmp_path: Path) -> None:
    """What `az` complains of is passed on in one sentence."""
    az = AzureCli(str(_recorded_az(tmp_path)))
    with pytest.raises(AzureCliError) as caught:
        az.get("/nowhere", "2025-03-01")
    assert "`az rest` failed: Not Found: /nowhere" == str(caught.value)


def test_a_missing_az_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Azure CLI there is one finding, which says where to get it."""
    monkeypatch.setenv("PATH", "")
    (finding,) = examine({"AZURE_RESOURCE_GROUP": "rg-bot"})
    assert Level.FAULT is finding.level
    assert "https://aka.ms/azure-cli" in finding.text


def test_an_empty_token_is_sent_and_the_status_read(refusing_endpoint: str) -> None:
    """The endpoint is asked for real; a closed port is no answer."""
    assert 401 == post_with_empty_token(refusing_endpoint)
    assert post_with_empty_token("http://127.0.0.1:1/api/messages") is None


@pytest.fixture
def refusing_endpoint() -> Iterator[str]:
    """The URL of a server that answers 401 to "Bearer " and 500 to anything else."""

    class Refusal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(401 if self.headers["Authorization"].strip() == "Bearer" else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base's name)
            pass

    with HTTPServer(("127.0.0.1", 0), Refusal) as server:
        thread = Thread(target=server.serve_forever, args=(POLL_INTERVAL_S,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/messages"
        server.shutdown()
        thread.join()


def _recorded_az(folder: Path) -> Path:
    """A program that answers as `az` did."""
    program = folder / "az"
    program.write_text(
        f"""#!{sys.executable}
import json, sys
recorded = json.load(open({str(RECORDED)!r}))
arguments = sys.argv[1:]
assert arguments[-3:] == ["--output", "json", "--only-show-errors"]
key = " ".join(arguments[:2])
if arguments[0] == "rest":
    key = arguments[2] + " " + arguments[4]
    assert arguments[5] == "--url-parameters" and arguments[6].startswith("api-version=")
    assert "--body" not in arguments or json.loads(arguments[arguments.index("--body") + 1])
if key not in recorded:
    sys.exit("ERROR: Not Found: " + key.partition(" ")[2])
json.dump(recorded[key], sys.stdout)
"""
    )
    program.chmod(0o755)
    return program
