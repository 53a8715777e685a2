"""Where the bots keep their state; the names are those of the template's own settings."""

import os

ENDPOINT, KEY, DATABASE_ID, CONTAINER_ID = (
    os.environ[f"CosmosDb{name}"] for name in ("Endpoint", "Key", "DatabaseId", "ContainerId")
)
