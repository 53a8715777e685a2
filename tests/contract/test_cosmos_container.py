"""What is found in a container that others have written to."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.cosmos.documents import ConnectionPolicy
from botbuilder.azure import (
    CosmosDbKeyEscape,
    CosmosDbPartitionedConfig,
    CosmosDbPartitionedStorage,
)

from shared.errors import StateConflict, StateUnreadable
from shared.settings import CosmosSettings
from shared.storage import state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.opaque import Opaque
from shared.storage.cosmos.storage import CosmosStorage

KEY = "msteams/users/29:1ab?c"
ID = "msteams*47users*4729:1ab*63c"


class OldProfile:
    """As in an existing bot: no dataclass, stored under its path."""

    def __init__(self, name: str) -> None:
        self.name = name


@state_type("UserProfile", formerly=(f"{__name__}.OldProfile",))
@dataclass
class UserProfile:
    name: str | None = None


@pytest.fixture
async def storage(cosmos_container: CosmosSettings) -> AsyncIterator[CosmosStorage]:
    made = CosmosStorage(cosmos_container, DocumentCodec([UserProfile]))
    yield made
    await made.close()


# Of urllib3, under the stock SDK's client.
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
async def test_what_the_stock_sdk_wrote_is_found(
    storage: CosmosStorage, cosmos_container: CosmosSettings
) -> None:
    """The bot's users keep their state when the bot changes over to this storage."""
    policy = ConnectionPolicy()
    policy.DisableSSLVerification = True
    stock = CosmosDbPartitionedStorage(
        CosmosDbPartitionedConfig(
            cosmos_db_endpoint=cosmos_container.endpoint,
            auth_key=cosmos_container.key,
            database_id=cosmos_container.database_id,
            container_id=cosmos_container.container_id,
            cosmos_client_options={"connection_policy": policy},
        )
    )
    await stock.write({KEY: {"UserProfile": OldProfile("Ada"), "count": 3}})
    document = (await storage.read([KEY]))[KEY]
    assert (UserProfile("Ada"), 3) == (document["UserProfile"], document["count"])
    document["count"] = 4
    await storage.write({KEY: document})
    assert document == (await storage.read([KEY]))[KEY]


UNREADABLE: list[dict[str, Any]] = [
    {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]},
    {"$type": "UserProfile", "$version": 2, "name": "Ada"},
    {"$type": "UserProfile", "$version": 1, "name": 5},
    {"$type": "Unheard", "$version": 1, "whole": 1.5, "half": "\ud800"},
]


@pytest.mark.parametrize("stored", UNREADABLE, ids=["executable", "newer", "wrong", "unknown"])
async def test_what_cannot_be_read_is_left_as_it_is(
    storage: CosmosStorage, stored: dict[str, Any]
) -> None:
    """It is written back by a turn that changes another property, and overwritten by none."""
    document = {"a": 1, "UserProfile": stored, "z": [1.5]}
    item = {"id": ID, "realId": KEY, "document": document}
    await storage.container.create_item(item)
    with pytest.raises(StateConflict):
        await storage.write({KEY: {"name": "Grace"}})
    read = (await storage.read([KEY]))[KEY]
    assert Opaque.unreadable(read["UserProfile"]) is not None
    read["a"] = 2
    await storage.write({KEY: read})
    written = await storage.container.read_item(ID, partition_key=ID)
    assert json.dumps({**document, "a": 2}) == json.dumps(written["document"])


@pytest.mark.parametrize("stored", UNREADABLE)
async def test_a_document_that_is_one_object_is_left_as_it_is(
    storage: CosmosStorage, stored: dict[str, Any]
) -> None:
    """It is refused, and a turn that takes it for absent does not overwrite it either."""
    before = await storage.container.create_item({"id": ID, "realId": KEY, "document": stored})
    with pytest.raises(StateUnreadable):
        await storage.read([KEY])
    with pytest.raises(StateConflict):
        await storage.write({KEY: {"name": "Grace"}})
    assert before == await storage.container.read_item(ID, partition_key=ID)


async def test_an_item_of_another_key_is_not_read(storage: CosmosStorage) -> None:
    """To the SDK a tab and "2" have the id of a backslash; nobody gets another's state."""
    their_id = CosmosDbKeyEscape.sanitize_key("\t2", compatibility_mode=False)
    await storage.container.create_item(
        {"id": their_id, "realId": "\t2", "document": {"name": "Ada"}}
    )
    with pytest.raises(StateUnreadable, match="another key"):
        await storage.read(["\\"])
    await storage.write({"\t2": {"name": "Grace"}})
    assert "Grace" == (await storage.read(["\t2"]))["\t2"]["name"]
