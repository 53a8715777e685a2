"""The SDK's own tests of storages (botbuilder-testing), over every storage and inside a turn."""

import importlib
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botbuilder.core import Bot, Storage, TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity

from tests.fast_turns import fast_turns

REQUIREMENTS = Path(__file__).parents[1] / "requirements-sdk.txt"

NO_KEYS = "None is no keys and no changes: Python says so, in its own words."
DIFFERENCES = {
    "handle_null_keys_when_reading": NO_KEYS,
    "handle_null_keys_when_writing": NO_KEYS,
    "does_not_raise_when_writing_no_items": "It writes a list; changes are a dictionary by key.",
    "update_object": (
        "It overwrites a document with e_tag=None. Here that creates: two turns that both find no "
        "document would otherwise both succeed, and one be lost."
    ),
}
"""By test, why it fails here, and shall."""

IN_A_TURN = frozenset({"update_object"})
"""Of these, what passes inside a turn: the turn is alone, and its commit finds out."""

TESTS = (
    *("return_empty_object_when_reading_unknown_key", "create_object", "handle_crazy_keys"),
    *("delete_object", "delete_unknown_object", "perform_batch_operations"),
    *("proceeds_through_waterfall", *DIFFERENCES),
)

Test = Callable[[Storage], Awaitable[bool]]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The class with the tests, of a package that is installed for this module alone."""
    folder = tmp_path_factory.mktemp("sdk")
    install = ("-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes")
    subprocess.run(
        [sys.executable, *install, f"--target={folder}", f"--requirements={REQUIREMENTS}"],
        check=True,
    )
    sys.path.append(str(folder))
    yield importlib.import_module("botbuilder.testing").StorageBaseTests
    sys.path.remove(str(folder))


def test_no_test_of_the_suite_is_left_out(suite: Any) -> None:
    """Each is in the list, and each difference names one."""
    assert {name for name in vars(suite) if not name.startswith("_")} == set(TESTS)


async def passes(test: Test, storage: Storage) -> bool:
    """Whether the test says that the storage is as the SDK's are."""
    try:
        return await test(storage)
    except (Exception, pytest.fail.Exception):
        return False


@pytest.mark.parametrize("name", TESTS)
async def test_a_storage_does_what_the_sdks_do(suite: Any, storage: Storage, name: str) -> None:
    """All but what is named in the list of differences."""
    assert (name not in DIFFERENCES) == await passes(getattr(suite, name), storage)


@pytest.mark.parametrize("name", TESTS)
async def test_a_turn_does_what_the_sdks_storages_do(
    suite: Any, storage: Storage, name: str
) -> None:
    """A bot that writes documents of its own finds them again in the same turn."""
    outcomes = []

    class Testing(Bot):
        def __init__(self, storage: Storage) -> None:
            self._storage = storage

        async def on_turn(self, _context: TurnContext) -> None:
            outcomes.append(await passes(getattr(suite, name), self._storage))

    adapter = TestAdapter(fast_turns(Testing, storage).on_turn)
    await adapter.receive_activity(Activity(type="message", text="test"))

    assert [name not in DIFFERENCES.keys() - IN_A_TURN] == outcomes
