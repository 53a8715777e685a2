"""How to test a conversation. Copy this to tests/bot, without `bot_module`, and make it yours."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

import pytest

from tests.bots import to_do_list
from tests.kit.chat import Chat, Clock
from tests.kit.fixtures import History, Stored


@pytest.fixture
def bot_module() -> ModuleType:
    """The bot under test; without this fixture, the one in shared/bot."""
    return to_do_list


async def test_the_list_has_what_was_added(chat: Chat) -> None:
    """Each turn gets a new bot, which knows nothing but what it reads from the storage."""
    await chat.says("add milk")
    await chat.says("add bread")

    assert ["milk", "bread"] == await chat.says("list")


async def test_a_list_is_its_users_own(chat_of: Callable[..., Chat]) -> None:
    """Two users of one group do not see each other's."""
    ada, bob = chat_of("ada"), chat_of("bob")
    await ada.says("add milk")

    assert ["There is nothing to do."] == await bob.says("list")


async def test_an_item_says_when_it_was_added(chat: Chat, clock: Clock, stored: Stored) -> None:
    """The time is the one that the channel says."""
    clock.now = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    await chat.says("add milk")

    document = await stored("test/users/user")

    assert document is not None
    assert "2027-01-02T03:04:00+00:00" == document["ToDoList"]["items"][0]["added_at"]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_same_whatever_fails(history: History, seed: int) -> None:
    """Instances die, the store and the channel fail, and nobody can tell from the list."""
    assert [] == history(seed)
