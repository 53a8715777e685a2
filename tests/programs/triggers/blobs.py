"""What hosts write down of their timers, as a test prepares it and looks at it."""

import contextlib
import json
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient  # type: ignore[import-untyped]

from local.functions_host.triggers.blobs import without_algorithm


class HostBlobs:
    """What hosts of one id have written down."""

    def __init__(self, connection_string: str, host_id: str) -> None:
        self._host_id = host_id
        self.settings = {"AzureFunctionsWebHost__hostid": host_id}
        """What makes a host have the id."""
        client: Any = BlobServiceClient.from_connection_string(
            connection_string, raw_request_hook=without_algorithm
        )
        self._container = client.get_container_client("azure-webjobs-hosts")

    def status(self, function: str = "OnTimer") -> dict[str, str] | None:
        """Return how the function's timer stands; None if nothing is written."""
        try:
            content = self._container.download_blob(self._status_blob(function)).readall()
        except ResourceNotFoundError:
            return None
        status: dict[str, str] = json.loads(content)
        return status

    def write_status(self, last: str, next_: str, function: str = "OnTimer") -> None:
        """Write what a host has left that ran the function at `last`, and has been down since."""
        with contextlib.suppress(ResourceExistsError):  # another host was first
            self._container.create_container()
        status = {"Last": last, "Next": next_, "LastUpdated": last}
        self._container.upload_blob(self._status_blob(function), json.dumps(status), overwrite=True)

    def forget(self, function: str) -> None:
        """Leave nothing written of the function's timer."""
        with contextlib.suppress(ResourceNotFoundError):
            self._container.delete_blob(self._status_blob(function))

    def _status_blob(self, function: str) -> str:
        return f"timers/{self._host_id}/Host.Functions.{function}/status"
