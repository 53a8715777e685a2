"""Classes as a bot builder might register them, and strategies for their instances."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.storage.codec.documents import MAX_SAFE_INTEGER, DocumentCodec
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.state_types import Fields, foreign_type, state_type


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@state_type("Address", formerly=(f"{__name__}.Address",))
@dataclass
class Address:
    street: str
    floor: int | None = None


@state_type("Order", formerly=(f"{__name__}.Order",))
@dataclass
class Order:
    """A field of every kind that there is."""

    number: int = 0
    price: Decimal = Decimal(0)
    weight: float = 0.0
    gift: bool = False
    size: Size = Size.SMALL
    placed: datetime | None = None
    due: date | None = None
    patience: timedelta = timedelta()
    reference: UUID | None = None
    signature: bytes = b""
    delivery: Address | None = None
    earlier: list[Address] = field(default_factory=list)
    by_name: dict[str, Address] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    corner: tuple[int, str] = (0, "")
    anything: Any = None
    options: dict[str, Any] = field(default_factory=dict)


def _profile_from_v1(fields: Fields) -> Fields:
    first, _, last = fields["name"].partition(" ")
    return {"first": first, "last": last}


def _profile_from_v2(fields: Fields) -> Fields:
    return {"first_name": fields["first"], "last_name": fields["last"]}


@state_type(
    "Profile",
    version=3,
    formerly=("User", "data_models.user_profile.UserProfile"),
    migrations={1: _profile_from_v1, 2: _profile_from_v2},
)
@dataclass
class Profile:
    first_name: str
    last_name: str


class DialogInstance:
    """As in botbuilder-dialogs: not a dataclass, and not ours."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.state: dict[str, object] = {}


class DialogState:
    """As in botbuilder-dialogs: what it keeps has a private name."""

    def __init__(self, stack: list[DialogInstance] | None = None) -> None:
        self._dialog_stack = stack if stack is not None else []

    @property
    def dialog_stack(self) -> list[DialogInstance]:
        return self._dialog_stack


DIALOG_TYPES = (
    foreign_type(
        DialogInstance,
        "DialogInstance",
        {"id": str, "state": dict[str, Any]},
        formerly=("botbuilder.dialogs.dialog_instance.DialogInstance",),
    ),
    foreign_type(
        DialogState,
        "DialogState",
        {"_dialog_stack": list[DialogInstance]},
        formerly=("botbuilder.dialogs.dialog_state.DialogState",),
    ),
)

CODEC = DocumentCodec([Address, Order, Profile, *DIALOG_TYPES])


def ask(stored: Any, codec: DocumentCodec = CODEC) -> Any:
    """Read `stored` as a property, and ask for it as a bot does."""
    value = codec.decode({"property": stored})["property"]
    unreadable = Opaque.unreadable(value)
    if unreadable is not None:
        assert json.dumps(stored) == json.dumps(codec.encode({"property": value})["property"])
        raise unreadable
    return value


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = TEXT | st.sampled_from(
    ["$type", "$version", "$$type", "$turns", "$x", "py/object", "py/reduce", "$py/id", "py/"]
)
INTEGERS = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ADDRESSES = st.builds(Address, TEXT, st.none() | INTEGERS)
PROFILES = st.builds(Profile, TEXT, TEXT)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT | ADDRESSES | PROFILES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
ORDERS = st.builds(
    Order,
    number=INTEGERS,
    price=st.decimals(allow_nan=False, allow_infinity=False),
    weight=FLOATS,
    gift=st.booleans(),
    size=st.sampled_from(Size),
    placed=st.none() | st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    due=st.none() | st.dates(),
    patience=st.timedeltas(),
    reference=st.none() | st.uuids(),
    signature=st.binary(max_size=8),
    delivery=st.none() | ADDRESSES,
    earlier=st.lists(ADDRESSES, max_size=2),
    by_name=st.dictionaries(KEYS, ADDRESSES, max_size=2),
    tags=st.sets(TEXT, max_size=3),
    corner=st.tuples(INTEGERS, TEXT),
    anything=PLAIN,
    options=st.dictionaries(KEYS, PLAIN, max_size=2),
)
DOCUMENTS = st.dictionaries(KEYS.filter(lambda key: key != "e_tag"), PLAIN | ORDERS, max_size=3)
