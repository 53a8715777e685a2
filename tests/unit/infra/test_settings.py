"""The app settings that the Bicep makes are those that the app reads."""

from collections.abc import Iterator, Mapping

import pytest

from shared.settings import AppType, Settings
from tests.unit.infra.bicep import Template, alternatives, reference, template, value_of

APP_ID = "11111111-1111-4111-8111-111111111111"
TENANT_ID = "22222222-2222-4222-8222-222222222222"

AZURE_VALUES = {
    "identity.properties.clientId": APP_ID,
    "identity.properties.tenantId": TENANT_ID,
    "cosmosEndpoint": "https://cosmos-x.documents.azure.com:443/",
    "names.cosmosDatabase": "bot",
    "names.cosmosContainer": "state",
    "storageAccount.properties.primaryEndpoints.blob": "https://stx.blob.core.windows.net/",
    "storageAccount.properties.primaryEndpoints.queue": "https://stx.queue.core.windows.net/",
    "component.properties.ConnectionString": f"InstrumentationKey={TENANT_ID}",
    "allowedServiceHosts": "",
}
"""What the expressions in the settings come to in a deployment."""

SET_BY_AZURE = {
    "WEBSITE_INSTANCE_ID": "0123456789abcdef",
    "CONTAINER_NAME": "0123456789-ABCDEF",
    "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
}
"""What the platform adds by itself, of what the app reads."""

READ_BY_THE_RUNTIME = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__credential",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""Settings for the Functions host and for telemetry, not for the app."""

NOT_FOR_AZURE = {
    "MicrosoftAppPassword": "the identity has none",
    "AzureWebJobsStorage": "its key opens the account; the identity does too",
    "AzureWebJobsStorage__accountName": "the addresses of its services are given",
    "CosmosDbKey": "emulators only",
    "CosmosDbVerifyTls": "emulators only",
    "ChannelService": "sovereign clouds",
    "ToChannelFromBotLoginUrl": "sovereign clouds",
    "ToChannelFromBotOAuthScope": "sovereign clouds",
    "ToBotFromChannelTokenIssuer": "sovereign clouds",
    "ToBotFromChannelOpenIdMetadataUrl": "sovereign clouds",
    "ToBotFromEmulatorOpenIdMetadataUrl": "local identity providers",
}
"""Settings that the app reads and that a deployment to public Azure leaves out."""

FORBIDDEN_BY_FLEX = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
}

SITE_CONFIG_FORBIDDEN_BY_FLEX = {
    "alwaysOn",
    "appCommandLine",
    "ftpsState",
    "functionAppScaleLimit",
    "linuxFxVersion",
    "preWarmedInstanceCount",
    "pythonVersion",
    "use32BitWorkerProcess",
}


class RecordedEnviron(Mapping[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.fixture
def function_app() -> Template:
    return template("modules/function-app")


@pytest.fixture
def app_settings(function_app: Template) -> dict[str, str]:
    """Each setting with the value that a deployment gives it."""
    listed = function_app.only("Microsoft.Web/sites").properties["siteConfig"]["appSettings"]
    return {setting["name"]: _evaluated(setting["value"]) for setting in listed}


def test_the_app_starts_with_the_settings_of_the_deployment(app_settings: dict[str, str]) -> None:
    """What the Bicep sets and what Azure adds is all that the app needs."""
    settings = Settings.from_environ(app_settings | SET_BY_AZURE)

    assert not settings.development
    assert settings.identity is not None
    assert AppType.USER_ASSIGNED_MSI == settings.identity.app_type
    assert (APP_ID, TENANT_ID) == (settings.identity.app_id, settings.identity.tenant_id)
    assert settings.cosmos is not None
    assert "https://cosmos-x.documents.azure.com:443/" == settings.cosmos.endpoint
    assert settings.cosmos.key == ""


def test_state_lives_in_the_database_and_container_that_are_made(
    app_settings: dict[str, str],
) -> None:
    """The app is sent to the database and the container of cosmos.bicep."""
    prefix = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases"
    cosmos = template("modules/cosmos")
    database, container = cosmos.only(prefix), cosmos.only(f"{prefix}/containers")
    assert value_of(database.body["name"]) == app_settings["CosmosDbDatabaseId"]
    assert value_of(container.body["name"]) == app_settings["CosmosDbContainerId"]
    for made in (database, container):
        assert made.body["name"] == made.properties["resource"]["id"]
    given = template("main").modules["functionApp"].parameters["cosmosEndpoint"]
    assert "cosmosRole.outputs.documentEndpoint" == reference(given)


def test_every_setting_of_the_app_is_set_and_no_other(app_settings: dict[str, str]) -> None:
    """Each setting that the app reads is set, set by Azure, or not for Azure; none is left over."""
    environ = RecordedEnviron(app_settings | SET_BY_AZURE)
    Settings.from_environ(environ)

    read = environ.asked - SET_BY_AZURE.keys() - NOT_FOR_AZURE.keys()
    assert read == app_settings.keys() - READ_BY_THE_RUNTIME


def test_only_the_identity_opens_doors(app_settings: dict[str, str]) -> None:
    """The runtime and the telemetry use the bot's identity, in place of keys."""
    assert "managedidentity" == app_settings["AzureWebJobsStorage__credential"]
    assert APP_ID == app_settings["AzureWebJobsStorage__clientId"]
    assert (
        f"ClientId={APP_ID};Authorization=AAD"
        == app_settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    )


def test_nothing_is_set_that_flex_consumption_refuses(
    function_app: Template, app_settings: dict[str, str]
) -> None:
    """Settings of the older plans make a Flex Consumption deployment fail."""
    site_config = function_app.only("Microsoft.Web/sites").properties["siteConfig"]
    assert set() == FORBIDDEN_BY_FLEX & app_settings.keys()
    assert set() == SITE_CONFIG_FORBIDDEN_BY_FLEX & site_config.keys()


def test_instances_are_replaced_at_once_unless_asked(function_app: Template) -> None:
    """Rolling updates are a preview; without them Azure does what it always did."""
    config = function_app.only("Microsoft.Web/sites").properties["functionAppConfig"]
    assert ["RollingUpdate", "Recreate"] == alternatives(config["siteUpdateStrategy"]["type"])
    assert template("main").parameters["rollingUpdates"]["default"] is False
    assert "#disable-next-line BCP037 // a preview property" in function_app.text


def _evaluated(value: object) -> str:
    written = reference(value)
    if written in AZURE_VALUES:
        return AZURE_VALUES[written]
    for expression, result in AZURE_VALUES.items():
        written = written.replace(f"${{{expression}}}", result)
    assert "." not in written, f"no value is known for {written}"
    return written
