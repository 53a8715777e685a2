import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage import foreign_type, state_type
from shared.storage.codec.documents import MAX_DEPTH, MAX_SAFE_INTEGER, DocumentCodec
from tests.unit.storage.remembered import (
    CODEC,
    DOCUMENTS,
    ORDERS,
    Address,
    DialogInstance,
    DialogState,
    Order,
    Profile,
    ask,
)


def _nested(depth: int) -> list[Any]:
    return [] if depth == 1 else [_nested(depth - 1)]


def through_the_store(document: Any) -> Any:
    return CODEC.decode(json.loads(json.dumps(CODEC.encode(document), allow_nan=False)))


class TestRoundTrip:
    @given(DOCUMENTS)
    def test_any_document_comes_back_equal(self, document: dict[str, Any]) -> None:
        """Whatever is accepted is given back, whatever its keys and at any depth."""
        assert document == through_the_store(document)

    @given(ORDERS)
    def test_any_field_comes_back_as_its_type(self, order: Order) -> None:
        """Dates, sets, tuples and the like keep their type where the field declares it."""
        assert order == through_the_store({"order": order})["order"]

    def test_a_registered_object_is_stored_under_its_name_and_version(self) -> None:
        """What stands in the store is the registered name, the version and the fields."""
        assert {
            "home": {"$type": "Address", "$version": 1, "street": "Elm", "floor": None}
        } == CODEC.encode({"home": Address("Elm")})

    def test_a_datetime_is_stored_as_iso_8601(self) -> None:
        """A person who looks into the store can read a date."""
        order = Order(placed=datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
        assert CODEC.encode({"order": order})["order"]["placed"] == "2026-11-23T12:30:00Z"

    @pytest.mark.parametrize("key", ["py/object", "py/x", "$type", "$version", "$$type", "$py/x"])
    def test_a_key_that_looks_like_a_tag_is_kept(self, key: str) -> None:
        """The stock SDK silently drops keys that begin with py/; here all keys are kept."""
        document = {"property": {key: "Address"}, key: "mine"}
        assert document == through_the_store(document)

    def test_the_key_of_the_turns_is_stored_as_it_is(self) -> None:
        """Only what could be taken for a tag is escaped; "$turns" is not."""
        assert CODEC.encode({"$turns": {"$x": 1}}) == {"$turns": {"$x": 1}}

    def test_the_e_tag_is_not_stored(self) -> None:
        """A document's ETag belongs to the store and not to its content."""
        assert CODEC.encode({"e_tag": "7", "name": "Ada"}) == {"name": "Ada"}

    def test_a_float_that_the_store_wrote_without_a_point_stays_storable(self) -> None:
        """Cosmos DB gives 1e20 back as an integer with 21 digits."""
        read = CODEC.decode({"big": 100000000000000000000})
        assert (1e20, float) == (read["big"], type(read["big"]))

    def test_text_and_number_enums_of_a_function_come_back_equal(self) -> None:
        """A StrEnum or IntEnum that nobody would find again comes back as a str or an int."""

        class Channel(StrEnum):
            TEAMS = "msteams"

        class Level(IntEnum):
            HIGH = 3

        assert through_the_store({"a": Channel.TEAMS, "b": Level.HIGH}) == {"a": "msteams", "b": 3}

    def test_dialogs_can_be_registered(self) -> None:
        """Classes that are not ours, not dataclasses and nested in each other are stored too."""
        waterfall = DialogInstance()
        waterfall.id, waterfall.state = "main", {"stepIndex": 1, "values": {"who": Address("Elm")}}
        stack = through_the_store({"dialogs": DialogState([waterfall])})["dialogs"].dialog_stack
        assert [("main", waterfall.state)] == [(item.id, item.state) for item in stack]

    def test_a_registered_object_can_be_a_whole_document(self) -> None:
        """What is written without the SDK's state classes need not be a dictionary."""
        assert Address("Elm", 2) == through_the_store(Address("Elm", 2))


class Unregistered:
    pass


class TestWriting:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (Unregistered(), "add @state_type"),
            (float("nan"), "not a finite number"),
            (float("inf"), "not a finite number"),
            (MAX_SAFE_INTEGER + 1, "beyond 2\\^53"),
            ("\ud800", "surrogate"),
            ({"\ud800": 1}, "surrogate"),
        ],
    )
    def test_what_would_not_come_back_is_refused(self, value: object, reason: str) -> None:
        """The error says where the value is and what to do, and not what it is."""
        with pytest.raises(StateNotStorable, match=reason) as refused:
            CODEC.encode({"prop": [value]})
        assert str(refused.value).startswith("prop[0]")

    def test_a_field_of_the_wrong_type_is_refused(self) -> None:
        """What could not be read back is not written in the first place."""
        with pytest.raises(StateNotStorable) as refused:
            CODEC.encode({"home": Address("Elm", "third")})  # type: ignore[arg-type]  # the fault
        assert "home.floor: Expected `int | null`, got `str`. It was not stored." == str(
            refused.value
        )

    def test_a_document_that_contains_itself_is_refused(self) -> None:
        """Neither the recursion limit nor Cosmos DB's depth is ever reached."""
        loop: dict[str, Any] = {}
        loop["again"] = [loop]
        with pytest.raises(StateNotStorable, match=f"deeper than {MAX_DEPTH} levels"):
            CODEC.encode(loop)

    def test_a_property_has_a_text_for_a_name(self) -> None:
        """Other dictionaries may have keys of any kind."""
        with pytest.raises(StateNotStorable, match="The document has a key that is not a string"):
            CODEC.encode({1: "x"})

    def test_a_subclass_does_not_pass_for_its_base(self) -> None:
        """It would come back as the base: a subclass is registered by itself."""

        class Villa(Address):
            pass

        with pytest.raises(StateNotStorable, match="Villa, which is not registered"):
            CODEC.encode({"home": Villa("Elm")})

    def test_encoding_shares_nothing_with_the_document(self) -> None:
        """What the bot does to its objects later does not reach the store."""
        document = {"list": [1, {"a": [2]}]}
        encoded = CODEC.encode(document)
        encoded["list"][1]["a"].append(3)
        assert document == {"list": [1, {"a": [2]}]}

    def test_a_document_of_a_class_that_nobody_registered_is_refused(self) -> None:
        """A document need not be a dictionary, but then the app must know its class."""
        with pytest.raises(StateNotStorable, match=r"^The document is a .*Unregistered, which is"):
            CODEC.encode(Unregistered())

    def test_what_a_class_raises_when_it_is_written_is_not_told(self) -> None:
        """What takes a foreign object apart may raise anything, with the user's words in it."""

        def dump(_: Unregistered) -> dict[str, Any]:
            raise KeyError("Ada's secret")

        codec = DocumentCodec([foreign_type(Unregistered, "Foreign", {}, dump=dump)])
        with pytest.raises(StateNotStorable) as refused:
            codec.encode({"prop": Unregistered()})
        assert "prop was refused by its own class. It was not stored." == str(refused.value)

    def test_keys_in_a_field_are_escaped_whatever_dictionary_has_them(self) -> None:
        """A key that looks like a tag comes back from an OrderedDict as from any other."""

        @state_type("Tagged")
        @dataclass
        class Tagged:
            tags: dict[str, str]

        codec = DocumentCodec([Tagged])
        written = codec.encode({"p": Tagged(OrderedDict({"$type": "a", "py/x": "b"}))})
        assert Tagged({"$type": "a", "py/x": "b"}) == codec.decode(written)["p"]

    def test_an_objects_own_e_tag_is_not_stored(self) -> None:
        """An object that is a document has its ETag in a field, which is no part of its state."""

        @state_type("Note")
        @dataclass
        class Note:
            text: str
            e_tag: str | None = None

        codec = DocumentCodec([Note])
        written = codec.encode(Note("x", "7"))
        assert {"$type": "Note", "$version": 1, "text": "x"} == written
        assert Note("x") == codec.decode(written)


class TestReading:
    @pytest.mark.parametrize(
        ("stored", "reason"),
        [
            ({"$version": 1, "street": 5}, r".street: Expected `str`, got `int`."),
            ({"$version": 1}, ": Object missing required field `street`."),
            ({"$version": 2, "street": "x"}, " has version 2 of Address, but this app knows 1"),
            ({"$version": "1", "street": "x"}, " has no valid $version"),
            ({"street": "x"}, " has no valid $version"),
            ({"$version": 0, "street": "x"}, " has no valid $version"),
            ({"$type": "Castle", "$version": 1}, " is of a type that is not registered"),
            ({"$type": ["Address"], "$version": 1}, " is of a type that is not registered"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, stored: dict[str, Any], reason: str) -> None:
        """The error names the property, says where the fault is, and what."""
        with pytest.raises(StateUnreadable) as refused:
            ask({"$type": "Address", **stored})
        assert str(refused.value).startswith(f"property{reason}")

    def test_errors_tell_no_values(self) -> None:
        """msgspec quotes a wrong enum value; the error does not."""
        with pytest.raises(StateUnreadable) as refused:
            ask({"$type": "Order", "$version": 1, "size": "Ada's secret"})
        assert "property.size: Invalid enum value. It was left as it is." == str(refused.value)

    @pytest.mark.parametrize("fault", [ValueError, KeyError, RecursionError])
    def test_what_a_class_says_itself_is_not_told(self, fault: type[Exception]) -> None:
        """A __post_init__ may raise anything, and put the user's words into its error."""

        @dataclass
        class Name:
            text: str

            def __post_init__(self) -> None:
                raise fault(f"Invalid name {self.text}")

        codec = DocumentCodec([state_type("Name")(Name)])
        with pytest.raises(StateUnreadable) as refused:
            ask({"$type": "Name", "$version": 1, "text": "Ada"}, codec)
        assert "property was refused by its own class. It was left as it is." == str(refused.value)

    def test_a_renamed_class_is_read_under_its_former_name(self) -> None:
        """The stock SDK makes a dictionary of it, silently."""
        stored = {"$type": "User", "$version": 3, "first_name": "Ada", "last_name": "Lovelace"}
        assert Profile("Ada", "Lovelace") == ask(stored)

    @pytest.mark.parametrize(
        ("version", "fields"),
        [
            (1, {"name": "Ada Lovelace"}),
            (2, {"first": "Ada", "last": "Lovelace"}),
            (3, {"first_name": "Ada", "last_name": "Lovelace"}),
        ],
    )
    def test_an_older_version_is_migrated_step_by_step(
        self, version: int, fields: dict[str, str]
    ) -> None:
        """Each migration makes one version into the next, up to today's."""
        assert Profile("Ada", "Lovelace") == ask(
            {"$type": "Profile", "$version": version, **fields}
        )

    def test_a_migration_that_fails_is_a_clear_error(self) -> None:
        """What a migration raises does not get out as it is."""
        with pytest.raises(StateUnreadable, match="migration of Profile from version 1 failed"):
            ask({"$type": "Profile", "$version": 1})

    def test_a_document_is_not_changed_by_reading_it(self) -> None:
        """A refused document is left as it is, and so is any other."""
        stored = {"user": {"$type": "Profile", "$version": 1, "name": "Ada Lovelace"}}
        before = json.dumps(stored)
        CODEC.decode(stored)
        assert before == json.dumps(stored)

    @pytest.mark.parametrize(
        "stored",
        [
            {"$type": "AdaptiveCard", "version": "1.5"},
            {"$type": 5},
            {"$ref": "#/definitions/x", "$id": "y", "$values": [1]},
            {"type": "Buffer", "data": [1]},
        ],
    )
    def test_keys_of_other_sdks_are_keys_like_any(self, stored: dict[str, Any]) -> None:
        """The SDK for JavaScript stores what a bot gives to it as it is."""
        assert stored == ask(stored)
        assert stored == through_the_store({"property": stored})["property"]

    @pytest.mark.parametrize(
        "stored", [["\ud800"], {"\udfff": 1}, *(_nested(depth) for depth in (MAX_DEPTH + 1, 126))]
    )
    def test_what_could_not_be_written_again_is_not_read(self, stored: Any) -> None:
        """Else a document that another SDK wrote could never be saved."""
        with pytest.raises(StateUnreadable, match="written again"):
            ask(stored)

    def test_what_is_as_deep_as_can_be_is_read(self) -> None:
        """What can be written can be read, and the other way round."""
        deep = _nested(MAX_DEPTH)
        assert deep == through_the_store({"property": deep})["property"]
