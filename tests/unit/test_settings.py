"""Settings are read as a whole: they describe a bot that can run, or every fault is named."""

import pytest

from shared.errors import SettingsError
from shared.settings import AZURE_MARKERS, AppType, CosmosSettings, Identity, Settings

APP_ID = "11111111-1111-1111-1111-111111111111"
TENANT_ID = "22222222-2222-2222-2222-222222222222"

DEVELOPMENT = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
IDENTITY = {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppTenantId": TENANT_ID,
}
COSMOS = {"CosmosDbEndpoint": "https://account.documents.azure.com:443/"}
AZURE = {**IDENTITY, **COSMOS, "WEBSITE_INSTANCE_ID": "instance"}


def faults(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(environ)
    return caught.value.faults


def test_a_developers_machine_needs_no_settings() -> None:
    """With nothing set but Development, the bot runs in memory and without authentication."""
    settings = Settings.from_environ(DEVELOPMENT)

    assert settings.development
    assert settings.identity is None
    assert settings.cosmos is None


def test_azure_needs_an_identity_and_a_store() -> None:
    """In Azure the app does not start without knowing who it is and where its state lives."""
    names = [fault.split()[0] for fault in faults({"WEBSITE_INSTANCE_ID": "instance"})]

    assert ["MicrosoftAppId", "CosmosDbEndpoint"] == names


@pytest.mark.parametrize("name", AZURE_MARKERS)
def test_development_is_not_believed_in_azure(name: str) -> None:
    """Where the app is deployed, AZURE_FUNCTIONS_ENVIRONMENT=Development opens nothing."""
    found = faults({**DEVELOPMENT, name: "x"})

    assert ["MicrosoftAppId", "CosmosDbEndpoint"] == [fault.split()[0] for fault in found[:2]]
    assert f"because {name} is set" in found[2]


def test_each_platform_is_told_by_its_variables() -> None:
    """Every way to host the app, in Azure or a cluster, sets one of the markers."""
    hosted = (
        {"WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME"},  # App Service
        {"CONTAINER_NAME", "WEBSITE_SITE_NAME"},  # Consumption on Linux
        {"WEBSITE_POD_NAME", "LEGION_SERVICE_HOST"},  # Flex Consumption
        {"CONTAINER_APP_NAME", "CONTAINER_APP_REVISION"},  # Container Apps
        {"KUBERNETES_SERVICE_HOST"},
    )

    assert all(names <= set(AZURE_MARKERS) for names in hosted)


def test_core_tools_are_a_developers_machine() -> None:
    """`func start` names the local host in a variable that Azure sets, too."""
    assert Settings.from_environ({**DEVELOPMENT, "WEBSITE_HOSTNAME": "localhost:7071"}).development


def test_an_unknown_environment_is_not_development() -> None:
    """Where no variable says what this machine is, it is taken for production."""
    assert len(faults({})) == 2


def test_a_complete_deployment_is_read() -> None:
    """The settings that a deployment sets describe a managed identity and a keyless store."""
    settings = Settings.from_environ(AZURE)

    assert not settings.development
    assert Identity(AppType.USER_ASSIGNED_MSI, APP_ID, TENANT_ID, "") == settings.identity
    assert (
        CosmosSettings("https://account.documents.azure.com:443/", "bot", "state", "", True)
        == settings.cosmos
    )


def test_every_fault_is_named_at_once() -> None:
    """One start is enough to learn all that has to be set."""
    found = faults(
        {
            "MicrosoftAppType": "SingleTenant",
            "MicrosoftAppId": "not a uuid",
            "CosmosDbEndpoint": "account.documents.azure.com",
            "CosmosDbVerifyTls": "no",
            "ChannelService": "https://elsewhere.example",
            "AllowedServiceHosts": "https://a.example",
        }
    )

    assert [
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "MicrosoftAppPassword",
        "CosmosDbEndpoint",
        "CosmosDbVerifyTls",
        "ChannelService",
        "AllowedServiceHosts",
    ] == [fault.split()[0] for fault in found]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"MicrosoftAppType": ""}, "MicrosoftAppType"),
        ({"MicrosoftAppType": "Managed"}, "MicrosoftAppType"),
        ({"MicrosoftAppId": ""}, "MicrosoftAppId"),
        ({"MicrosoftAppTenantId": ""}, "MicrosoftAppTenantId"),
        ({"MicrosoftAppPassword": "secret"}, "MicrosoftAppPassword"),
        ({"CosmosDbKey": "key"}, "CosmosDbKey"),
        ({"CosmosDbVerifyTls": "false"}, "CosmosDbVerifyTls"),
        ({"CosmosDbEndpoint": "http://account.documents.azure.com"}, "CosmosDbEndpoint"),
        ({"CosmosDbEndpoint": "https://[::1"}, "CosmosDbEndpoint"),
        ({"ToChannelFromBotLoginUrl": "login"}, "ToChannelFromBotLoginUrl"),
        ({"ToBotFromChannelOpenIdMetadataUrl": "x"}, "ToBotFromChannelOpenIdMetadataUrl"),
        ({"ToBotFromEmulatorOpenIdMetadataUrl": "x"}, "ToBotFromEmulatorOpenIdMetadataUrl"),
        ({"AllowedServiceHosts": "*.example.com"}, "AllowedServiceHosts"),
    ],
)
def test_a_faulty_setting_stops_the_app(changes: dict[str, str], name: str) -> None:
    """Each setting that is half there, or wrong, is the one fault that is named."""
    assert [name] == [fault.split()[0] for fault in faults({**AZURE, **changes})]


def test_a_multi_tenant_bot_has_no_tenant() -> None:
    """MultiTenant registrations need a password and nothing else."""
    environ = {
        **DEVELOPMENT,
        "MicrosoftAppType": "multitenant",
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppPassword": "secret",
    }

    identity = Settings.from_environ(environ).identity

    assert Identity(AppType.MULTI_TENANT, APP_ID, "", "secret") == identity


def test_an_emulator_may_have_a_key_and_its_own_certificate() -> None:
    """On a developer's machine the store may be an emulator."""
    environ = {
        **DEVELOPMENT,
        "CosmosDbEndpoint": "https://localhost:8081",
        "CosmosDbKey": "key",
        "CosmosDbVerifyTls": "false",
    }

    expected = CosmosSettings("https://localhost:8081", "bot", "state", "key", False)

    assert expected == Settings.from_environ(environ).cosmos


def test_secrets_do_not_show() -> None:
    """Printing the settings prints neither password nor key."""
    environ = {
        **DEVELOPMENT,
        "MicrosoftAppType": "SingleTenant",
        "MicrosoftAppId": APP_ID,
        "MicrosoftAppTenantId": TENANT_ID,
        "MicrosoftAppPassword": "marked-secret",
        "CosmosDbEndpoint": "https://localhost:8081",
        "CosmosDbKey": "marked-secret",
    }

    assert "marked-secret" not in repr(Settings.from_environ(environ))


def test_no_fault_repeats_a_secret() -> None:
    """An error about a secret that should not be there does not contain it."""
    found = faults(
        {**AZURE, "MicrosoftAppPassword": "marked-secret", "CosmosDbKey": "marked-secret"}
    )

    assert len(found) == 2
    assert "marked-secret" not in "".join(found)


def test_hosts_are_compared_in_lower_case() -> None:
    """AllowedServiceHosts is a list, separated by commas, in any case."""
    environ = {**DEVELOPMENT, "AllowedServiceHosts": "Connector.Example, other.example,"}

    assert {"connector.example", "other.example"} == Settings.from_environ(
        environ
    ).allowed_service_hosts


def test_blank_is_missing() -> None:
    """A setting that is there, but blank, counts as not set: the portal saves such ones."""
    assert Settings.from_environ({**DEVELOPMENT, "MicrosoftAppId": "  "}).identity is None
