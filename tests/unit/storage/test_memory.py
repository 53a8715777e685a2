"""The store in memory where it is more than its contract with every store."""

from shared.storage.codec.documents import DocumentCodec
from shared.storage.memory import MemoryStorage


async def test_deleted_documents_are_gone_and_others_stay() -> None:
    """A document that is not there is no error."""
    storage = MemoryStorage(DocumentCodec([]))
    await storage.write({"kept": {"a": 1}, "deleted": {"a": 2}})
    await storage.delete(["deleted", "absent"])
    found = await storage.read(["kept", "deleted", "absent"])
    assert ({"kept"}, 1) == (set(found), found["kept"]["a"])


async def test_nobody_shares_an_object_with_the_store() -> None:
    """What is changed after it was written or read stays as it was stored."""
    storage = MemoryStorage(DocumentCodec([]))
    document = {"list": [1]}
    await storage.write({"key": document})
    document["list"].append(2)
    (await storage.read(["key"]))["key"]["list"].append(3)
    assert [1] == (await storage.read(["key"]))["key"]["list"]
