"""What every storage does. The SDK's own tests hold none of it."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from botbuilder.core import (
    BotAdapter,
    BotState,
    ConversationState,
    MessageFactory,
    PrivateConversationState,
    Storage,
    TurnContext,
    UserState,
)
from botbuilder.dialogs import DialogInstance, DialogState, PromptOptions
from botbuilder.dialogs.choices import ListStyle
from botbuilder.schema import (
    Activity,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)

from shared.errors import StateConflict, StateNotStorable, StateTooLarge
from shared.storage.document_ids import document_id
from shared.storage.sizes import MAX_ITEM_BYTES
from tests.contract.conftest import Note, UserProfile

KEY = "msteams/users/29:1ab?c#d"


class TestReading:
    async def test_absent_documents_are_left_out(self, storage: Storage) -> None:
        """What was never written is not an error."""
        await storage.write({"there": {"name": "Ada"}})
        assert ["there"] == list(await storage.read(["there", "absent"]))

    async def test_no_keys_no_documents(self, storage: Storage) -> None:
        """The SDK asks so at times."""
        assert {} == await storage.read([])

    async def test_a_key_may_be_asked_for_twice(self, storage: Storage) -> None:
        """The answer has it once."""
        await storage.write({KEY: {"name": "Ada"}})
        assert [KEY] == list(await storage.read([KEY, KEY]))

    async def test_registered_objects_come_back(self, storage: Storage) -> None:
        """A state property is of its class again."""
        await storage.write({KEY: {"UserProfile": UserProfile("Ada")}})
        assert UserProfile("Ada") == (await storage.read([KEY]))[KEY]["UserProfile"]

    @pytest.mark.parametrize(
        "value",
        [
            {"py/object": "x", "py/reduce": [], "$type": "y", "$turns": {"$x": 1}, "": "empty"},
            ["ü", "\x00", "𝄞", "</script>", "\u2028"],
            [2**53, -(2**53), 1e20, 5e-324, 1.5, 0, None, True, [], {}],
            {(1, "ü"): Decimal("1.10"), None: {b"\x00"}, HTTPStatus.OK: timedelta(-1)},
            [datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")), UUID(int=1)],
        ],
    )
    async def test_a_value_comes_back_equal(self, storage: Storage, value: object) -> None:
        """Neither a server's way with numbers nor a key's first letters change a value."""
        await storage.write({KEY: {"value": value}})
        assert value == (await storage.read([KEY]))[KEY]["value"]

    async def test_dialogs_come_back(self, storage: Storage) -> None:
        """With the activity that a prompt keeps, to be sent again."""
        options = PromptOptions(MessageFactory.text("Which?"), style=ListStyle.list_style)
        dialogs = DialogState([DialogInstance("choice", {"options": options})])
        await storage.write({KEY: {"DialogState": dialogs}})

        [read] = (await storage.read([KEY]))[KEY]["DialogState"].dialog_stack
        assert options.prompt == read.state["options"].prompt
        assert ListStyle.list_style is read.state["options"].style

    async def test_nobody_shares_an_object_with_the_store(self, storage: Storage) -> None:
        """A change that is not written is not there, as it is not in another process."""
        written: dict[str, Any] = {"list": [1]}
        await storage.write({KEY: written})
        written["list"].append(2)
        read = (await storage.read([KEY]))[KEY]
        read["list"].append(3)
        assert [1] == (await storage.read([KEY]))[KEY]["list"]


class TestWriting:
    async def test_a_document_may_be_saved_twice(self, storage: Storage) -> None:
        """The new ETag is written back into the document that was passed."""
        document = {"name": "Ada"}
        await storage.write({KEY: document})
        document["name"] = "Grace"
        await storage.write({KEY: document})
        assert document == (await storage.read([KEY]))[KEY]

    async def test_a_document_without_e_tag_must_not_exist_yet(self, storage: Storage) -> None:
        """A turn that found nothing does not overwrite what another has written since."""
        await storage.write({KEY: {"name": "Ada"}})
        with pytest.raises(StateConflict):
            await storage.write({KEY: {"name": "Grace"}})
        assert "Ada" == (await storage.read([KEY]))[KEY]["name"]

    async def test_a_changed_document_is_not_replaced(self, storage: Storage) -> None:
        """The second of two writers that read the same version is refused."""
        await storage.write({KEY: {"count": 0}})
        first = (await storage.read([KEY]))[KEY]
        second = (await storage.read([KEY]))[KEY]
        await storage.write({KEY: {**first, "count": 1}})
        with pytest.raises(StateConflict):
            await storage.write({KEY: {**second, "count": 2}})
        assert 1 == (await storage.read([KEY]))[KEY]["count"]

    async def test_a_deleted_document_is_not_brought_back(self, storage: Storage) -> None:
        """A writer that read it before finds that it is not as it was."""
        document = {"name": "Ada"}
        await storage.write({KEY: document})
        await storage.delete([KEY])
        with pytest.raises(StateConflict):
            await storage.write({KEY: document})
        assert {} == await storage.read([KEY])

    async def test_a_document_made_anew_is_another_version(self, storage: Storage) -> None:
        """An ETag is never used twice for one key."""
        old: dict[str, Any] = {"name": "Ada"}
        await storage.write({KEY: old})
        await storage.delete([KEY])
        await storage.write({KEY: {"name": "Grace"}})
        with pytest.raises(StateConflict):
            await storage.write({KEY: old})

    async def test_a_star_overwrites(self, storage: Storage) -> None:
        """Whatever is there, or nothing, as the SDK documents."""
        for name in ("Ada", "Grace"):
            await storage.write({KEY: {"name": name, "e_tag": "*"}})
            assert name == (await storage.read([KEY]))[KEY]["name"]

    async def test_of_many_that_create_one_wins(self, storage: Storage) -> None:
        """Of the first messages of a conversation at once, one turn's state is kept, whole."""
        documents = [{"turn": turn} for turn in range(20)]
        outcomes = await asyncio.gather(
            *(storage.write({KEY: document}) for document in documents), return_exceptions=True
        )
        assert 19 == sum(isinstance(outcome, StateConflict) for outcome in outcomes)
        assert outcomes.index(None) == (await storage.read([KEY]))[KEY]["turn"]

    async def test_no_change_is_lost_where_the_refused_try_again(self, storage: Storage) -> None:
        """Twenty turns at once change the state twenty times."""

        async def count_up() -> None:
            while True:
                document = (await storage.read([KEY])).get(KEY, {"count": 0})
                document["count"] += 1
                with suppress(StateConflict):
                    await storage.write({KEY: document})
                    return

        await asyncio.gather(*(count_up() for _ in range(20)))
        assert 20 == (await storage.read([KEY]))[KEY]["count"]

    async def test_each_document_is_written_for_itself(self, storage: Storage) -> None:
        """One that is refused does not take others with it, and only those written change."""
        await storage.write({"taken": {"name": "Ada"}})
        changes = {"taken": {"name": "Grace"}, "free": {"name": "Grace"}}
        with pytest.raises(StateConflict):
            await storage.write(changes)
        assert ["Ada", "Grace"] == [
            document["name"] for document in (await storage.read(["taken", "free"])).values()
        ]
        assert [False, True] == ["e_tag" in document for document in changes.values()]

    async def test_nothing_is_written_if_one_document_cannot_be(self, storage: Storage) -> None:
        """A value of an unregistered class is found before the first request."""
        with pytest.raises(StateNotStorable):
            await storage.write({"good": {"name": "Ada"}, "bad": {"name": object()}})
        assert {} == await storage.read(["good"])

    @pytest.mark.parametrize("e_tag", ["", 7])
    async def test_an_e_tag_that_cannot_be_is_refused(self, storage: Storage, e_tag: Any) -> None:
        """It does not count as none: that would be another condition."""
        with pytest.raises(StateNotStorable, match="e_tag"):
            await storage.write({KEY: {"e_tag": e_tag}})

    async def test_an_object_of_the_sdks_may_be_a_document(self, storage: Storage) -> None:
        """As a bot keeps references to write to users by itself."""
        reference = ConversationReference(user=ChannelAccount(id="29:1ab"))
        await storage.write({KEY: reference})
        read: Any = (await storage.read([KEY]))[KEY]
        read.locale = "de"
        await storage.write({KEY: read})

        again: Any = (await storage.read([KEY]))[KEY]
        assert (ConversationReference, "29:1ab", "de") == (type(again), again.user.id, again.locale)
        with pytest.raises(StateConflict):
            await storage.write({KEY: ConversationReference()})

    async def test_an_object_may_be_a_whole_document(self, storage: Storage) -> None:
        """A registered class with a field e_tag needs no dictionary around it."""
        note = Note("first")
        await storage.write({KEY: note})
        note.text = "second"
        await storage.write({KEY: note})
        assert note == (await storage.read([KEY]))[KEY]

    async def test_an_object_without_place_for_an_e_tag_is_no_document(
        self, storage: Storage
    ) -> None:
        """It could never be saved twice."""
        with pytest.raises(StateNotStorable, match="A UserProfile cannot be a document by itself"):
            await storage.write({KEY: UserProfile("Ada")})


class TestDeleting:
    async def test_a_deleted_document_is_gone(self, storage: Storage) -> None:
        """And can be made anew."""
        await storage.write({KEY: {"name": "Ada"}})
        await storage.delete({KEY})
        assert {} == await storage.read([KEY])
        await storage.write({KEY: {"name": "Grace"}})
        assert "Grace" == (await storage.read([KEY]))[KEY]["name"]

    async def test_an_absent_document_may_be_deleted(self, storage: Storage) -> None:
        """It is gone before and after."""
        await storage.delete(["absent"])
        assert {} == await storage.read(["absent"])


class TestKeys:
    async def test_keys_do_not_mix(self, storage: Storage) -> None:
        """Each key has its own document, whatever characters are in it, and however long it is."""
        keys = [
            *("a/b", "a*47b", "a\\b", "a?b", "a#b", "a b", "a%2Fb", "ä", "a+b", "A/B", "日本"),
            *(".", "..", "...", "a.", " ", "  ", "a", "a ", "a  ", "a*32", "*", "**", "*32", "*46"),
            *(
                "\t",
                "\t2",
                "\\",
                "*92",
                "*092",
                "a\nb",
                "a\r",
                "\x00",
                "*00",
                "\x1f",
                "\x7f",
                "\x85",
            ),
            *(
                "a;b=c&d",
                "%",
                "%00",
                "a:b@c",
                "$",
                "\u2028",
                "\u202ea",
                "e\u0301",
                "é",
                "𝄞",
                "\ufeff",
            ),
            *("x" * length for length in (254, 255, 256, 385, 2000)),
            *("x" * length + " " for length in (252, 253, 254, 255)),
            *("/" * length for length in (84, 85, 86, 400)),
            *("𝄞" * 255, "𝄞" * 256, "𝄞" * 256 + "/"),
        ]
        await storage.write({key: {"key": key} for key in keys})
        read = await storage.read(keys)
        assert {key: key for key in keys} == {key: doc["key"] for key, doc in read.items()}
        await storage.write(read)
        await storage.delete(keys[::2])
        assert keys[1::2] == list(await storage.read(keys))

    @pytest.mark.parametrize("state", [UserState, ConversationState, PrivateConversationState])
    @pytest.mark.parametrize("end", ["", " ", "\t2", "/é\n", "x" * 300])
    async def test_every_scope_of_the_sdk_has_its_keys(
        self, storage: Storage, state: Callable[[Storage], BotState], end: str
    ) -> None:
        """Also the one whose keys name a conversation and a user, whatever their ids are."""
        activity = Activity(
            channel_id="msteams",
            from_property=ChannelAccount(id=f"29:1{end}"),
            conversation=ConversationAccount(id=f"19:x@thread.tacv2;messageid=1{end}"),
        )
        saved, later = (TurnContext(cast(BotAdapter, object()), activity) for _ in range(2))
        scope: BotState = state(storage)
        await scope.create_property("name").set(saved, "Ada")
        await scope.save_changes(saved)
        assert "Ada" == await scope.create_property("name").get(later)

    @pytest.mark.parametrize("key", ["", "\ud800", "a" * 300 + "\udfff"])
    async def test_what_is_no_key_is_refused(self, storage: Storage, key: str) -> None:
        """By every storage alike and for every operation, before anything is written."""
        await storage.write({"kept": {"name": "Ada"}})
        before = await storage.read(["kept"])
        with pytest.raises(StateNotStorable):
            await storage.read(["kept", key])
        with pytest.raises(StateNotStorable):
            await storage.write({"kept": {**before["kept"], "name": "Grace"}, key: {}})
        with pytest.raises(StateNotStorable):
            await storage.delete(["kept", key])
        assert before == await storage.read(["kept"])


# aiohttp: more than 1 MB at once may hold up the event loop. It is meant to be refused.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
class TestSizes:
    """What counts is JSON as azure-cosmos sends it: in ASCII, and in the SDK's envelope."""

    @pytest.mark.parametrize("text", ["x", "é", "漢", "🎲", "\x7f", "\\", '"', "\n", "\x01"])
    @pytest.mark.parametrize("key", ["k", "漢/" * 200])
    async def test_the_largest_document_is_the_same_everywhere(
        self, storage: Storage, text: str, key: str
    ) -> None:
        """One byte more is refused, by memory as by Cosmos DB."""
        item = {"id": document_id(key), "realId": key, "document": {"text": "", "fill": ""}}
        room = MAX_ITEM_BYTES - len(json.dumps(item, separators=(",", ":")))
        times, rest = divmod(room, len(json.dumps(text)) - 2)
        document = {"text": text * times, "fill": "x" * rest}
        await storage.write({key: document})
        document["fill"] += "x"
        with pytest.raises(StateTooLarge, match=f"{MAX_ITEM_BYTES + 1:,} bytes"):
            await storage.write({key: document})
        assert text * times == (await storage.read([key]))[key]["text"]

    async def test_nothing_is_written_if_one_document_is_too_large(self, storage: Storage) -> None:
        """It is found before the first request."""
        with pytest.raises(StateTooLarge):
            await storage.write({"good": {"name": "Ada"}, "bad": {"text": "漢" * 400_000}})
        assert {} == await storage.read(["good"])
