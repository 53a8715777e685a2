"""Classes as an existing bot has them, of all the kinds that jsonpickle tells apart."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Any, NamedTuple

from hypothesis import strategies as st


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Number(Enum):
    ONE = 1
    TWO = 2


class Pair(Enum):
    FIRST = (1, "a")
    SECOND = (2, "b")


class Word(StrEnum):
    YES = "yes"


class Days(IntFlag):
    MONDAY = 1
    TUESDAY = 2


class Money(NamedTuple):
    amount: Any
    currency: Any


class Price(NamedTuple):
    amount: Decimal
    currency: str


class Plain:
    """What most bots have: attributes, set by whoever likes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y


class Stateful:
    """Has a `__getstate__` of its own."""

    def __init__(self, state: Any) -> None:
        self.kept = state

    def __getstate__(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.kept = state["kept"]


class Reduced:
    """Says itself what it is made of."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return Reduced, self.parts, {"parts": self.parts}


class Anew:
    """Is made of arguments, positional and named."""

    def __new__(cls, *_: Any, **__: Any) -> "Anew":
        return object.__new__(cls)

    def __init__(self, first: Any, **named: Any) -> None:
        self.first, self.named = first, named

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.first,), self.named


class Listish(list[Any]):
    pass


class Dictish(dict[str, Any]):
    pass


@dataclass(frozen=True)
class Frozen:
    a: Any


def _counted(items: list[Any]) -> dict[str, Any]:
    return {f"k{index}": item for index, item in enumerate(items)}


def _defaulting(items: list[Any]) -> defaultdict[str, Any]:
    return defaultdict(list, _counted(items))


MAKERS: list[Callable[[list[Any]], Any]] = [
    list,
    _counted,
    tuple,
    lambda items: Plain(**_counted(items)),
    lambda items: Slotted(items[:1], items[1:]),
    Stateful,
    lambda items: Reduced(*items),
    lambda items: Anew(items, **_counted(items[:1])) if items else Anew([1], x=[2]),
    Listish,
    lambda items: Dictish(_counted(items)),
    Frozen,
    _defaulting,
    deque,
    lambda items: Money(items[:1], items[1:]),
]
"""Each makes something with other things in it."""


@st.composite
def shared_graphs(draw: st.DrawFn, leaves: st.SearchStrategy[Any]) -> Any:
    """Things in which other things stand several times, but none in itself."""
    things = [draw(leaves) for _ in range(3)]
    for _ in range(draw(st.integers(1, 8))):
        inner = [things[index] for index in draw(st.lists(st.integers(0, len(things) - 1)))]
        things.append(draw(st.sampled_from(MAKERS))(inner[:4]))
    return {"a": things[-1], "b": things[-2], "c": [things[-1], things[-3]]}


def shape_of(value: Any) -> Any:
    """What two equal things have in common, of whatever class they are."""
    if isinstance(value, dict):
        return type(value), {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple | deque):
        return type(value), [shape_of(item) for item in value]
    if isinstance(value, Slotted):
        return Slotted, shape_of(value.x), shape_of(value.y)
    if type(value).__module__ == __name__ and not isinstance(value, Enum):
        return type(value), shape_of(vars(value))
    return type(value), value
