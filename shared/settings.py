"""
The application settings, read once and checked as a whole.

Names are those that Azure, the Bot Framework and the Functions runtime use. This
is the only module that knows the environment.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import SettingsError
from shared.urls import Url, host_name, is_loopback, is_private


class AppType(StrEnum):
    """How the bot is registered with Azure Bot Service."""

    USER_ASSIGNED_MSI = "UserAssignedMSI"
    SINGLE_TENANT = "SingleTenant"
    MULTI_TENANT = "MultiTenant"
    """Existing registrations only: since July 2025 Azure has created no new ones."""


AZURE_MARKERS: tuple[str, ...] = (
    # App Service and its plans of Azure Functions.
    "WEBSITE_INSTANCE_ID",
    "WEBSITE_SITE_NAME",
    "WEBSITE_OWNER_NAME",
    "WEBSITE_RESOURCE_GROUP",
    "WEBSITE_DEPLOYMENT_ID",
    "WEBSITE_HOME_STAMPNAME",
    "WEBSITE_STAMP_DEPLOYMENT_ID",
    "WEBSITE_SKU",
    "WEBSITE_SKU_NAME",
    # Consumption and Flex Consumption.
    "CONTAINER_NAME",
    "WEBSITE_POD_NAME",
    "LEGION_SERVICE_HOST",
    # Azure Container Apps.
    "CONTAINER_APP_NAME",
    "CONTAINER_APP_REVISION",
    "CONTAINER_APP_REPLICA_NAME",
    "CONTAINER_APP_HOSTNAME",
    "CONTAINER_APP_ENV_DNS_SUFFIX",
    "CONTAINER_APP_JOB_NAME",
    "MANAGED_ENVIRONMENT",
    # Clusters: Kubernetes, Service Fabric, and those of other clouds.
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_PORT",
    "Fabric_NodeName",
    "Fabric_NodeIPOrFQDN",
    "ECS_CONTAINER_METADATA_URI_V4",
    "NOMAD_ALLOC_ID",
    "K_SERVICE",
)
"""
Variables: at least one is set wherever the app is deployed, and none on a developer's machine.

Sources: EnvironmentSettingNames.cs of azure-functions-host, and the platforms' own lists of
variables. WEBSITE_HOSTNAME is not among them: Core Tools sets it on a developer's machine.
"""

GOVERNMENT_CHANNEL_SERVICE = "https://botframework.azure.us"
"""The one `ChannelService` the SDK knows (botframework.connector.auth.government_constants)."""


@dataclass(frozen=True)
class Identity:
    """The identity that the bot shows to the Bot Connector."""

    app_type: AppType
    app_id: str
    """As tokens spell it: in lower case, with hyphens and without brackets."""
    tenant_id: str
    """Spelled likewise. Empty for MultiTenant."""
    password: str = field(repr=False)
    """Empty for UserAssignedMSI."""


@dataclass(frozen=True)
class ChannelOverrides:
    """
    The SDK's own overrides, for sovereign clouds and local identity providers.

    Empty: public Azure.
    """

    channel_service: str = ""
    login_url: str = ""
    oauth_scope: str = ""
    oauth_url: str = ""
    """The token service that keeps users' sign-ins."""
    token_issuer: str = ""
    channel_open_id_metadata_url: str = ""
    emulator_open_id_metadata_url: str = ""


@dataclass(frozen=True)
class CosmosSettings:
    """Where state lives."""

    endpoint: str
    database_id: str
    container_id: str
    key: str = field(repr=False)
    """Emulators only. Empty: the managed identity is used."""
    verify_tls: bool


@dataclass(frozen=True)
class QueueSettings:
    """Where the bells are kept: the storage account of the Functions host."""

    connection_string: str = field(default="", repr=False)
    """Empty: a managed identity is used, with `service_url`."""
    service_url: str = ""
    identity_client_id: str | None = None
    """Of the user-assigned identity. None: the app's system-assigned one."""


@dataclass(frozen=True)
class Settings:
    """Everything that the application is told from outside."""

    development: bool
    """On a developer's machine: AZURE_FUNCTIONS_ENVIRONMENT=Development, and no AZURE_MARKERS."""
    identity: Identity | None
    """None: authentication is off, which only a developer's machine may do."""
    cosmos: CosmosSettings | None
    """None: state lives in memory, which only a developer's machine may do."""
    queue: QueueSettings | None
    """None: bells are timers of this process, which only a developer's machine may do."""
    overrides: ChannelOverrides = field(repr=False)
    """Not printed: a URL may have a query, and a query may have a secret."""
    allowed_service_hosts: frozenset[str]
    """Host names, lower case, that replies may go to besides the Bot Connector's own."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """
        Read and check all settings. None: those of this process.

        Raises:
            SettingsError: lists every fault, not only the first.
        """
        return _Reader(os.environ if environ is None else environ).read()


_DEVELOPMENT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
"""
What UseDevelopmentStorage=true stands for: account and key of every storage emulator.

https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
"""

_UUID = re.compile(
    r"(?:urn:uuid:)?[{(]?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[)}]?",
    re.IGNORECASE,
)

_PLAIN_VALUE = re.compile(r"(?!.*[^.:/]{33})[A-Za-z0-9.:/_-]{1,100}")
"""Matches no key or password: those have other characters, or longer runs without a break."""


class _Reader:
    """Collects faults while it reads, so that one error can name them all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._faults: list[str] = []

    def read(self) -> Settings:
        declared = self._get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development"
        marker = next(filter(self._get, AZURE_MARKERS), None)
        development = declared and marker is None
        settings = Settings(
            development=development,
            identity=self._identity(development),
            cosmos=self._cosmos(development),
            queue=self._queue(development),
            overrides=self._overrides(),
            allowed_service_hosts=self._allowed_service_hosts(development),
        )
        if self._faults and declared and marker:
            self._fault(
                f"AZURE_FUNCTIONS_ENVIRONMENT=Development is ignored, because {marker} is "
                "set, as it is in Azure or a cluster. On a developer's machine, unset it."
            )
        if self._faults:
            raise SettingsError(tuple(self._faults))
        return settings

    def _get(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def _fault(self, sentence: str) -> None:
        self._faults.append(sentence)

    def _identity(self, development: bool) -> Identity | None:
        app_id = self._get("MicrosoftAppId")
        declared_type = self._get("MicrosoftAppType")
        tenant_id = self._get("MicrosoftAppTenantId")
        password = self._get("MicrosoftAppPassword")
        if not (app_id or declared_type or tenant_id or password):
            if not development:
                self._fault(
                    "MicrosoftAppId is missing, so anyone could pose as any user. Set it to the "
                    "client id of the bot's identity; only a developer's machine "
                    "(AZURE_FUNCTIONS_ENVIRONMENT=Development) may do without it."
                )
            return None
        if not app_id:
            self._fault(
                "MicrosoftAppId is missing, although other MicrosoftApp... settings are set."
            )
        else:
            app_id = self._uuid("MicrosoftAppId", app_id)
        app_type = self._app_type(declared_type)
        if app_type is None:
            return None
        if app_type is not AppType.MULTI_TENANT:
            if not tenant_id:
                self._fault(f"MicrosoftAppTenantId is missing; {app_type} needs the tenant's id.")
            else:
                tenant_id = self._uuid("MicrosoftAppTenantId", tenant_id)
        if app_type is AppType.USER_ASSIGNED_MSI:
            if password:
                self._fault(
                    "MicrosoftAppPassword is set, but UserAssignedMSI has no password. Remove it."
                )
        elif not password:
            self._fault(f"MicrosoftAppPassword is missing; {app_type} needs the client secret.")
        return Identity(app_type, app_id, tenant_id, password)

    def _app_type(self, declared: str) -> AppType | None:
        # The SDK compares without regard to case (ConfigurationServiceClientCredentialFactory).
        for known in AppType:
            if declared.casefold() == known.casefold():
                return known
        choices = ", ".join(AppType)
        self._fault(
            f"MicrosoftAppType is {_shown(declared)}; it must be one of {choices}."
            if declared
            else f"MicrosoftAppType is missing; it must be one of {choices}."
        )
        return None

    def _cosmos(self, development: bool) -> CosmosSettings | None:
        endpoint = self._get("CosmosDbEndpoint")
        if not endpoint:
            if not development:
                self._fault(
                    "CosmosDbEndpoint is missing, so state would be lost with the process. Set it "
                    "to https://<account>.documents.azure.com:443/."
                )
            return None
        loopback = self._check_cosmos_endpoint(endpoint)
        verify_tls = self._bool("CosmosDbVerifyTls", default=True)
        if not verify_tls and not loopback:
            self._fault(
                "CosmosDbVerifyTls may be false only if CosmosDbEndpoint is on this machine (an "
                "emulator)."
            )
        key = self._get("CosmosDbKey")
        if key and not development:
            self._fault(
                "CosmosDbKey is for emulators on a developer's machine. Remove it and give the "
                "bot's managed identity the Cosmos DB Built-in Data Contributor role."
            )
        return CosmosSettings(
            endpoint=endpoint,
            database_id=self._get("CosmosDbDatabaseId", "bot"),
            container_id=self._get("CosmosDbContainerId", "state"),
            key=key,
            verify_tls=verify_tls,
        )

    def _queue(self, development: bool) -> QueueSettings | None:
        # The names are the Functions host's: its own storage, by connection string or identity.
        connection_string = self._get("AzureWebJobsStorage")
        if connection_string:
            if connection_string.casefold().rstrip(";") == "usedevelopmentstorage=true":
                connection_string = _DEVELOPMENT_STORAGE
            parts = {part.partition("=")[0].strip() for part in connection_string.split(";")}
            if not ({"AccountName", "AccountKey"} <= parts or "SharedAccessSignature" in parts):
                self._fault(
                    "AzureWebJobsStorage is not a connection string of Azure Storage. On a "
                    "developer's machine UseDevelopmentStorage=true stands for Azurite's."
                )
            return QueueSettings(connection_string)
        name = "AzureWebJobsStorage__queueServiceUri"
        service_url = self._get(name)
        if not service_url:
            account = self._get("AzureWebJobsStorage__accountName")
            service_url = f"https://{account}.queue.core.windows.net" if account else ""
        if not service_url:
            if not development:
                self._fault(
                    f"{name} is missing, so no other process would finish a turn whose process "
                    "has died. Set it to https://<account>.queue.core.windows.net/."
                )
            return None
        self._url(name, service_url)
        return QueueSettings(
            service_url=service_url,
            identity_client_id=self._get("AzureWebJobsStorage__clientId") or None,
        )

    def _check_cosmos_endpoint(self, endpoint: str) -> bool:
        """Return whether it is on this machine."""
        url = self._url("CosmosDbEndpoint", endpoint)
        if url and (url.has_query or url.path.strip("/")):
            self._fault("CosmosDbEndpoint must end after the host and the port.")
        return url is not None and is_loopback(url.host)

    def _overrides(self) -> ChannelOverrides:
        channel_service = self._get("ChannelService")
        if channel_service and channel_service != GOVERNMENT_CHANNEL_SERVICE:
            self._fault(
                f"ChannelService is {_shown(channel_service)}; leave it out for public Azure, or "
                f"set {GOVERNMENT_CHANNEL_SERVICE} for Azure Government."
            )
        return ChannelOverrides(
            channel_service=channel_service,
            login_url=self._optional_url("ToChannelFromBotLoginUrl"),
            oauth_scope=self._get("ToChannelFromBotOAuthScope"),
            oauth_url=self._optional_url("OAUTH_URL"),
            token_issuer=self._get("ToBotFromChannelTokenIssuer"),
            # Microsoft Entra ID's take a query: "?appid=..." for an app with keys of its own.
            channel_open_id_metadata_url=self._optional_url(
                "ToBotFromChannelOpenIdMetadataUrl", may_have_query=True
            ),
            emulator_open_id_metadata_url=self._optional_url(
                "ToBotFromEmulatorOpenIdMetadataUrl", may_have_query=True
            ),
        )

    def _allowed_service_hosts(self, development: bool) -> frozenset[str]:
        hosts = set()
        for entry in filter(None, map(str.strip, self._get("AllowedServiceHosts").split(","))):
            host = host_name(entry)
            if host is None or ":" in host:
                self._fault(
                    f"AllowedServiceHosts has {_shown(entry)}; give plain host names, separated by "
                    "commas."
                )
            elif (is_loopback(host) or is_private(host)) and not development:
                self._fault(
                    f"AllowedServiceHosts has {_shown(entry)}, which is this machine or a private "
                    "network's; the bot's token is sent to neither."
                )
            else:
                hosts.add(host)
        return frozenset(hosts)

    def _bool(self, name: str, *, default: bool) -> bool:
        value = self._get(name).casefold()
        if value in ("true", "false"):
            return value == "true"
        if value:
            self._fault(f"{name} is {_shown(value)}; it must be true or false.")
        return default

    def _uuid(self, name: str, value: str) -> str:
        """Return it as tokens spell it."""
        if match := _UUID.fullmatch(value):
            return "-".join(match.groups()).lower()
        self._fault(f"{name} is not a UUID like 00000000-0000-0000-0000-000000000000.")
        return value

    def _optional_url(self, name: str, *, may_have_query: bool = False) -> str:
        value = self._get(name)
        url = self._url(name, value) if value else None
        if url and url.has_query and not may_have_query:
            self._fault(f"{name} has a query or a fragment; it must end after the path.")
        return value

    def _url(self, name: str, value: str) -> Url | None:
        if ";" in value:
            self._fault(
                f"{name} looks like a connection string; give only the URL in it, such as the one "
                "that follows AccountEndpoint=."
            )
            return None
        url = Url.parse(value)
        if url is None or (url.scheme == "http" and not is_loopback(url.host)):
            self._fault(
                f"{name} is {_shown(value)}; it must be an https URL (http only on this machine)."
            )
            return None
        return url


def _shown(value: str) -> str:
    """Return a value as it may be printed, without what may be a secret in the wrong place."""
    return f"'{value}'" if _PLAIN_VALUE.fullmatch(value) else "something that is not shown here"
