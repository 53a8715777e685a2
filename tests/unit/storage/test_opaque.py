import json
import pickle
from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

import pytest
from botbuilder.core.bot_state import CachedBotState
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import StateUnreadable
from shared.storage.codec.opaque import Opaque
from shared.turns.state.stored_document import WHOLE, put_together
from tests.unit.storage.remembered import CODEC, KEYS, PLAIN, Address, Order

# Each for another reason: by this app, by the SDKs for Python and for .NET, or by nobody.
UNREADABLE: list[Any] = [
    {"$type": "Castle", "$version": 1, "big": 9007199254740993, "whole": 1.0},
    {"$type": "Address", "$version": 2, "street": "Elm"},
    {"$type": "Address", "$version": 1, "street": 5},
    {"py/object": "old.Class", "$x": 1, "$$type": 2, "py/x": [1, {"py/tuple": [2]}]},
    [1, {"deep": [{"py/type": "old.Class"}]}],
    {"$type": "$enum", "$version": 1, "path": "old.Colour", "name": "RED"},
    {"$type": "$date", "$version": 2, "value": "2026-11-23"},
    {"$type": "Ns.Class, Assembly", "Name": "Ada", "Items": {"$type": "x,y", "$values": []}},
    {"$type": "System.Byte[], System.Private.CoreLib", "$value": "AP8="},
    {"half": "\ud800"},
    [10**400],
    {"$kept": {"py/object": "old.Class"}},
]


def from_the_store(document: dict[str, Any]) -> Any:
    return CODEC.decode(json.loads(json.dumps(document)))


@pytest.mark.parametrize("stored", UNREADABLE)
def test_it_is_written_back_as_it_was(stored: Any) -> None:
    """To the last digit, in its place, whatever else changes around it."""
    document = from_the_store({"a": 1, "$property": 2, "property": stored, "z": 3})
    document["a"], document["new"] = Address("Elm"), "text"
    del document["z"]
    assert json.dumps(
        {
            "a": {"$type": "Address", "$version": 1, "street": "Elm", "floor": None},
            "$property": 2,
            "property": stored,
            "new": "text",
        }
    ) == json.dumps(CODEC.encode(document))


@pytest.mark.parametrize("stored", UNREADABLE)
def test_a_turns_journal_carries_it(stored: Any) -> None:
    """Changes to other documents wait in `$turns`, and are applied from there."""
    value = from_the_store({"property": stored})["property"]
    journal = {"last": {"writes": {"key": {"put": {"property": value, "$type": value}}}}}
    for _ in range(3):
        read = from_the_store(CODEC.encode({"$turns": journal}))
        journal = read["$turns"]
    put = journal["last"]["writes"]["key"]["put"]
    assert {"property": value, "$type": value} == put
    assert stored == CODEC.encode({"property": put["property"]})["property"]


def test_a_journal_may_carry_what_another_version_wrote() -> None:
    """It is handed on as it is; what can be read is what it was."""
    newer = {
        "$type": "Address",
        "$version": 2,
        "street": "Elm",
        "new": [{"$type": "X", "$version": 1}],
    }
    put = {"newer": newer, "mine": CODEC.encode({"a": Address("Elm")})["a"], "list": [newer, 1]}
    read = from_the_store({"$turns": {"writes": {"key": {"put": put}}}})
    kept = read["$turns"]["writes"]["key"]["put"]
    assert Address("Elm") == kept["mine"]
    assert newer == CODEC.encode({"property": kept["newer"]})["property"]
    assert read == from_the_store(CODEC.encode(read))


@pytest.mark.parametrize("stored", UNREADABLE)
def test_what_is_put_elsewhere_is_kept_there(stored: Any) -> None:
    """A bot that moves it into another value has made that unreadable, and lost nothing."""
    value = from_the_store({"property": stored})["property"]
    order = Order(anything={"moved": value})
    encoded = CODEC.encode({"order": order, "list": [value]})
    read = from_the_store(encoded)
    assert {"order": Opaque(encoded["order"]), "list": Opaque(encoded["list"])} == read
    assert "overwrite the property" in str(Opaque.unreadable(read["list"]))


@pytest.mark.parametrize("use", [lambda value: value.name, lambda value: value.append(1)])
def test_whoever_uses_it_is_told(use: Any) -> None:
    """What is stored cannot be read here, and the error says what to do."""
    with pytest.raises(
        StateUnreadable, match=r"^property is of a type.*register it in STATE_TYPES"
    ):
        use(from_the_store({"property": UNREADABLE[0]})["property"])


def test_copies_are_equal_and_the_sdk_sees_no_change() -> None:
    """The SDK compares what its Pickler makes of the state at the beginning and at the end."""
    state = from_the_store({str(number): stored for number, stored in enumerate(UNREADABLE)})
    assert state == pickle.loads(pickle.dumps(state))
    assert state == deepcopy(state) == {name: copy(value) for name, value in state.items()}
    cached = CachedBotState(state)
    cached.state = deepcopy(state)
    assert not cached.is_changed
    cached.state["0"] = cached.state["1"]
    assert cached.is_changed
    assert 1 == len({state["0"], deepcopy(state["0"])})


@pytest.mark.parametrize("other", [1.0, True, "1", None, [1], Opaque(1.0), Opaque(True), 1])
def test_it_equals_only_the_same_json(other: Any) -> None:
    """To Python 1, 1.0 and True are the same; in the store they are not."""
    assert other != Opaque(1)
    assert Opaque(1) == Opaque(1)


def test_a_whole_document_that_cannot_be_read_is_refused() -> None:
    """There is no other property whose reader it should not trouble."""
    for stored in ({"py/object": "old.Class"}, {"$type": "Castle", "$version": 1}):
        with pytest.raises(StateUnreadable, match=r"^The document "):
            CODEC.decode(stored)
        read = from_the_store({WHOLE: stored, "$turns": {}})
        with pytest.raises(StateUnreadable):
            put_together(read, "1")
        assert {WHOLE: stored, "$turns": {}} == CODEC.encode(read)


class TestReferences:
    """What jsonpickle has written once only."""

    STORED: dict[str, Any] = {  # noqa: RUF012  # never changed
        "home": {"py/object": "old.Place", "street": "Elm"},
        "office": {"py/id": 1},
        "other": {"py/object": "old.Pair", "one": {"py/object": "old.Place"}, "two": {"py/id": 3}},
    }

    def test_they_stay_while_they_lead_to_the_same(self) -> None:
        """The old bot could still read what this one has not changed."""
        document = from_the_store(self.STORED)
        assert {**self.STORED, "new": [1]} == CODEC.encode(document | {"new": [1]})

    @pytest.mark.parametrize("change", [{"home": "gone"}, {"home": {"a": [1]}}, {"home": None}])
    def test_the_things_stand_in_their_place_where_they_would_lead_elsewhere(
        self, change: dict[str, Any]
    ) -> None:
        """A number counts all that stands before it in the document."""
        place = {"py/object": "old.Place"}
        document = from_the_store(self.STORED) | change
        if change["home"] is None:
            del document["home"], change["home"]
        encoded = CODEC.encode(document)
        assert {**change, "office": self.STORED["home"]} == {
            name: encoded[name] for name in encoded if name != "other"
        }
        assert {"py/object": "old.Pair", "one": place, "two": place} == from_spelled(
            encoded["other"]
        )

    def test_they_are_spelled_out_in_a_journal(self) -> None:
        """There they would count another document."""
        office = from_the_store(self.STORED)["office"]
        encoded = CODEC.encode({"$turns": {"put": {"office": office}}})
        assert {"$turns": {"put": {"office": {"$kept": self.STORED["home"]}}}} == encoded


def from_spelled(stored: dict[str, Any]) -> dict[str, Any]:
    """Follow the one reference that may lead to what stands before it in the same property."""
    return stored | ({"two": stored["one"]} if "py/id" in stored["two"] else {})


class TestDotNet:
    """Documents that the SDK for .NET wrote."""

    BAG = "System.Collections.Generic.Dictionary`2[[System.String, x],[System.Object, x]], x"
    LIST = "System.Collections.Generic.List`1[[System.Int32, x]], x"

    def test_plain_values_are_read(self) -> None:
        """And what says that they were written there is kept for it."""
        stored = {"$type": self.BAG, "text": "x", "list": {"$type": self.LIST, "$values": [1, 2]}}
        stored["map"] = {"$type": self.BAG, "a": {"$type": "System.Int32[], x", "$values": [1]}}
        stored["profile"] = {"$type": "Ns.UserProfile, Bot", "Name": "Ada"}
        document = from_the_store(stored)
        assert ("x", [1, 2], {"a": [1]}) == tuple(
            document[name] for name in ("text", "list", "map")
        )
        assert "SDK for .NET" in str(Opaque.unreadable(document["profile"]))
        encoded = CODEC.encode(document | {"text": "y"})
        assert {**stored, "text": "y", "list": [1, 2], "map": {"a": [1]}} == encoded
        assert next(iter(encoded)) == "$type"
        assert document | {"text": "y"} == from_the_store(encoded)

    def test_a_whole_object_is_read_field_by_field(self) -> None:
        """Its class is not known here, but most of its fields are plain."""
        stored = {"$type": "Ns.Settings, Bot", "Greeting": "Hi", "More": {"$type": "Ns.A, Bot"}}
        document = from_the_store(stored)
        assert "Hi" == document["Greeting"]
        assert stored == CODEC.encode(document)

    @pytest.mark.parametrize(
        "stored",
        [
            {"$type": LIST, "$values": [{"$ref": "1"}]},
            {"$type": LIST, "$values": 5},
            {"$type": "Ns.MyList, Bot", "$values": [1]},
            {"$type": "System.Byte[], x", "$value": "AP8="},
            {"$type": "UserProfile, Bot"},
        ],
    )
    def test_the_rest_is_kept(self, stored: dict[str, Any]) -> None:
        """What is no plain data is not taken for any."""
        assert {"property": Opaque(stored)} == from_the_store({"property": stored})


@given(
    st.dictionaries(
        KEYS.filter(lambda key: key not in ("e_tag", "$turns")), PLAIN | st.sampled_from(UNREADABLE)
    )
)
def test_any_document_keeps_what_cannot_be_read(document: dict[str, Any]) -> None:
    """Beside any other property, under any name, any number of times."""
    opaque = {name: value for name, value in document.items() if value in UNREADABLE}
    rest = {name: value for name, value in document.items() if name not in opaque}
    state = rest | {name: Opaque(value) for name, value in opaque.items()}
    read = from_the_store(CODEC.encode(state))
    assert state == {name: read[name] for name in state}


def test_unused_names_stay_free() -> None:
    """`replace` and the like take an opaque value for what it is: no dataclass."""
    with pytest.raises(TypeError):
        replace(from_the_store({"property": UNREADABLE[0]})["property"])
