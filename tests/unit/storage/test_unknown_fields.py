import copy
import json
import pickle
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NotRequired, TypedDict

import pytest

from shared.errors import StateUnreadable
from shared.storage import foreign_type, state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.unknown_fields import hand_on_unknown
from tests.unit.storage.remembered import CODEC, ask


@state_type("Plain")
@dataclass
class Plain:
    name: str = ""
    inner: "Slotted | None" = None


@state_type("Slotted")
@dataclass(slots=True)
class Slotted:
    name: str = ""
    many: list[int] = field(default_factory=list)

    def shout(self) -> str:
        return self.name.upper()


@state_type("Frozen")
@dataclass(frozen=True)
class Frozen:
    name: str = ""


@state_type("FrozenSlotted")
@dataclass(frozen=True, slots=True)
class FrozenSlotted:
    name: str = ""


class Card(TypedDict):
    title: str
    inner: NotRequired["list[Card]"]


@state_type("Deck")
@dataclass
class Deck:
    top: Card
    cards: dict[str, list[Card]]


class Foreign:
    def __init__(self) -> None:
        self.name = ""


KINDS: list[Any] = [Plain, Slotted, Frozen, FrozenSlotted]
CODEC_ = DocumentCodec([*KINDS, Deck, foreign_type(Foreign, "Foreign", {"name": str})])
# What a newer release added, with a default, and a roll back does not know.
UNKNOWN = {
    "language": "de",
    "added": [{"py/tuple": [1]}, {"$type": "New", "$version": 9}],
    "n": 2**60,
}


def stored(kind: Any) -> dict[str, Any]:
    return {"$type": kind.__name__, "$version": 1, "name": "Ada", **UNKNOWN}


@pytest.mark.parametrize("kind", [*KINDS, Foreign])
def test_unknown_fields_are_written_back(kind: Any) -> None:
    """A release that added a field may be taken back, and deployed again."""
    value = ask(stored(kind), CODEC_)
    assert "Ada" == value.name
    assert stored(kind) == {
        name: given
        for name, given in CODEC_.encode({"p": value})["p"].items()
        if given != [] and given
    }


@pytest.mark.parametrize("kind", [*KINDS, Foreign])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_have_them(kind: Any, copied: Any) -> None:
    """Each turn works on copies."""
    value = ask(stored(kind), CODEC_)
    encoded = CODEC_.encode({"p": value})
    assert encoded == CODEC_.encode({"p": copied(copied(value))})
    assert encoded == CODEC_.encode(copied({"p": [value]}) | {"p": copied(value)})


@pytest.mark.parametrize("kind", KINDS)
def test_pickled_objects_have_them(kind: Any) -> None:
    """As their fields."""
    value = ask(stored(kind), CODEC_)
    again = pickle.loads(pickle.dumps(value))
    assert CODEC_.encode({"p": value}) == CODEC_.encode({"p": again})


@pytest.mark.parametrize("kind", [Plain, Slotted])
def test_the_bots_changes_leave_them(kind: Any) -> None:
    """It works with the fields that it knows."""
    value = ask(stored(kind), CODEC_)
    value.name = "Grace"
    assert {**UNKNOWN, "name": "Grace"} == {
        name: CODEC_.encode({"p": value})["p"][name] for name in [*UNKNOWN, "name"]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_they_do_not_show(kind: Any) -> None:
    """Not in a comparison, a repr, among the fields or in the constructor."""
    value = ask(stored(kind), CODEC_)
    assert kind("Ada") == value
    assert repr(kind("Ada")) == repr(value)
    assert asdict(kind("Ada")) == asdict(value)
    assert not any(hasattr(value, name) for name in UNKNOWN)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_put_in_an_objects_place_inherits_them(kind: Any) -> None:
    """A frozen object is changed by making another one."""
    value = ask(stored(kind), CODEC_)
    changed = replace(value, name="Grace")
    hand_on_unknown(value, changed)
    encoded = CODEC_.encode({"p": changed})["p"]
    assert {**stored(kind), "name": "Grace"}.items() <= encoded.items()


def test_objects_in_objects_have_their_own() -> None:
    """Each writes back what was stored with it."""
    nested = {**stored(Plain), "inner": {**stored(Slotted), "many": [1]}}
    assert nested == CODEC_.encode({"p": ask(nested, CODEC_)})["p"]


def test_a_class_with_slots_is_what_it_was() -> None:
    """It has one slot more, and its methods, name and objects stay."""
    assert ("ADA", "Slotted", __name__) == (
        Slotted("Ada").shout(),
        Slotted.__qualname__,
        Slotted.__module__,
    )
    assert not hasattr(Slotted("Ada"), "__dict__")


def test_a_class_of_slots_that_is_not_ours_has_no_place_for_them() -> None:
    """What could not be kept is not read, and so not lost."""

    class Bare:
        __slots__ = ("name",)

    codec = DocumentCodec([foreign_type(Bare, "Bare", {"name": str})])
    with pytest.raises(StateUnreadable, match="has fields that its class does not have"):
        ask({"$type": "Bare", "$version": 1, "name": "Ada", "more": 1}, codec)


def test_a_field_that_the_class_gets_again_is_read() -> None:
    """The newer release finds what it had stored."""

    @state_type("Plain")
    @dataclass
    class PlainAgain:
        name: str = ""
        language: str = "en"

    encoded = json.loads(json.dumps(CODEC_.encode({"p": ask(stored(Plain), CODEC_)})))
    again = ask(encoded["p"], DocumentCodec([PlainAgain]))
    assert ("Ada", "de") == (again.name, again.language)


def test_an_older_version_may_have_them_too() -> None:
    """What no migration has touched stays; what one has made must have a field."""

    def rename(fields: dict[str, Any]) -> dict[str, Any]:
        return {**{name: fields[name] for name in fields if name != "old"}, "name": fields["old"]}

    def misspell(fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "nmae": "x"}

    for migration, fault in (
        (rename, None),
        (misspell, "make fields that the class does not have \\(nmae\\)"),
    ):

        @state_type("Later", version=2, migrations={1: migration})
        @dataclass
        class Later:
            name: str = ""

        older = {"$type": "Later", "$version": 1, "old": "Ada", "language": "de"}
        codec = DocumentCodec([Later])
        if fault:
            with pytest.raises(StateUnreadable, match=fault):
                ask(older, codec)
        else:
            encoded = codec.encode({"p": ask(older, codec)})["p"]
            newer = {"$type": "Later", "$version": 2, "name": "Ada", "language": "de"}
            assert newer == encoded


def test_the_stock_sdks_attributes_are_kept() -> None:
    """Also those that refer to other parts of the document."""
    document = {
        "place": {"py/object": "old.Place"},
        "home": {
            "py/object": "tests.unit.storage.remembered.Address",
            "street": "Elm",
            "near": {"py/id": 1},
        },
    }
    encoded = CODEC.encode(CODEC.decode(document))
    assert {"py/object": "old.Place"} == encoded["home"]["near"]


def test_a_typed_dict_keeps_the_keys_that_it_does_not_name() -> None:
    """At any depth, as the dictionary that it is."""
    card = {"title": "x", "new": [1], "inner": [{"title": "y", "newer": {"a": None}}]}
    deck = {"$type": "Deck", "$version": 1, "top": card, "cards": {"a": [card, card]}}
    value = ask(deck, CODEC_)
    value.top["title"] = "z"
    assert {**deck, "top": {**card, "title": "z"}} == CODEC_.encode({"p": value})["p"]
