"""Settings are read as a whole: they describe a bot that can run, or every fault is named."""

import pytest

from shared.errors import SettingsError
from shared.settings import (
    AZURE_MARKERS,
    AppType,
    CosmosSettings,
    Identity,
    QueueSettings,
    Settings,
)

APP_ID = "11111111-1111-1111-1111-111111111111"
TENANT_ID = "22222222-2222-2222-2222-222222222222"

DEVELOPMENT = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
IDENTITY = {
    "MicrosoftAppType": "UserAssignedMSI",
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppTenantId": TENANT_ID,
}
COSMOS = {"CosmosDbEndpoint": "https://account.documents.azure.com:443/"}
QUEUE = {"AzureWebJobsStorage__queueServiceUri": "https://account.queue.core.windows.net/"}
AZURE = {**IDENTITY, **COSMOS, **QUEUE, "WEBSITE_INSTANCE_ID": "instance"}


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
    assert settings.queue is None


def test_azure_needs_an_identity_a_store_and_a_queue() -> None:
    """In Azure the app does not start without its identity, its store, or its reminders."""
    names = [fault.split()[0] for fault in faults({"WEBSITE_INSTANCE_ID": "instance"})]

    assert ["MicrosoftAppId", "CosmosDbEndpoint", "AzureWebJobsStorage__queueServiceUri"] == names


@pytest.mark.parametrize("name", AZURE_MARKERS)
def test_development_is_not_believed_in_azure(name: str) -> None:
    """Where the app is deployed, AZURE_FUNCTIONS_ENVIRONMENT=Development opens nothing."""
    found = faults({**DEVELOPMENT, name: "x"})

    assert ["MicrosoftAppId", "CosmosDbEndpoint"] == [fault.split()[0] for fault in found[:2]]
    assert f"because {name} is set" in found[3]


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
    assert len(faults({})) == 3


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
        "AzureWebJobsStorage__queueServiceUri",
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


@pytest.mark.parametrize(
    "spelled",
    [
        "abcdef01-1111-4111-8111-00000000000f",
        "ABCDEF01-1111-4111-8111-00000000000F",
        "{abcdef01-1111-4111-8111-00000000000f}",
        "(abcdef01-1111-4111-8111-00000000000f)",
        "urn:uuid:abcdef01-1111-4111-8111-00000000000f",
        "abcdef0111114111811100000000000f",
        " {ABCDEF0111114111811100000000000F} ",
    ],
)
def test_ids_are_spelled_as_in_tokens(spelled: str) -> None:
    """However an app's and a tenant's id are written, they are compared as tokens spell them."""
    environ = {**AZURE, "MicrosoftAppId": spelled, "MicrosoftAppTenantId": spelled}

    canonical = "abcdef01-1111-4111-8111-00000000000f"

    expected = Identity(AppType.USER_ASSIGNED_MSI, canonical, canonical, "")
    assert expected == Settings.from_environ(environ).identity


@pytest.mark.parametrize(
    "value",
    [
        "1" * 31,
        "1" * 33,
        f"{APP_ID}-",
        "11111111_1111_1111_1111_111111111111",
        "0x111111-1111-1111-1111-111111111111",
        "+1111111-1111-1111-1111-111111111111",
        "\uff11" * 32,
        "common",
    ],
)
def test_an_id_is_a_uuid(value: str) -> None:
    """What only looks like a UUID is named at the start, and not with each message."""
    assert ["MicrosoftAppId"] == [
        fault.split()[0] for fault in faults({**AZURE, "MicrosoftAppId": value})
    ]


@pytest.mark.parametrize(
    "host",
    [
        "user@x",
        "user:password@x",
        "a b",
        "a\tb",
        ".",
        "..",
        "a..b",
        ".a",
        "connector.example.",
        "localhost.",
        "-a.example",
        "a-.example",
        "a%2eb",
        "a%00",
        "a\\b",
        "a/b",
        "a:443",
        "a?b",
        "a#b",
        "*.example",
        "https://a.example",
        "bücher.example",
        "\uff4cocalhost",
        "a\u3002b",
        "x" * 64 + ".example",
        ".".join(["x" * 60] * 5),
        # Addresses in disguise: names of digits, octal, hexadecimal and short forms, IPv6.
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "127.0.0.1.",
        "1.2.3.4.5",
        "300.0.0.1",
        "a.0x",
        "[::1]",
        "::ffff:127.0.0.1",
        "fe80::1%eth0",
    ],
)
@pytest.mark.parametrize("where", [AZURE, DEVELOPMENT], ids=["azure", "development"])
def test_an_allowed_host_is_a_plain_name(where: dict[str, str], host: str) -> None:
    """What is no host name, or an address in disguise, stops the app."""
    environ = {**where, "AllowedServiceHosts": f"connector.example,{host}"}

    assert ["AllowedServiceHosts"] == [fault.split()[0] for fault in faults(environ)]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "bot.localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.4",
        "169.254.169.254",
    ],
)
def test_no_allowed_host_is_this_machine_or_its_network(host: str) -> None:
    """In Azure the bot's token goes neither to loopback nor into a private network."""
    assert ["AllowedServiceHosts"] == [
        fault.split()[0] for fault in faults({**AZURE, "AllowedServiceHosts": host})
    ]


KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


@pytest.mark.parametrize(
    "endpoint",
    [
        f"AccountEndpoint=https://account.documents.azure.com:443/;AccountKey={KEY};",
        f"https://account.documents.azure.com:443/;AccountKey={KEY};",
        f"https://account.documents.azure.com:443/{KEY}",
        f"https://account.documents.azure.com:443/?key={KEY}",
        f"https://account.documents.azure.com:443/#{KEY}",
        f"https://account:{KEY}@account.documents.azure.com:443/",
        f"http://account.documents.azure.com:443/?key={KEY}",
        KEY,
        "0123456789abcdef" * 4,
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "CosmosDbEndpoint",
        "ToChannelFromBotLoginUrl",
        "ToBotFromChannelOpenIdMetadataUrl",
        "ToBotFromEmulatorOpenIdMetadataUrl",
        "ChannelService",
        "MicrosoftAppType",
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "AllowedServiceHosts",
        "CosmosDbVerifyTls",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_printed(name: str, endpoint: str) -> None:
    """A connection string, a key or a URL with either is repeated in no error and no repr."""
    try:
        said = repr(Settings.from_environ({**AZURE, name: endpoint}))
    except SettingsError as error:
        said = str(error)

    assert KEY[:20] not in said
    assert "0123456789abcdef" not in said


def test_a_connection_string_is_no_endpoint() -> None:
    """One who pastes the connection string learns which part of it is wanted."""
    pasted = f"AccountEndpoint=https://account.documents.azure.com:443/;AccountKey={KEY};"

    (found,) = faults({**AZURE, "CosmosDbEndpoint": pasted})

    assert "AccountEndpoint" in found


def test_a_harmless_value_is_repeated() -> None:
    """What cannot be a secret is named, so that its author finds it."""
    found = faults({**AZURE, "ChannelService": "https://elsewhere.example"})

    assert "'https://elsewhere.example'" in found[0]


def test_the_bells_are_in_the_storage_of_the_functions_host() -> None:
    """An identity, named or the app's own, or a connection string opens the queue."""
    named = Settings.from_environ({**AZURE, "AzureWebJobsStorage__clientId": "id"}).queue
    own = Settings.from_environ({**AZURE, "AzureWebJobsStorage__clientId": ""}).queue
    secret = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5"
    by_secret = Settings.from_environ({**AZURE, "AzureWebJobsStorage": secret}).queue

    url = "https://account.queue.core.windows.net/"
    assert QueueSettings(service_url=url, identity_client_id="id") == named
    assert QueueSettings(service_url=url) == own
    assert QueueSettings(secret) == by_secret
    assert "a2V5" not in repr(by_secret)


def test_the_name_of_the_storage_account_is_enough() -> None:
    """With AzureWebJobsStorage__accountName the queues are at their usual address."""
    environ = {**IDENTITY, **COSMOS, "AzureWebJobsStorage__accountName": "account"}
    expected = QueueSettings(service_url="https://account.queue.core.windows.net")

    assert expected == Settings.from_environ(environ).queue


def test_development_storage_is_azurite() -> None:
    """What Core Tools write into local.settings.json opens the queue of a local Azurite."""
    queue = Settings.from_environ(
        {**DEVELOPMENT, "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    ).queue

    assert queue is not None
    assert "http://127.0.0.1:10001/devstoreaccount1" in queue.connection_string


@pytest.mark.parametrize("value", ["hello", "AccountName=a", "https://account.queue.core.windows"])
def test_a_storage_that_is_no_connection_string_is_a_fault(value: str) -> None:
    """What cannot open a queue is refused when the app starts, and not shown."""
    (fault,) = faults({**DEVELOPMENT, "AzureWebJobsStorage": value})

    assert fault.startswith("AzureWebJobsStorage is not a connection string")
    assert value not in fault.replace("AzureWebJobsStorage", "")
