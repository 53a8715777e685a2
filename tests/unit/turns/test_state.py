"""What a bot may do with state in an atomic turn: everything, and it happens at once."""

from collections.abc import Callable

import pytest
from botbuilder.core import (
    ConversationState,
    PrivateConversationState,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.schema import ConversationAccount

from shared.errors import StateConflict
from shared.storage.codec.documents import DocumentCodec
from shared.turns import Apologies
from tests.unit.turns.conftest import HOME, USER, Awkward, Note, Profile, Room, endless

RoomWith = Callable[..., Room]


async def count(context: TurnContext, storage: Storage) -> None:
    """Counts in conversation and user state, and says the counts."""
    states = ConversationState(storage), UserState(storage)
    counts = []
    for state in states:
        accessor = state.create_property("count")
        counts.append((await accessor.get(context, 0) or 0) + 1)
        await accessor.set(context, counts[-1])
    await context.send_activity(f"{counts[0]} {counts[1]}")
    for state in states:
        await state.save_changes(context)


async def test_state_survives_from_turn_to_turn(room_with: RoomWith) -> None:
    """Conversation and user state are what the last turn left."""
    room = room_with(count)
    await room.hears()
    await room.hears()
    assert ["1 1", "2 2"] == room.texts()


async def test_what_another_conversation_has_just_changed_here_is_read(room_with: RoomWith) -> None:
    """A copy from before is known to be old, whichever turn of this process has written it."""
    room = room_with(count)
    await room.hears(conversation=ConversationAccount(id="elsewhere"))
    read = room.storage._inner.read
    copies_from_before: list[dict[str, object]] = [{}]

    async def lag(keys: list[str]) -> dict[str, object]:
        found: dict[str, object] = await read(keys)
        return copies_from_before.pop() if keys == [USER] and copies_from_before else found

    room.storage._inner.read = lag
    await room.hears()
    assert ["1 1", "1 2"] == room.texts()


async def test_a_state_may_be_saved_several_times_in_a_turn(room_with: RoomWith) -> None:
    """Each save sees the one before, and only the last one is stored."""

    async def save_twice(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        for value in ("first", "second"):
            await state.create_property("value").set(context, value)
            await state.save_changes(context)

    room = room_with(save_twice)
    await room.hears()
    assert "second" == (await room.home())["value"]
    assert [HOME] == room.storage.writes


async def test_objects_are_state_too(room_with: RoomWith) -> None:
    """A registered dataclass comes back as itself, from both documents."""
    seen = []

    async def visit(context: TurnContext, storage: Storage) -> None:
        for state in (ConversationState(storage), UserState(storage)):
            profile = await state.create_property("Profile").get(context, Profile)
            profile.visits += 1
            seen.append(profile.visits)
            await state.save_changes(context)

    room = room_with(visit)
    await room.hears()
    await room.hears()
    assert [1, 1, 2, 2] == seen
    assert Profile(visits=2) == (await room.document(USER))["Profile"]


async def test_keys_may_come_one_at_a_time_and_twice(room_with: RoomWith) -> None:
    """The SDK's Storage takes a list; whoever calls it may have a generator."""
    found: list[list[str]] = []

    async def read(_context: TurnContext, storage: Storage) -> None:
        found.append(list(await storage.read(key for key in (USER, "note", USER))))

    room = room_with(read)
    await room.storage.write({USER: {"name": "Ada"}, "note": {"text": "x"}})
    await room.hears()
    assert [[USER, "note"]] == found


async def test_clear_state_leaves_only_the_journal(room_with: RoomWith) -> None:
    """The bot's properties are gone, and a redelivery is still recognised."""

    async def remember_or_clear(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        if context.activity.text == "clear":
            await state.load(context)
            await state.clear_state(context)
        else:
            await state.create_property("value").set(context, 1)
        await state.save_changes(context)

    room = room_with(remember_or_clear)
    await room.hears("remember")
    await room.hears("clear", id="again")
    await room.hears("clear", id="again")
    assert {"$turns", "e_tag"} == (await room.home()).keys()
    assert 2 == room.runs


async def test_delete_leaves_only_the_journal(room_with: RoomWith) -> None:
    """A deleted document is absent to the bot, and turns go on."""
    found = []

    async def delete(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.load(context)
        found.append(state.get(context))
        await state.delete(context)
        if context.activity.text == "write":
            await state.create_property("value").set(context, 1)
            await state.save_changes(context)

    room = room_with(delete)
    await room.hears("write")
    await room.hears("delete")
    await room.hears("look")
    assert [True, False, True] == [not state for state in found]
    assert {"$turns", "e_tag"} == (await room.document(USER)).keys()


async def test_private_conversation_state_commits_with_the_turn(room_with: RoomWith) -> None:
    """A document of a user in a conversation is one like the others."""

    async def whisper(context: TurnContext, storage: Storage) -> None:
        state = PrivateConversationState(storage)
        await state.create_property("secret").set(context, 42)
        await state.save_changes(context)

    room = room_with(whisper)
    await room.hears()
    assert 42 == (await room.document(f"{HOME}/users/ada/"))["secret"]


async def test_documents_of_the_bot_commit_with_the_turn(room_with: RoomWith) -> None:
    """What a bot writes through its storage is not stored if the turn fails."""

    async def order(context: TurnContext, storage: Storage) -> None:
        await storage.write({"orders/1": {"item": context.activity.text}})
        if context.activity.text == "bad":
            raise RuntimeError

    room = room_with(order)
    await room.hears("bad")
    assert {} == await room.document("orders/1")
    await room.hears("good")
    assert "good" == (await room.document("orders/1"))["item"]


@pytest.mark.parametrize(
    ("stored", "written", "is_change"),
    [
        (1, True, True),
        (1, 1.0, True),
        ([1, 2], [1, 2], False),
        ([1, 2], [1, 2, 3], True),
        ([1, 2, 3], [1, 2], True),
        ([1], [True], True),
        ([1, 2], [2, 1], True),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, True),
        (Profile("Ada", 1), Profile("Ada", 1), False),
        (Profile("Ada", 1), Profile("Ada", 2), True),
        (Profile("Ada", 1), {"name": "Ada", "visits": 1}, True),
    ],
)
async def test_only_what_has_changed_is_written(
    room_with: RoomWith, stored: object, written: object, is_change: bool
) -> None:
    """A change of type is one, too: 1 and True are equal in Python, and not in the store."""

    async def write(_context: TurnContext, storage: Storage) -> None:
        await storage.write({USER: {"value": written}})

    room = room_with(write)
    await room.storage.write({USER: {"value": stored}})
    room.storage.writes.clear()
    await room.hears()
    assert is_change == (USER in room.storage.writes)


async def test_an_object_that_cannot_be_read_is_told(room_with: RoomWith) -> None:
    """The document stays as it is; the class may be another version's, for instance."""

    async def write_and_read(context: TurnContext, storage: Storage) -> None:
        if context.activity.text == "write":
            await storage.write({"note": Note("kept")})
        await storage.read(["note"])
        await context.send_activity("Done.")

    room = room_with(write_and_read)
    await room.hears("write")
    # The version that comes next knows the class no more.
    room.storage._inner._codec = DocumentCodec([])
    await room.hears("read")
    sorry = "Sorry, what I remember about you could not be read."
    assert (["Done.", sorry], 1) == (room.texts(), room.storage.writes.count("note"))


async def test_an_object_may_be_a_document(room_with: RoomWith) -> None:
    """A registered object that is a document by itself keeps its class."""

    async def file(context: TurnContext, storage: Storage) -> None:
        note = (await storage.read(["note"])).get("note") or Note()
        note.text += context.activity.text
        await storage.write({"note": note})

    room = room_with(file)
    await room.hears("a")
    await room.hears("b")
    assert Note("ab") == (await room.document("note"))["$document"]


async def test_the_journal_is_hidden_from_the_bot(room_with: RoomWith) -> None:
    """The bot sees its own properties, and cannot replace the journal."""
    seen = []

    async def meddle(_context: TurnContext, storage: Storage) -> None:
        home = (await storage.read([HOME])).get(HOME, {})
        seen.append(home.keys() - {"e_tag"})
        home |= {"mine": 1, "$turns": "nonsense"}
        await storage.write({HOME: home})

    room = room_with(meddle)
    await room.hears()
    await room.hears()
    assert [set(), {"mine"}] == seen


async def test_an_outdated_e_tag_conflicts_within_a_turn(room_with: RoomWith) -> None:
    """A bot that keeps two copies of a document cannot overwrite one with the other."""
    conflicts = []

    async def race_itself(_context: TurnContext, storage: Storage) -> None:
        one = (await storage.read(["note"]))["note"]
        other = (await storage.read(["note"]))["note"]
        await storage.write({"note": one | {"by": "one"}})
        try:
            await storage.write({"note": other | {"by": "other"}})
        except StateConflict as conflict:
            conflicts.append(conflict)

    room = room_with(race_itself)
    await room.storage.write({"note": {"by": "nobody"}})
    await room.hears()
    assert 1 == len(conflicts)
    assert "one" == (await room.document("note"))["by"]


async def test_an_object_that_conflicts_goes_on_conflicting(room_with: RoomWith) -> None:
    """It keeps its outdated ETag: without one it would overwrite at the second try."""
    conflicts = []

    async def race_itself(_context: TurnContext, storage: Storage) -> None:
        one = (await storage.read(["note"]))["note"]
        other = (await storage.read(["note"]))["note"]
        one.text, other.text = "one", "other"
        await storage.write({"note": one})
        for _ in range(2):
            try:
                await storage.write({"note": other})
            except StateConflict as conflict:
                conflicts.append(conflict)

    async def write(_context: TurnContext, storage: Storage) -> None:
        await storage.write({"note": Note("nobody")})

    await room_with(write).hears(id="first")
    room = room_with(race_itself)
    await room.hears()
    assert (2, Note("one")) == (len(conflicts), (await room.document("note"))["$document"])


@pytest.mark.parametrize("written", [{}, {"e_tag": None}, {"e_tag": "*"}])
async def test_a_document_without_an_e_tag_overwrites_within_a_turn(
    room_with: RoomWith, written: dict[str, object]
) -> None:
    """With an asterisk too: the bot does not ask what was there."""
    conflicts = []

    async def overwrite(_context: TurnContext, storage: Storage) -> None:
        for text in ("once", "twice"):
            try:
                await storage.write({"note": {**written, "text": text}})
            except StateConflict as conflict:
                conflicts.append(conflict)

    room = room_with(overwrite)
    await room.storage.write({"note": {"text": "never", "by": "somebody"}})
    await room.hears()
    note = await room.document("note")
    assert ([], "twice", False) == (conflicts, note["text"], "by" in note)


async def test_changes_of_others_to_other_properties_stay(room_with: RoomWith) -> None:
    """Only the properties that the bot changed are written to a shared document."""

    async def rename(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("name").set(context, "Ada")
        # Somebody else's turn commits between our read and our commit.
        user = (await room.storage.read([USER]))[USER]
        await room.storage.write({USER: user | {"colour": "blue"}})
        await state.save_changes(context)

    room = room_with(rename)
    await room.storage.write({USER: {"name": "?", "colour": "red", "shoe": 39}})
    await room.hears()
    user = await room.document(USER)
    assert ("Ada", "blue", 39) == (user["name"], user["colour"], user["shoe"])


@pytest.mark.parametrize("text", ["x" * 2_000_000, "\u4e2d" * 350_000])
async def test_a_document_that_is_too_large_is_apologised_for(
    room_with: RoomWith, text: str
) -> None:
    """Nothing else is said, nothing is stored, and the bot can still be told to forget."""

    async def hoard(context: TurnContext, storage: Storage) -> None:
        user = UserState(storage)
        await user.create_property("hoard").set(context, context.activity.text and text)
        await user.save_changes(context)
        await context.send_activity("Done.")

    room = room_with(hoard, apologies=Apologies(too_large="Too much."))
    await room.hears("more")
    assert (["Too much."], {}) == (room.texts(), await room.document(USER))
    await room.hears("")
    assert ["Too much.", "Done."] == room.texts()


async def test_a_full_conversation_hears_that_it_is_full(room_with: RoomWith) -> None:
    """And can be told to forget: an apology needs no more room than there is."""

    async def add_or_forget(context: TurnContext, storage: Storage) -> None:
        state = ConversationState(storage)
        book = state.create_property("book")
        if context.activity.text == "forget":
            await book.delete(context)
        else:
            await book.set(context, (await book.get(context) or "") + "x")
        await state.save_changes(context)
        await context.send_activity("Done.")

    room = room_with(add_or_forget, apologies=Apologies(too_large="Full."))
    await room.storage.write({HOME: {"book": "x" * 2_000_000}})
    for text in ("add", "forget", "add"):
        await room.hears(text)
    assert ["Full.", "Done.", "Done."] == room.texts()


@pytest.mark.parametrize(
    "value",
    [object(), endless(), {object(): "x"}, "half: \ud800", Awkward()],
    ids=lambda value: type(value).__name__,
)
async def test_a_value_that_cannot_be_stored_is_a_fault_of_the_bot(
    room_with: RoomWith, value: object
) -> None:
    """The state stays as it was, and the user gets one apology."""

    async def store_anything(context: TurnContext, storage: Storage) -> None:
        await context.send_activity("Got it.")
        await storage.write({USER: {"value": value}})

    room = room_with(store_anything)
    await room.hears(id="a")
    await room.hears(id="a")
    assert ["Sorry, something went wrong here. Please try again."] == room.texts()
    assert {} == await room.document(USER)
