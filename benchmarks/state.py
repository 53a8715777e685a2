"""Makes the state of conversations larger, behind the bot's back."""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

_ENTRY = {"at": "2026-01-01T12:00:00+00:00", "text": "What the user said some time ago. " * 2}


def grow_state(settings: Mapping[str, str], size_bytes: int) -> None:
    """Give each conversation in the container a history of about that size."""
    collection = f"/dbs/{settings['CosmosDbDatabaseId']}/colls/{settings['CosmosDbContainerId']}"
    # Not verified: the local server's certificate is a public one.
    tls = ssl._create_unverified_context()  # noqa: S323
    connection = HTTPSConnection(urlsplit(settings["CosmosDbEndpoint"]).netloc, context=tls)
    try:
        for item in _send(connection, "GET", f"{collection}/docs")["Documents"]:
            if "/conversations/" in item["realId"]:
                count = round(size_bytes / len(json.dumps(_ENTRY)))
                item["document"]["History"] = [_ENTRY] * count
                _send(connection, "PUT", f"{collection}/docs/{quote(item['id'])}", item)
    finally:
        connection.close()


def _send(connection: HTTPSConnection, method: str, path: str, body: Any = None) -> Any:
    headers = {"x-ms-documentdb-partitionkey": json.dumps([body["id"]])} if body else {}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise ConnectionError(f"The store answered {response.status} to {method} {path}.")
    return json.loads(content)
