"""The SDK's own state classes over every storage."""

from dataclasses import replace
from typing import Any

import pytest
from botbuilder.core import ConversationState, Storage, TurnContext, UserState
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount

from shared.errors import StateConflict, StateUnreadable
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.unknown_fields import unknown_of
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


class TestUnreadable:
    """A property that another bot, another version or another SDK wrote."""

    STORED: dict[str, Any] = {  # noqa: RUF012  # never changed
        "UserProfile": {"$type": "UserProfile", "$version": 2, "name": "Ada", "new": [1, 2.5]},
        "DialogState": {"py/object": "old.DialogState", "_dialog_stack": [{"py/tuple": [1]}]},
    }

    @pytest.fixture
    async def stored(self, state: Any, storage: Storage) -> dict[str, Any]:
        """What is in the store, with one property beside it that this bot reads."""
        document: dict[str, Any] = {name: Opaque(value) for name, value in self.STORED.items()}
        await storage.write({state.get_storage_key(turn()): {**document, "count": 1}})
        return document

    async def test_it_is_kept_while_others_change(self, state: Any, stored: Any) -> None:
        """Turn after turn, as it was."""
        count = state.create_property("count")
        for number in range(1, 4):
            context = turn()
            assert number == await count.get(context)
            await count.set(context, number + 1)
            await state.save_changes(context)
        await state.load(context := turn())
        found = state.get(context)
        assert stored == {name: found[name] for name in stored}

    async def test_asking_for_it_says_what_to_do(self, state: Any, stored: Any) -> None:
        """The SDK would answer with the default, and store that over it."""
        context = turn()
        for default in (UserProfile, UserProfile("default"), None):
            with pytest.raises(StateUnreadable, match=r"^The property UserProfile.*deploy the app"):
                await state.create_property("UserProfile").get(context, default)
        with pytest.raises(StateUnreadable, match=r": DialogState was stored by the stock SDK"):
            await state.create_property("DialogState").get(context)
        assert "none" == await state.create_property("absent").get(context, "none")
        await state.save_changes(context)
        await state.load(context := turn())
        assert stored["UserProfile"] == state.get(context)["UserProfile"]

    async def test_it_is_no_change(self, state: Any, stored: Any) -> None:
        """So a turn that only reads writes nothing."""
        context = turn()
        await state.create_property("count").get(context)
        before = state.get(context)["e_tag"]
        await state.save_changes(context)
        assert before == state.get(context)["e_tag"]

    async def test_it_may_be_set_anew(self, state: Any, stored: Any) -> None:
        """Then it is what was set; the others stay."""
        context = turn()
        await state.create_property("UserProfile").set(context, UserProfile("Grace"))
        await state.save_changes(context)
        await state.load(context := turn())
        assert UserProfile("Grace") == await state.create_property("UserProfile").get(context)
        assert stored["DialogState"] == state.get(context)["DialogState"]

    async def test_it_may_be_deleted(self, state: Any, stored: Any) -> None:
        """Then it is absent; the others stay."""
        context, profile = turn(), state.create_property("UserProfile")
        await profile.delete(context)
        await state.save_changes(context)
        context = turn()
        assert "none" == await profile.get(context, "none")
        assert stored["DialogState"] == state.get(context)["DialogState"]

    async def test_it_may_be_cleared_with_the_rest(self, state: Any, stored: Any) -> None:
        """Whoever clears the state means all of it."""
        await state.load(context := turn())
        e_tag = state.get(context)["e_tag"]
        await state.clear_state(context)
        state.get(context)["e_tag"] = e_tag
        await state.save_changes(context)
        assert "none" == await state.create_property("UserProfile").get(turn(), "none")

    async def test_fields_of_another_version_survive_a_new_object(
        self, state: Any, storage: Storage
    ) -> None:
        """A frozen dataclass is changed by setting another one."""
        newer = {"$type": "UserProfile", "$version": 1, "name": "Ada", "language": "de"}
        await storage.write({state.get_storage_key(turn()): {"UserProfile": Opaque(newer)}})
        context, profile = turn(), state.create_property("UserProfile")
        await profile.set(context, replace(await profile.get(context), name="Grace"))
        await state.save_changes(context)
        await profile.set(context := turn(), UserProfile("Lovelace"))
        await state.save_changes(context)
        await state.load(context := turn())
        found = state.get(context)["UserProfile"]
        assert ("Lovelace", {"language": "de"}) == (found.name, unknown_of(found))
