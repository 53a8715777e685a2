"""The SDK's own state classes over every storage."""

from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from shared.errors import StateConflict
from tests.contract.conftest import UserProfile


def turn() -> Any:
    """A turn's context, as each turn has its own."""
    activity = Activity(
        type="message",
        channel_id="msteams",
        from_property=ChannelAccount(id="29:1ab"),
        conversation=ConversationAccount(id="19:meeting@thread.v2"),
    )
    return TurnContext(object(), activity)


@pytest.fixture(params=[ConversationState, UserState])
def state(request: pytest.FixtureRequest, storage: Storage) -> Any:
    return request.param(storage)


async def name_in(state: Any) -> str | None:
    """What a later turn, on any instance, finds."""
    accessor = state.create_property("UserProfile")
    profile: UserProfile = await accessor.get(turn(), UserProfile)
    return profile.name


async def test_state_is_remembered_from_turn_to_turn(state: Any) -> None:
    """A property that was saved is found by the next turn."""
    accessor, first = state.create_property("UserProfile"), turn()
    profile = await accessor.get(first, UserProfile)
    profile.name = "Ada"
    await state.save_changes(first)
    assert "Ada" == await name_in(state)


async def test_changes_may_be_saved_twice_in_a_turn(state: Any) -> None:
    """With the stock storage the second save of a turn fails."""
    accessor, context = state.create_property("UserProfile"), turn()
    profile = await accessor.get(context, UserProfile)
    for name in ("Ada", "Grace", "Lovelace"):
        profile.name = name
        await state.save_changes(context)
    assert "Lovelace" == await name_in(state)


async def test_a_forgotten_save_is_noticed(state: Any) -> None:
    """The SDK's memory storage shows the change to the next turn all the same."""
    accessor = state.create_property("UserProfile")
    saved, forgetful = turn(), turn()
    await accessor.set(saved, UserProfile("Ada"))
    await state.save_changes(saved)
    (await accessor.get(forgetful)).name = "Grace"
    assert "Ada" == await name_in(state)


async def test_the_later_of_two_turns_at_once_is_refused(state: Any) -> None:
    """In memory as in Cosmos DB, and at the first message as at any other."""
    accessor, one, other = state.create_property("UserProfile"), turn(), turn()
    for context, name in ((one, "Ada"), (other, "Grace")):
        await accessor.set(context, UserProfile(name))
    await state.save_changes(one)
    with pytest.raises(StateConflict):
        await state.save_changes(other)
    assert "Ada" == await name_in(state)


async def test_unchanged_state_is_not_written(state: Any) -> None:
    """The ETag that comes with a document does not count as a change."""
    accessor, first, second = state.create_property("UserProfile"), turn(), turn()
    await accessor.set(first, UserProfile("Ada"))
    await state.save_changes(first)
    await accessor.get(second)
    before = state.get(second)["e_tag"]
    await state.save_changes(second)
    assert before == state.get(second)["e_tag"]


async def test_deleted_state_may_be_saved_anew(state: Any) -> None:
    """Also within one turn."""
    accessor, context = state.create_property("UserProfile"), turn()
    await accessor.set(context, UserProfile("Ada"))
    await state.save_changes(context)
    await state.delete(context)
    await accessor.set(context, UserProfile("Grace"))
    await state.save_changes(context)
    assert "Grace" == await name_in(state)


async def test_a_property_may_be_deleted(state: Any) -> None:
    """The rest of the document stays."""
    context = turn()
    profile, other = state.create_property("UserProfile"), state.create_property("other")
    await profile.set(context, UserProfile("Ada"))
    await other.set(context, [1])
    await state.save_changes(context)
    await profile.delete(context)
    await state.save_changes(context)
    assert (None, [1]) == (await name_in(state), await other.get(turn()))


async def test_clear_state_is_saved_where_there_was_none(state: Any) -> None:
    """A cleared state is a document without properties."""
    context = turn()
    await state.clear_state(context)
    await state.save_changes(context)
    assert None is await name_in(state)


async def test_clear_state_alone_does_not_overwrite(state: Any) -> None:
    """
    The SDK forgets the ETag when it clears, so the storage cannot know that the turn read it.

    The atomic turn does know: there, clearing works.
    """
    accessor, first, second = state.create_property("UserProfile"), turn(), turn()
    await accessor.set(first, UserProfile("Ada"))
    await state.save_changes(first)
    await state.clear_state(second)
    with pytest.raises(StateConflict):
        await state.save_changes(second)
    assert "Ada" == await name_in(state)
