"""How much a turn may store: never more than the store takes, and hardly less."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botbuilder.core import Storage, TurnContext, UserState
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import StateTooLarge
from shared.storage.memory import MemoryStorage
from shared.storage.sizes import MAX_ITEM_BYTES, stored_size
from shared.turns.limits import DOCUMENT_BYTES
from shared.turns.state.journal import RESERVED, Change, Journal, TurnRecord
from shared.turns.state.storable import check_size, is_small
from shared.turns.state.stored_document import StoredDocument
from tests.unit.storage.remembered import KEYS
from tests.unit.storage.test_values import CODEC, VALUES
from tests.unit.turns.conftest import USER, Room

RoomWith = Callable[..., Room]

PROPERTIES = st.dictionaries(KEYS, VALUES, max_size=3)
CHARACTERS = st.sampled_from("x\x7f漢🎲")

MARGIN_BYTES = MAX_ITEM_BYTES - DOCUMENT_BYTES
"""So much more would fit: it is kept for apologies, and for what other conversations write."""


def document_of(properties: dict[str, Any], elsewhere: dict[str, Any]) -> StoredDocument:
    """The document of a turn that also changes another document."""
    last = TurnRecord(id="turn", writes={"elsewhere": Change(put=elsewhere)})
    return StoredDocument("test/conversations/é", properties, Journal(last=last), None)


def plain(document: StoredDocument) -> dict[str, Any]:
    """What is written of it."""
    return {**document.properties, RESERVED: document.journal.to_json()}


def sent_bytes(storage: MemoryStorage, document: StoredDocument) -> int:
    """The bytes that a request for Cosmos DB has: see tests/unit/storage/test_sizes.py."""
    return stored_size(document.key, storage.encode(plain(document)))


@settings(max_examples=10)
@given(PROPERTIES, PROPERTIES, CHARACTERS, st.integers(-3, 3))
def test_a_document_is_refused_exactly_beyond_the_limit(
    properties: dict[str, Any], elsewhere: dict[str, Any], character: str, more: int
) -> None:
    """Whatever its values are: also those that take more room in the store than in memory."""
    storage = MemoryStorage(CODEC)
    document = document_of({**properties, "padding": ""}, elsewhere)
    room = DOCUMENT_BYTES + more - sent_bytes(storage, document)
    many, few = divmod(
        room, sent_bytes(storage, padded(document, character)) - sent_bytes(storage, document)
    )
    document = padded(document, character * many + "x" * few)

    refused = False
    try:
        check_size(document, storage.encode)
    except StateTooLarge:
        refused = True
    # It would have been taken all the same.
    asyncio.run(storage.write({document.key: plain(document)}))

    assert DOCUMENT_BYTES + more == sent_bytes(storage, document)
    assert (more > 0) == refused


@settings(max_examples=25)
@given(PROPERTIES, PROPERTIES, CHARACTERS, st.floats(0.1, 1.1))
def test_what_is_taken_for_small_is_never_beyond_the_limit(
    properties: dict[str, Any], elsewhere: dict[str, Any], character: str, share: float
) -> None:
    """So nothing passes that the exact measure would refuse."""
    storage = MemoryStorage(CODEC)
    padding = character * round(share * DOCUMENT_BYTES / 6)
    document = document_of({**properties, "padding": padding}, elsewhere)
    values = document.properties, {"elsewhere": elsewhere}
    values_bytes = sum(len(storage.encode(one)) for one in values)

    assert not is_small(document, values_bytes) or sent_bytes(storage, document) <= DOCUMENT_BYTES


def test_what_is_left_free_is_a_tenth() -> None:
    """A document that is refused has nine tenths of what Cosmos DB takes."""
    assert MARGIN_BYTES * 10 < MAX_ITEM_BYTES


async def test_a_bot_hears_at_once_that_its_values_are_too_large_for_the_store(
    room_with: RoomWith,
) -> None:
    """Each of these tuples has two bytes to Python's JSON, and 43 in the store."""

    async def hoard(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("hoard").set(context, [()] * 50_000)
        try:
            await state.save_changes(context)
        except StateTooLarge:
            await context.send_activity("That was too much.")

    room = room_with(hoard)
    await room.hears("more")

    assert ["That was too much."] == room.texts()
    assert {} == await room.document(USER)


async def test_a_turn_that_says_too_much_beside_what_it_keeps_changes_nothing(
    room_with: RoomWith,
) -> None:
    """What it says is committed with what it keeps, which the bot cannot know when it saves."""

    async def hoard_and_tell(context: TurnContext, storage: Storage) -> None:
        state = UserState(storage)
        await state.create_property("hoard").set(context, [()] * 30_000)
        await state.save_changes(context)
        await context.send_activity("x" * 700_000)

    room = room_with(hoard_and_tell)
    await room.hears("more")

    assert ["Sorry"] == [text[:5] for text in room.texts()]
    assert {} == await room.document(USER)


def padded(document: StoredDocument, padding: str) -> StoredDocument:
    """The document with something else for its padding."""
    return replace(document, properties={**document.properties, "padding": padding})
