"""What the Functions host keeps in blobs: how timers stand, and which host runs them."""

import contextlib
import hashlib
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import (  # type: ignore[import-untyped]
    BlobLeaseClient,
    BlobServiceClient,
)

from local.functions_host.triggers.queue import TRIES

CONTAINER = "azure-webjobs-hosts"

_HOST_ID_CHARACTERS = 32

_CONFLICT = 409


class HostBlobs:
    """The blobs of all hosts of one app, in the account of AzureWebJobsStorage."""

    def __init__(self, connection_string: str, host_id: str) -> None:
        self.host_id = host_id
        self._service = BlobServiceClient.from_connection_string(
            connection_string, raw_request_hook=without_algorithm, **TRIES
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._service.close()

    async def read(self, name: str) -> bytes | None:
        """Return what is in the blob; None if there is none."""
        try:
            download = await self._client(name).download_blob()
        except ResourceNotFoundError:
            return None
        content: bytes = await download.readall()
        return content

    async def write(self, name: str, content: bytes) -> None:
        """Write the blob, over what is there; create the container if it is missing."""
        try:
            await self._client(name).upload_blob(content, overwrite=True)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):  # somebody else was faster
                await self._service.create_container(CONTAINER)
            await self._client(name).upload_blob(content, overwrite=True)

    async def acquire(self, name: str, lease_id: str, lease_s: int) -> bool:
        """Take the lease on the blob, or take it again; return False if another has it."""
        lease = self._lease(name, lease_id)
        try:
            try:
                await lease.acquire(lease_s)
            except ResourceNotFoundError:
                await self.write(name, b"")
                await lease.acquire(lease_s)
        except HttpResponseError as error:
            if error.status_code == _CONFLICT:
                return False
            raise
        return True

    async def renew(self, name: str, lease_id: str) -> None:
        """Raise HttpResponseError if the lease is another's by now."""
        await self._lease(name, lease_id).renew()

    async def release(self, name: str, lease_id: str) -> None:
        """Let another take the lease. One that is another's already stays."""
        with contextlib.suppress(HttpResponseError):
            await self._lease(name, lease_id).release()

    def _client(self, name: str) -> Any:
        return self._service.get_blob_client(CONTAINER, name)

    def _lease(self, name: str, lease_id: str) -> Any:
        return BlobLeaseClient(self._client(name), lease_id)


def without_algorithm(request: Any) -> None:
    """Take a header out: azure-storage-blob 12.7 sends it without a key, and Azurite refuses it."""
    request.http_request.headers.pop("x-ms-encryption-algorithm", None)


def host_id(root: Path, settings: Mapping[str, str]) -> str:
    """
    Return the name that all hosts of this app share.

    As with Core Tools it is made of the machine's name and the app's folder, unless it is set.
    """
    given = settings.get("AzureFunctionsWebHost__hostid")
    if given:
        return given.lower()
    machine = re.sub(r"[^a-z0-9]", "", platform.node().lower())
    folder = hashlib.sha256(str(root).encode()).hexdigest()[:10]
    return f"{machine[: _HOST_ID_CHARACTERS - len(folder) - 1]}-{folder}"
