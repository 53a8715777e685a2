"""
The services a bot keeps its state in, on a developer's machine.

Standard library only, like `local.node_services.npm`.
"""

import json
import re
import ssl
from http.client import HTTPSConnection
from pathlib import Path

from local.bootstrap import development_storage
from local.node_services.npm import (
    FOLDER,
    NODE_MODULES,
    START_TIMEOUT_S,
    LocalServiceError,
    NodeService,
    install_npm_packages,
)

__all__ = ["Azurite", "CosmosServer", "LocalServiceError", "install_npm_packages"]


class CosmosServer(NodeService):
    """
    A Cosmos DB server on 127.0.0.1 that keeps everything in memory while it runs.

    Its certificate is self-signed and expired: clients must not verify TLS.
    """

    name = "The Cosmos DB server"
    script = FOLDER / "cosmos-server.cjs"
    key = "YW55IGtleQ=="
    """The server checks no signatures; clients only want base64."""

    def __init__(self, port: int = 0) -> None:
        super().__init__([str(port)], [port])
        self.port = port
        """0 until started, unless given."""

    @property
    def endpoint(self) -> str:
        """What `CosmosDbEndpoint` must be. Known once started."""
        return f"https://127.0.0.1:{self.port}/"

    def listens(self, output: str) -> bool:
        for line in output.splitlines():
            if line.startswith('{"port":') and line.endswith("}"):
                self.port = json.loads(line)["port"]
                return True
        return False

    def create_container(self, database_id: str, container_id: str) -> None:
        """Create the container, and its database, where missing: the bot never does."""
        self._create("/dbs", {"id": database_id})
        self._create(
            f"/dbs/{database_id}/colls",
            {"id": container_id, "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}},
        )

    def _create(self, path: str, body: dict[str, object]) -> None:
        # Not verified on purpose: the certificate is a public one that comes with the package.
        tls = ssl._create_unverified_context()  # noqa: S323
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=START_TIMEOUT_S, context=tls)
        try:
            connection.request("POST", path, json.dumps(body))
            status = connection.getresponse().status
        finally:
            connection.close()
        already_there = 409
        if status not in (201, already_there):
            raise LocalServiceError(f"The Cosmos DB server answered {status} to POST {path}.")


class Azurite(NodeService):
    """
    Azure Storage on 127.0.0.1, which the Functions host wants for its own book-keeping.

    Without a `folder` it keeps everything in memory while it runs.
    """

    name = "Azurite"
    script = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
    _READY = re.compile(r"Azurite (\w+) service is successfully listening at http://[^:]+:(\d+)\n")

    def __init__(
        self,
        *,
        blob_port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
        folder: Path | None = None,
    ) -> None:
        ports = {"blob": blob_port, "queue": queue_port, "table": table_port}
        where = [f"--location={folder.resolve()}"] if folder else ["--inMemoryPersistence"]
        super().__init__(
            [
                *(f"--{service}Port={port}" for service, port in ports.items()),
                *where,
                "--disableTelemetry",
                "--silent",
                # The Azure SDKs are newer than Azurite; their requests are served all the same.
                "--skipApiVersionCheck",
            ],
            list(ports.values()),
        )
        self.ports = ports
        """By service: "blob", "queue" and "table". Those given as 0 are known once started."""

    @property
    def connection_string(self) -> str:
        """What `AzureWebJobsStorage` must be. Known once started."""
        return development_storage.connection_string(
            self.ports["blob"], self.ports["queue"], self.ports["table"]
        )

    def listens(self, output: str) -> bool:
        found = {service.lower(): int(port) for service, port in self._READY.findall(output)}
        if found.keys() < self.ports.keys():
            return False
        self.ports = found
        return True
