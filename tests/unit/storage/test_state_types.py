from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from msgspec import Meta

from shared.storage import foreign_type, state_type
from shared.storage.codec.documents import DocumentCodec


def test_a_state_type_must_be_a_dataclass() -> None:
    """The order of the two decorators is told at import, not at the first message."""
    with pytest.raises(TypeError, match="put @dataclass below @state_type"):

        @state_type("Plain")
        class Plain:
            pass


@pytest.mark.parametrize(("version", "steps"), [(2, []), (3, [2]), (1, [1]), (2, [0, 1])])
def test_each_earlier_version_needs_its_migration(version: int, steps: list[int]) -> None:
    """A gap would be found only when an old document is read."""
    with pytest.raises(ValueError, match="needs one migration from each earlier version"):
        state_type("Versioned", version=version, migrations=dict.fromkeys(steps, dict))(
            dataclass(type("Versioned", (), {}))
        )


@pytest.mark.parametrize(("name", "version"), [("", 1), ("Named", 0)])
def test_a_name_and_a_version_are_needed(name: str, version: int) -> None:
    """Neither can be told from a document that has none."""
    with pytest.raises(ValueError, match="needs a name, and a version of 1 or more"):
        state_type(name, version=version)(dataclass(type("Bare", (), {})))


def test_an_unregistered_class_is_refused_at_start() -> None:
    """STATE_TYPES is checked when the app starts."""

    class Plain:
        pass

    with pytest.raises(TypeError, match="Plain is not registered"):
        DocumentCodec([Plain])


def test_a_subclass_does_not_inherit_its_registration() -> None:
    """Two classes under one name could not be told apart when read."""

    @state_type("Base")
    @dataclass
    class Base:
        pass

    class Derived(Base):
        pass

    with pytest.raises(TypeError, match="Derived is not registered"):
        DocumentCodec([Derived])


def test_two_classes_may_not_share_a_name() -> None:
    """Former names count too: an old document must have one reading."""

    @state_type("One")
    @dataclass
    class One:
        pass

    @state_type("Two", formerly=("One",))
    @dataclass
    class Two:
        pass

    with pytest.raises(ValueError, match="Two state types have the name One"):
        DocumentCodec([One, Two])


@dataclass
class Forgotten:
    x: int = 0


@dataclass
class Circle:
    radius: int


@dataclass
class Square:
    side: int


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (Forgotten, r"Holder\.field is a Forgotten, which is not registered"),
        (list[dict[str, Forgotten | None]], r"Holder\.field is a Forgotten"),
        (Annotated[list[Forgotten], Meta(title="Field")], r"Holder\.field is a Forgotten"),
        (object.__subclasses__, "Holder cannot be stored"),
        (Circle | Square, "Declare Any"),
        ("NoSuchName", "Holder cannot be stored"),
    ],
)
def test_a_field_that_cannot_be_stored_is_refused_at_start(annotation: Any, reason: str) -> None:
    """Which types a class's fields have is known before the first message."""
    cls: type = dataclass(type("Holder", (), {"__annotations__": {"field": annotation}}))
    with pytest.raises(TypeError, match=reason):
        DocumentCodec([state_type("Holder")(cls)])


def test_a_union_of_registered_classes_is_stored_as_any() -> None:
    """The stored name says which it is."""

    @state_type("Drawing")
    @dataclass
    class Drawing:
        shape: Any

    codec = DocumentCodec([Drawing, state_type("Circle")(Circle), state_type("Square")(Square)])
    document = {"drawing": Drawing(Square(2))}
    assert document == codec.decode(codec.encode(document))


def test_a_foreign_class_may_be_taken_apart_and_put_together_by_functions() -> None:
    """Not every class is its attributes."""

    class Temperature:
        def __init__(self, kelvin: float) -> None:
            self.__kelvin = kelvin

        @property
        def celsius(self) -> float:
            return self.__kelvin - 273

    codec = DocumentCodec(
        [
            foreign_type(
                Temperature,
                "Temperature",
                {"celsius": float},
                dump=lambda value: {"celsius": value.celsius},
                load=lambda fields: Temperature(fields["celsius"] + 273),
            )
        ]
    )
    stored = codec.encode({"outside": Temperature(300)})
    assert {"outside": {"$type": "Temperature", "$version": 1, "celsius": 27}} == stored
    assert codec.decode(stored)["outside"].celsius == 27


def test_a_type_may_contain_itself() -> None:
    """Trees are state too."""

    @state_type("Node")
    @dataclass
    class Node:
        children: "list[Any]"

    codec = DocumentCodec([Node])
    document = {"tree": Node([Node([])])}
    assert document == codec.decode(codec.encode(document))
