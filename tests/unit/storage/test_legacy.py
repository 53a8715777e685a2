import json
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import isodate  # type: ignore[import-untyped]  # comes with msrest
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpickle.pickler import Pickler
from jsonpickle.unpickler import Unpickler
from msrest.serialization import UTC as MSREST_UTC

from shared.errors import StateUnreadable
from shared.storage import foreign_type, state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.reserved_keys import is_tag_like
from tests.unit.storage import stock
from tests.unit.storage.remembered import (
    CODEC,
    ORDERS,
    TEXT,
    DialogInstance,
    DialogState,
    Order,
    Profile,
    ask,
)

PROFILE = "data_models.user_profile.UserProfile"
NOW = datetime(2026, 11, 23, 12, 30, 59, 123456)  # noqa: DTZ001  # the SDK's sample has no zone


@state_type("Visit", formerly=(f"{__name__}.Visit",))
@dataclass
class Visit:
    """A field of every kind that an existing bot may have a value of, and this app store."""

    when: datetime | None = None
    times: list[datetime] | None = None
    day: date | None = None
    opens: time | None = None
    lasts: timedelta | None = None
    price: Decimal | None = None
    prices: dict[str, Decimal] | None = None
    id: UUID | None = None
    colour: stock.Colour | None = None
    colours: list[stock.Colour] | None = None
    level: stock.Level | None = None
    word: stock.Word | None = None
    days: stock.Days | None = None
    seats: tuple[int, str] | None = None
    tags: set[str] | None = None
    fixed: frozenset[int] | None = None
    queue: list[int] | None = None
    money: stock.Price | None = None
    photo: bytes | None = None
    counts: dict[str, int] | None = None
    lists: dict[str, list[int]] | None = None
    next: "Visit | None" = None
    anything: Any = None


VISITS = DocumentCodec([Visit])


def written_by_the_stock_sdk(document: Any) -> Any:
    """What its storage writes (CosmosDbPartitionedStorage.__create_dict)."""
    return json.loads(json.dumps(Pickler().flatten(document)))


def test_an_object_is_read_through_its_registered_path() -> None:
    """A document of the stock SDK becomes the class of today, migrated from version 1."""
    stored = {"py/object": PROFILE, "name": "Ada Lovelace"}
    assert CODEC.decode({"UserProfile": stored}) == {"UserProfile": Profile("Ada", "Lovelace")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("when", NOW),
        ("when", NOW.replace(tzinfo=UTC)),
        ("when", NOW.replace(tzinfo=timezone(timedelta(hours=-5, minutes=-30), "name"))),
        ("when", NOW.replace(tzinfo=ZoneInfo("Europe/Berlin"))),
        ("when", isodate.parse_datetime("2026-11-23T12:30:00Z")),
        ("when", isodate.parse_datetime("2026-11-23T12:30:00+05:30")),
        ("when", NOW.replace(tzinfo=MSREST_UTC())),
        ("when", datetime.min),  # noqa: DTZ901
        ("when", datetime.max),  # noqa: DTZ901
        ("times", [NOW.replace(tzinfo=zone) for zone in (UTC, UTC, ZoneInfo("Asia/Tokyo"), UTC)]),
        ("day", date(2026, 11, 24)),
        ("opens", time(23, 59, 58, 999999)),
        ("opens", time(1, 2, tzinfo=UTC)),
        ("lasts", timedelta(-1, 5, 7)),
        ("price", Decimal("19.90")),
        ("price", Decimal("-1E+400")),
        ("prices", {"a": Decimal(1), "b": Decimal("1.0")}),
        ("id", UUID(int=2**127)),
        ("colour", stock.Colour.RED),
        ("colours", [stock.Colour.RED, stock.Colour.BLUE, stock.Colour.RED]),
        ("level", stock.Level.HIGH),
        ("word", stock.Word.YES),
        ("days", stock.Days.MONDAY | stock.Days.TUESDAY),
        ("seats", (4, "window")),
        ("tags", {"first"}),
        ("tags", set()),
        ("fixed", frozenset([1, 2])),
        ("money", stock.Price(Decimal("1.50"), "EUR")),
        ("photo", b"\x00\xff"),
        ("photo", b""),
        ("counts", Counter("aab")),
        ("counts", OrderedDict(a=1, b=2)),
        ("lists", defaultdict(list, {"a": [1]})),
        ("next", Visit(day=date(2026, 1, 1), next=Visit(colour=stock.Colour.RED))),
        ("anything", {"list": [1, "x", None], "counter": Counter("a")}),
    ],
)
def test_what_a_field_can_hold_is_read_into_it(field: str, value: Any) -> None:
    """Dates, amounts, enums and the like are data, though jsonpickle calls what they name."""
    visit = Visit(**{field: value})
    read = VISITS.decode(written_by_the_stock_sdk({"visit": visit}))["visit"]
    assert visit == read
    assert {"visit": read} == VISITS.decode(VISITS.encode({"visit": read}))


def test_a_time_zone_of_pytz_is_read_as_its_offset() -> None:
    """What pytz wrote of a zone is its name, its offset at that time in seconds, and more."""
    zone = {
        "py/reduce": [
            {"py/function": "pytz._p"},
            {"py/tuple": ["Europe/Berlin", 3600, 0, "CET"]},
        ]
    }
    visit = {"py/object": f"{__name__}.Visit", "when": _date("B+oLFwweOwHiQA==", zone)}
    assert NOW.replace(tzinfo=timezone(timedelta(hours=1))) == ask(visit, VISITS).when


def test_a_queue_is_read_into_a_list() -> None:
    """No field can hold a deque, but its items may."""
    visit = Visit(queue=deque([1, 2], 5))  # type: ignore[arg-type]  # as the old bot had it
    assert [1, 2] == VISITS.decode(written_by_the_stock_sdk({"visit": visit}))["visit"].queue


@given(
    ORDERS,
    st.dictionaries(TEXT.filter(lambda key: not is_tag_like(key)), st.none() | TEXT, max_size=3),
)
def test_any_state_of_an_existing_bot_is_read(order: Order, other: dict[str, Any]) -> None:
    """With whatever its fields hold, several times or once."""
    order.anything, order.options = [order.earlier, order.delivery], {}
    # jsonpickle drops keys that look like its own.
    order.by_name = {key: at for key, at in order.by_name.items() if not is_tag_like(key)}
    document = {"order": order, "same": order, "other": other}
    assert document == CODEC.decode(written_by_the_stock_sdk(document))


def test_the_same_thing_twice_is_read_twice() -> None:
    """Also from one property to another."""
    zone = timezone(timedelta(hours=1))
    shared = Visit(when=NOW.replace(tzinfo=zone))
    document = {
        "first": shared,
        "list": [{}, [shared]],
        "last": Visit(when=datetime(2027, 1, 1, tzinfo=zone), anything={"again": shared}),
    }
    assert document == VISITS.decode(written_by_the_stock_sdk(document))


def test_the_state_of_an_object_is_read_as_its_fields() -> None:
    """SDK 4.16 writes so on Python 3.11; of objects with slots it writes a pair."""
    day = {"day": written_by_the_stock_sdk(date(2026, 1, 1))}
    path = f"{__name__}.Visit"
    for state in (day, {"py/tuple": [None, day]}, {"py/tuple": [day, {"counts": None}]}):
        assert Visit(day=date(2026, 1, 1)) == ask({"py/object": path, "py/state": state}, VISITS)
        reduced = [{"py/type": path}, {"py/tuple": []}, state]
        assert Visit(day=date(2026, 1, 1)) == ask({"py/reduce": reduced}, VISITS)
    made = ["py/newobj", {"py/tuple": [{"py/type": path}]}, day]
    assert Visit(day=date(2026, 1, 1)) == ask({"py/reduce": made}, VISITS)


def test_dialogs_that_the_stock_sdk_wrote_are_read() -> None:
    """A conversation in the middle of a dialog goes on after the change of storage."""
    stored = {
        "py/object": "botbuilder.dialogs.dialog_state.DialogState",
        "_dialog_stack": [
            {
                "py/object": "botbuilder.dialogs.dialog_instance.DialogInstance",
                "id": "main",
                "state": {"stepIndex": 1},
            }
        ],
    }
    dialogs = CODEC.decode({"DialogState": stored})["DialogState"]
    assert isinstance(dialogs, DialogState)
    assert isinstance(dialogs.dialog_stack[0], DialogInstance)
    assert dialogs.dialog_stack[0].state == {"stepIndex": 1}


@pytest.mark.starts_programs
def test_a_document_cannot_run_anything(tmp_path: Path) -> None:
    """The stock SDK runs the command in this document when it reads it."""
    proof = tmp_path / "ran"
    stored = {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f"touch {proof}"]}]}
    Unpickler().restore(stored)
    assert proof.exists(), "the document is harmless, so this test proves nothing"
    proof.unlink()
    with pytest.raises(StateUnreadable, match=r"as a value of os\.system, which can be"):
        ask(stored)
    fields = {"colour": stored, "anything": stored, "when": stored}
    with pytest.raises(StateUnreadable):
        ask({"py/object": f"{__name__}.Visit", **fields}, VISITS)
    assert not proof.exists()


DATE = "datetime.datetime"
ZONE = {"py/type": "datetime.timezone"}
TUPLE: dict[str, Any] = {"py/tuple": []}


def _date(*arguments: Any) -> dict[str, Any]:
    return {"py/object": DATE, "__reduce__": [{"py/type": DATE}, list(arguments)]}


@pytest.mark.parametrize(
    "stored",
    [
        {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["true", "false"]}]},
        {"py/reduce": [{"py/type": "os.system"}, TUPLE]},
        {"py/reduce": [{"py/type": "os.system"}]},
        {"py/reduce": []},
        {"py/reduce": "os.system"},
        {"py/reduce": ["py/newobj", TUPLE]},
        {"py/reduce": [{"py/type": PROFILE}, {"py/tuple": ["true"]}, {"name": "Ada"}]},
        {"py/reduce": [{"py/type": "decimal.Decimal"}, {"py/tuple": ["x"]}]},
        {"py/reduce": [{"py/type": "decimal.Decimal"}, {"py/tuple": [{"py/id": 0}]}]},
        {"py/reduce": [{"py/type": "datetime.timedelta"}, {"py/tuple": [10**10, 0, 0]}]},
        {"py/reduce": [{"py/type": "collections.Counter"}, {"py/tuple": [[1]]}]},
        {
            "py/reduce": [
                {"py/type": "collections.OrderedDict"},
                TUPLE,
                None,
                None,
                {"py/tuple": [1]},
            ]
        },
        {"py/repr": "os/os.system('true')"},
        {"py/mod": "os/os.system"},
        {"py/type": "os.system"},
        {"py/function": "os.system"},
        {"py/id": 1},
        {"py/id": 99},
        {"py/id": 0, "other": 1},
        {"py/ref": "/"},
        {"py/bytes": "x"},
        {"py/b64": "!"},
        {"py/b64": 5},
        {"py/b85": "~~~~~~"},
        {"py/iterator": [1]},
        {"py/object": ["os.system"]},
        {"py/object": PROFILE, "name": "Ada", "py/newargs": {"py/tuple": ["true"]}},
        {"py/object": PROFILE, "name": "Ada", "py/state": {}},
        {"py/object": PROFILE, "py/state": ["Ada"]},
        {"py/object": PROFILE, "py/state": {"py/tuple": [1, 2]}},
        {"py/object": PROFILE, "name": "Ada", "__reduce__": []},
        {"py/object": "uuid.UUID", "hex": "x"},
        {"py/object": "uuid.UUID", "hex": "0" * 32, "py/state": {}},
        {"py/tuple": [1], "py/set": [1]},
        {"py/tuple": {"a": 1}},
        {"py/object": DATE, "__reduce__": [{"py/type": "os.system"}, ["B+QB"]]},
        {"py/object": "datetime.date", "__reduce__": [{"py/type": "datetime.date"}, ["!"]]},
        {"py/object": "datetime.date", "__reduce__": [{"py/type": "datetime.date"}, [""]]},
        {"py/object": DATE},
        _date("B+gBAgMEBQAXcA==", {"py/reduce": [{"py/type": "os.system"}, TUPLE]}),
        _date("B+gBAgMEBQAXcA==", {"py/reduce": [ZONE, {"py/tuple": ["x"]}]}),
        _date("B+gBAgMEBQAXcA==", {"py/id": 0}),
        _date("B+gBAgMEBQAXcA==", 5),
        *(
            _date(
                "B+gBAgMEBQAXcA==",
                {
                    "py/reduce": [
                        {"py/function": "zoneinfo.ZoneInfo._unpickle"},
                        {"py/tuple": [name, 1]},
                    ]
                },
            )
            for name in ("../../etc/passwd", "/etc/passwd", "No/Where", "", "a" * 5000, "__init__")
        ),
    ],
)
def test_what_cannot_be_read_safely_is_refused(stored: dict[str, Any]) -> None:
    """Nothing is run, and no reference followed to where it does not lead."""
    field = {"py/object": f"{__name__}.Visit", "when": stored, "price": stored}
    with pytest.raises(StateUnreadable):
        ask(field, VISITS)
    with pytest.raises(
        StateUnreadable,
        match=r"in a form \(jsonpickle|with a reference|as a value of [\w.]+, which can",
    ):
        ask([stored])


@pytest.mark.parametrize(
    "value",
    [
        *(NOW, date(2026, 1, 1), time(1), timedelta(1), Decimal(1), UUID(int=1), b"x"),
        *(stock.Colour.RED, stock.Level.HIGH, stock.Number.TWO, stock.Days(3), stock.Pair.FIRST),
        *(UTC, timezone(timedelta(hours=1)), ZoneInfo("Asia/Tokyo")),
        *((1, ("x",)), {1, (2,)}, frozenset([NOW]), stock.Money(1, Decimal(2))),
    ],
)
def test_a_value_is_read_wherever_it_stands(value: object) -> None:
    """In a property, in a list and in a field of any type; equal, and of its type."""
    stored = written_by_the_stock_sdk(value)
    read = ask([stored], VISITS)
    visit = ask({"py/object": f"{__name__}.Visit", "anything": [stored]}, VISITS)

    assert [value] == read == visit.anything
    assert type(value) is type(read[0])
    assert [value] == ask(VISITS.encode({"property": read})["property"], VISITS)


@pytest.mark.parametrize(
    "stored",
    [
        {"py/reduce": [{"py/type": "old.Colour"}, {"py/tuple": ["red"]}]},
        {"py/reduce": [{"py/type": f"{stock.__name__}.Colour"}, {"py/tuple": ["green"]}]},
        {"py/object": "old.Money", "py/newargs": {"py/tuple": [1, 2]}},
        {"py/object": f"{stock.__name__}.Money", "py/newargs": {"py/tuple": [1]}},
        {"py/object": "fractions.Fraction", "py/newargs": {"py/tuple": [1]}},
        written_by_the_stock_sdk(deque([1])),
    ],
)
def test_what_its_path_does_not_lead_to_is_kept(stored: dict[str, Any]) -> None:
    """A class that has moved is found again where a field, or `formerly`, says what it is."""
    with pytest.raises(StateUnreadable, match="loaded under its old path"):
        ask(stored)


def test_an_enum_that_has_moved_may_be_registered() -> None:
    """With its old path in `formerly`; a field of its type needs nothing."""
    colour = foreign_type(
        stock.Colour,
        "Colour",
        {"name": str},
        dump=lambda member: {"name": member.name},
        load=lambda fields: stock.Colour[fields["name"]],
        formerly=("old.Colour",),
    )
    codec = DocumentCodec([colour])
    stored = {"py/reduce": [{"py/type": "old.Colour"}, {"py/tuple": ["red"]}]}

    assert [stock.Colour.RED] == ask([stored], codec)
    written = codec.encode({"property": stock.Colour.RED})["property"]
    assert {"$type": "Colour", "$version": 1, "name": "RED"} == written


def test_a_class_that_nobody_registered_is_refused() -> None:
    """The stock SDK makes a dictionary of it, silently; here the error says what to register."""
    with pytest.raises(StateUnreadable, match="name its path in the `formerly`"):
        ask({"py/object": "old.module.Class", "name": "Ada"})


def test_a_migration_gets_what_the_stock_sdk_wrote() -> None:
    """A field may be of a type that today's class does not have, and be converted."""

    def to_text(fields: dict[str, Any]) -> dict[str, Any]:
        return {"since": fields["created"].isoformat(), "anything": fields["price"]}

    @state_type("Member", version=2, formerly=("old.Member",), migrations={1: to_text})
    @dataclass
    class Member:
        since: str
        anything: Any = None

    codec = DocumentCodec([Member])
    stored = {"py/object": "old.Member", "created": written_by_the_stock_sdk(NOW), "price": 1}
    assert Member(NOW.isoformat(), 1) == ask(stored, codec)
    read = ask({**stored, "price": written_by_the_stock_sdk(Decimal(1))}, codec)
    assert Member(NOW.isoformat(), Decimal(1)) == read


@given(stock.shared_graphs(st.sampled_from([1, "x", None, Decimal(1), stock.Colour.RED, NOW])))
def test_whatever_the_stock_sdk_wrote_can_be_kept(graph: Any) -> None:
    """A property that cannot be read means what it meant, however often the rest is written."""
    stored = written_by_the_stock_sdk(graph)
    first = VISITS.decode(stored)
    kept = {name: Opaque.spelled(value) for name, value in first.items() if type(value) is Opaque}
    encoded = VISITS.encode(first | {"$turns": {"version": 1}})
    second = VISITS.decode(encoded)
    assert kept == {name: Opaque.spelled(second[name]) for name in kept}
    assert encoded == VISITS.encode(second)
