"""Values of the standard library, anywhere in state."""

import json
import sys
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum, auto
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Final, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import isodate  # type: ignore[import-untyped]  # comes with msrest
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from shared.errors import StateNotStorable, StateUnreadable
from shared.storage import state_type
from shared.storage.codec.documents import DocumentCodec
from shared.storage.codec.opaque import Opaque
from shared.storage.codec.reserved_keys import TAGS
from tests.unit.storage import remembered
from tests.unit.storage.remembered import KEYS, PLAIN, TEXT
from tests.unit.storage.shapes import exact_shape

BERLIN = ZoneInfo("Europe/Berlin")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Number(Enum):
    ONE = 1
    TWO = 2


class Mixed(Enum):
    TEXT = "text"
    NUMBER = 3
    PAIR = (1, "a")
    HALF = 0.5
    NOTHING = None


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = auto()


class Style(str, Enum):  # noqa: UP042  # as the SDK has it
    """As the SDK's ListStyle: a text made of a number."""

    NONE = 0
    AUTO = 1


class Day(Flag):
    MONDAY = auto()
    TUESDAY = auto()


class Right(IntFlag):
    READ = auto()
    WRITE = auto()


class Outer:
    class Inner(Enum):
        DEEP = 1


class Point(NamedTuple):
    x: Any
    y: Any = 0


ENUMS = (Colour, Number, Mixed, Level, Word, Style, Outer.Inner)
MEMBERS = [member for cls in ENUMS for member in cls] + [
    *(Day(bits) for bits in range(4)),
    *(Right(bits) for bits in range(4)),
]

ZONES: st.SearchStrategy[tzinfo | None] = st.one_of(
    st.none(),
    st.just(UTC),
    st.just(BERLIN),
    st.timezones(),
    st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))),
    st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)), TEXT),
)


def _folded(value: Any, fold: int) -> Any:
    return value.replace(fold=fold)


HASHABLE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.booleans() | TEXT | st.integers(-(2**53), 2**53),
        st.builds(_folded, st.datetimes(timezones=ZONES, allow_imaginary=True), st.integers(0, 1)),
        st.builds(_folded, st.times(timezones=ZONES), st.integers(0, 1)),
        st.dates(),
        st.timedeltas(),
        st.decimals(allow_nan=False),
        st.uuids(),
        st.binary(max_size=9),
        st.sampled_from(MEMBERS),
        ZONES,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Point, inner, inner),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE | PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(HASHABLE, max_size=3),
        st.dictionaries(HASHABLE, inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.builds(Point, inner, inner),
    ),
    max_leaves=6,
)

CODEC = DocumentCodec([remembered.Address, remembered.Profile])


def through_the_store(value: Any, codec: DocumentCodec = CODEC) -> Any:
    stored = json.loads(json.dumps(codec.encode({"property": value}), allow_nan=False))
    return remembered.ask(stored["property"], codec)


class TestAnywhere:
    @given(VALUES)
    def test_any_value_comes_back_equal_and_of_its_type(self, value: Any) -> None:
        """At any depth, as a key too; a date with its zone, a decimal with its zeros."""
        read = through_the_store(value)

        assert value == read
        assert exact_shape(value) == exact_shape(read)

    def test_a_property_without_a_name_holds_what_others_hold(self) -> None:
        """Keys of any kind, for instance: it is not the document."""
        document = {"": {1: "one", Colour.RED: "red"}}

        assert document == CODEC.decode(CODEC.encode(document))

    @pytest.mark.parametrize(
        "text", ["NaN", "sNaN", "-NaN7", "Infinity", "-0", "1E+999999", "1.10"]
    )
    def test_decimals_of_all_kinds(self, text: str) -> None:
        """What is no number, or too large for any other type, is a Decimal too."""
        assert text == str(through_the_store(Decimal(text)))

    def test_a_decimal_of_many_digits(self) -> None:
        """No context rounds it."""
        many = Decimal(f"3.{'1' * 5000}")
        assert many == through_the_store(many)

    @pytest.mark.parametrize("zone", [isodate.UTC, isodate.FixedOffset(5, 30, "somewhere")])
    def test_the_zone_of_another_library_becomes_its_offset(self, zone: tzinfo) -> None:
        """The SDK reads an activity's timestamp with zones of isodate's."""
        at = datetime(2026, 11, 23, 12, tzinfo=zone)
        read = through_the_store(at)

        assert at == read
        assert (timezone, at.utcoffset()) == (type(read.tzinfo), read.utcoffset())

    def test_a_time_in_a_zone_without_a_name_is_refused(self) -> None:
        """Its offset depends on the date, which a time has not."""

        class Nowhere(tzinfo):
            def utcoffset(self, _at: datetime | None) -> None:
                return None

            dst = utcoffset
            tzname = utcoffset

        with pytest.raises(StateNotStorable):
            CODEC.encode({"property": time(1, tzinfo=Nowhere())})

    def test_a_subclass_comes_back_as_its_base_if_that_is_equal(self) -> None:
        """As subclasses of text and numbers do."""

        class Later(datetime):
            pass

        class Amount(Decimal):
            pass

        class Finer(datetime):
            def __eq__(self, other: object) -> bool:
                return type(other) is Finer and super().__eq__(other)

            __hash__ = datetime.__hash__

        read = through_the_store([Later(2026, 1, 1), Amount("1.0")])
        assert [datetime, Decimal] == [type(value) for value in read]
        assert [datetime(2026, 1, 1), Decimal("1.0")] == read  # noqa: DTZ001
        with pytest.raises(StateNotStorable):
            CODEC.encode({"property": Finer(2026, 1, 1)})

    def test_what_is_stored_can_be_read_by_a_person(self) -> None:
        """ISO 8601, digits and names."""
        values = {
            "day": date(2026, 11, 23),
            "at": datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
            "price": Decimal("9.50"),
            "colour": Colour.RED,
        }
        tag = {"$version": 1}
        assert {
            "day": {"$type": "$date", **tag, "value": "2026-11-23"},
            "at": {
                "$type": "$datetime",
                **tag,
                "value": "2026-10-25T02:30:00",
                "fold": 1,
                "zone": {"key": "Europe/Berlin"},
            },
            "price": {"$type": "$decimal", **tag, "value": "9.50"},
            "colour": {"$type": "$enum", **tag, "path": f"{__name__}.Colour", "name": "RED"},
        } == CODEC.encode(values)

    def test_a_set_is_stored_in_one_order(self) -> None:
        """Two processes order the same set in two ways, and the document must not change by it."""
        texts = [chr(code) for code in range(97, 123)]
        assert [texts, texts] == [
            CODEC.encode({"property": make(texts)})["property"]["items"]
            for make in (set, frozenset)
        ]

    @pytest.mark.parametrize("name", sorted(TAGS))
    def test_no_class_can_take_the_name_of_a_tag(self, name: str) -> None:
        """What stands in the store would have two readings."""

        @state_type(name)
        @dataclass
        class Mine:
            pass

        with pytest.raises(ValueError, match="cannot be the name of a state type"):
            DocumentCodec([Mine])


class Choices(TypedDict, total=False):
    mixed: Mixed
    count: int


class Typed(NamedTuple):
    number: Number
    day: date


@state_type("Inner")
@dataclass(frozen=True, slots=True)
class Inner:
    mixed: Mixed


@state_type("Holder")
@dataclass
class Holder:
    """A field of each kind that msgspec does not take as it is, and of some that it does."""

    number: Number = Number.ONE
    mixed: Mixed | None = None
    day: Day = Day.MONDAY
    right: Right = Right.READ
    style: Style = Style.NONE
    level: Level = Level.LOW
    numbers: list[Number] = field(default_factory=list)
    mixes: tuple[Mixed, ...] = ()
    days: set[Day] = field(default_factory=set)
    by_number: dict[Number, int] = field(default_factory=dict)
    by_word: dict[Word, date] = field(default_factory=dict)
    by_int: dict[int, Mixed] = field(default_factory=dict)
    by_pair: dict[tuple[int, int], str] = field(default_factory=dict)
    by_day: dict[date, list[Number]] = field(default_factory=dict)
    typed: Typed | None = None
    point: Point | None = None
    inner: Inner = Inner(Mixed.TEXT)
    inners: list[Inner] = field(default_factory=list)
    choices: Choices = field(default_factory=lambda: Choices(count=1))
    either: Number | str | None = None
    at: datetime | None = None
    zone: tzinfo | None = None
    limited: Annotated[Number, Meta(examples=[1]), ["no hash"]] = Number.ONE
    fixed: Final[Number] = Number.TWO
    anything: object = None


HOLDERS = DocumentCodec([Holder, Inner])
NUMBERS, MIXES = st.sampled_from(Number), st.sampled_from(Mixed)
INNERS = st.builds(Inner, MIXES)


class TestInFields:
    @given(
        st.builds(
            Holder,
            number=NUMBERS,
            mixed=st.none() | MIXES,
            day=st.sampled_from([Day(bits) for bits in range(4)]),
            right=st.sampled_from([Right(bits) for bits in range(4)]),
            style=st.sampled_from(Style),
            level=st.sampled_from(Level),
            numbers=st.lists(NUMBERS, max_size=3),
            mixes=st.lists(MIXES, max_size=3).map(tuple),
            days=st.sets(st.sampled_from(Day)),
            by_number=st.dictionaries(NUMBERS, st.integers(0, 9)),
            by_word=st.dictionaries(st.sampled_from(Word), st.dates()),
            by_int=st.dictionaries(st.integers(-9, 9), MIXES, max_size=3),
            by_pair=st.dictionaries(
                st.tuples(st.integers(0, 9), st.integers(0, 9)), TEXT, max_size=3
            ),
            by_day=st.dictionaries(st.dates(), st.lists(NUMBERS, max_size=2), max_size=3),
            typed=st.builds(Typed, NUMBERS, st.dates()),
            point=st.builds(Point, HASHABLE, HASHABLE),
            inner=INNERS,
            inners=st.lists(INNERS, max_size=2),
            choices=st.fixed_dictionaries(
                {}, optional={"mixed": MIXES, "count": st.integers(0, 9)}
            ),
            either=st.none() | NUMBERS | TEXT,
            at=st.none() | st.datetimes(timezones=ZONES, allow_imaginary=True),
            zone=ZONES,
            limited=NUMBERS,
            anything=st.none() | st.lists(HASHABLE, max_size=2),
        )
    )
    def test_any_field_comes_back_equal_and_of_its_type(self, holder: Holder) -> None:
        """Under @state_type, whatever Enum the field is of, and however deep it stands there."""
        read = through_the_store(holder, HOLDERS)

        assert holder == read
        for one in fields(Holder):
            assert exact_shape(getattr(holder, one.name)) == exact_shape(getattr(read, one.name))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"number": 1},
            {"mixed": Number.ONE},
            {"numbers": [Mixed.NUMBER]},
            {"by_number": {1: 1}},
            {"inner": Mixed.TEXT},
        ],
    )
    def test_a_field_of_another_type_is_refused(self, wrong: dict[str, Any]) -> None:
        """A value that is equal to a member's is not the member."""
        with pytest.raises(StateNotStorable):
            HOLDERS.encode({"property": Holder(**wrong)})

    def test_what_text_says_is_stored_as_text(self) -> None:
        """As before there were tags: an older version of the app can read it."""

        @state_type("Plain")
        @dataclass
        class Plain:
            colour: Colour = Colour.RED
            level: Level = Level.HIGH
            at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
            pair: tuple[int, date] = (1, date(2026, 1, 1))

        assert {
            "colour": "red",
            "level": 2,
            "at": "2026-01-01T00:00:00Z",
            "pair": [1, "2026-01-01"],
        }.items() <= DocumentCodec([Plain]).encode({"property": Plain()})["property"].items()

    def test_an_enum_may_get_values_of_another_type_later(self) -> None:
        """What was stored by its value is still read."""
        stored = {"$type": "Holder", "$version": 1, "mixed": "text", "numbers": [2]}
        read = remembered.ask(stored, HOLDERS)

        assert (Mixed.TEXT, [Number.TWO]) == (read.mixed, read.numbers)

    def test_keys_that_the_stock_sdk_wrote_as_text_are_read_as_numbers(self) -> None:
        """It has no other keys than text."""
        stored = {"$type": "Holder", "$version": 1, "by_int": {"7": "text"}}
        assert {7: Mixed.TEXT} == remembered.ask(stored, HOLDERS).by_int

    def test_errors_tell_no_values(self) -> None:
        """Neither of a wrong member nor of what stands in its place."""
        for value in ("Ada's secret", ["Ada's secret"]):
            stored = {"$type": "Holder", "$version": 1, "number": value}
            with pytest.raises(StateUnreadable) as refused:
                remembered.ask(stored, HOLDERS)
            assert "property.number: Invalid enum value. It was left as it is." == str(
                refused.value
            )

    def test_the_class_is_asked_as_ever(self) -> None:
        """Defaults, and what it does after its fields are set."""

        @state_type("Careful")
        @dataclass
        class Careful:
            number: Number
            twice: list[Number] = field(default_factory=list)

            def __post_init__(self) -> None:
                self.twice = [self.number, self.number]

        codec = DocumentCodec([Careful])
        stored = {"$type": "Careful", "$version": 1, "number": 2}
        assert Careful(Number.TWO) == remembered.ask(stored, codec)
        with pytest.raises(StateUnreadable, match="missing required field `number`"):
            remembered.ask({"$type": "Careful", "$version": 1}, codec)


class Changed(NamedTuple):
    x: int
    added: str = "new"


class TestNeverRun:
    """What a document says is data, whoever wrote it."""

    @pytest.mark.parametrize(
        "stored",
        [
            {"$type": "$enum", "path": "os.system", "name": "true"},
            {"$type": "$enum", "path": "os.path", "name": "sep"},
            {"$type": "$enum", "path": "old.Colour", "name": "RED"},
            {"$type": "$enum", "path": f"{__name__}.Colour", "name": "GREEN"},
            {"$type": "$enum", "path": f"{__name__}.Colour", "name": ["RED"]},
            {"$type": "$enum", "path": f"{__name__}.Colour", "name": "__class__"},
            {"$type": "$enum", "path": f"{__name__}.Colour.RED", "name": "RED"},
            {"$type": "$enum", "path": f"{__name__}.Day", "value": 99},
            {"$type": "$enum", "path": f"{__name__}.Day", "value": "x"},
            {"$type": "$enum", "path": f"{__name__}.Point", "name": "x"},
            {"$type": "$enum", "path": 5, "name": "x"},
            {"$type": "$enum", "path": "", "name": "x"},
            {"$type": "$enum"},
            {"$type": "$namedtuple", "path": f"{__name__}.Holder", "fields": {}},
            {"$type": "$namedtuple", "path": "builtins.tuple", "fields": {}},
            {"$type": "$namedtuple", "path": f"{__name__}.Point", "fields": {}},
            {"$type": "$namedtuple", "path": f"{__name__}.Point", "fields": {"x": 1, "z": 2}},
            {"$type": "$namedtuple", "path": f"{__name__}.Point", "fields": [1, 2]},
            {"$type": "$set", "items": [[]]},
            {"$type": "$set", "items": [1, True]},
            {"$type": "$frozenset", "items": "ab"},
            {"$type": "$tuple", "items": {"a": 1}},
            {"$type": "$tuple", "items": [], "more": 1, "$version": 2},
            {"$type": "$dict", "items": [[1, 2], [1, 3]]},
            {"$type": "$dict", "items": [[[], 2]]},
            {"$type": "$dict", "items": [[1]]},
            {"$type": "$dict", "items": [1]},
            {"$type": "$date", "value": "2026-11-23", "$version": 2},
            {"$type": "$date", "value": "2026-11-23", "$version": "1"},
            {"$type": "$date", "value": "2026-13-23"},
            {"$type": "$date", "value": 5},
            {"$type": "$date", "value": "2026-11-23", "more": 1},
            {"$type": "$date"},
            {"$type": "$datetime", "value": "2026-11-23T00:00:00", "fold": 7},
            {"$type": "$datetime", "value": "2026-11-23T00:00:00", "zone": {"key": "../passwd"}},
            {"$type": "$datetime", "value": "2026-11-23T00:00:00", "zone": {"key": "No/Where"}},
            {"$type": "$datetime", "value": "2026-11-23T00:00:00", "zone": {"offset": [9, 0, 0]}},
            {"$type": "$datetime", "value": "2026-11-23T00:00:00", "zone": "UTC"},
            {"$type": "$timezone", "key": "/etc/passwd"},
            {"$type": "$timezone", "key": 5},
            {"$type": "$timezone"},
            {"$type": "$time", "value": "25:00"},
            {"$type": "$timedelta", "value": [1, 2]},
            {"$type": "$timedelta", "value": [10**12, 0, 0]},
            {"$type": "$timedelta", "value": ["1", 0, 0]},
            {"$type": "$decimal", "value": "x"},
            {"$type": "$decimal", "value": 1.5},
            {"$type": "$uuid", "value": "x"},
            {"$type": "$uuid", "value": None},
            {"$type": "$bytes", "value": "!"},
            {"$type": "$bytes", "value": 5},
            {"$type": "$complex", "value": "1j"},
        ],
    )
    def test_what_makes_no_value_is_kept(self, stored: dict[str, Any]) -> None:
        """It is written back as it was, and blocks nothing beside it."""
        document = {"property": {"$version": 1, **stored}, "other": 1}
        read = CODEC.decode(document)

        assert type(read["property"]) is Opaque
        assert document == CODEC.encode(read)

    def test_a_module_is_not_imported(self) -> None:
        """A class is found where it is loaded, and nowhere else."""
        assert "this" not in sys.modules, "choose another module for this test"
        for name in ("this", "this.d", "xml.dom.domreg.registered"):
            for tag in ("$enum", "$namedtuple"):
                more: dict[str, Any] = {"name": "x"} if tag == "$enum" else {"fields": {}}
                stored = {"$type": tag, "$version": 1, "path": name, **more}
                with pytest.raises(StateUnreadable, match="import the module"):
                    remembered.ask(stored)
        assert "this" not in sys.modules

    def test_a_module_that_loads_itself_when_asked_is_not_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module may do anything when an attribute of it is looked up, and a class, too."""
        asked = []

        class Lazy(ModuleType):
            def __getattribute__(self, name: str) -> Any:
                asked.append(name)
                return super().__getattribute__(name)

        monkeypatch.setitem(sys.modules, "lazy_module", Lazy("lazy_module"))
        before = len(asked)
        stored = {"$type": "$enum", "$version": 1, "path": "lazy_module.Colour.Inner", "name": "x"}
        with pytest.raises(StateUnreadable):
            remembered.ask(stored)

        assert before == len(asked)

    def test_a_named_tuple_is_made_without_its_class(self) -> None:
        """Its `__new__` may check arguments; what was stored has passed it."""
        path = f"{__name__}.Changed"
        stored = {"$type": "$namedtuple", "$version": 1, "path": path, "fields": {"x": 1}}
        assert Changed(1, "new") == remembered.ask(stored)


def _local_enum() -> Enum:
    class Local(Enum):
        ONE = (1, 2)

    return Local.ONE


def _local_tuple() -> Any:
    class Local(NamedTuple):
        x: int

    return Local(1)


@pytest.mark.parametrize("make", [_local_enum, _local_tuple])
def test_what_would_not_be_found_again_is_refused(make: Any) -> None:
    """A class that a function made has no path."""
    with pytest.raises(StateNotStorable, match="define it at the top of a module"):
        CODEC.encode({"property": make()})


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (lambda: 1, "cannot be stored"),
        (iter([]), "cannot be stored"),
        (complex(1), "cannot be stored"),
        (bytearray(b"x"), "cannot be stored"),
        (Path("x"), "is not registered; add foreign_type("),
        (isodate.Duration(1), 'is not registered; add foreign_type(Duration, "Duration", {'),
    ],
)
def test_what_cannot_be_stored_is_told_by_its_kind(value: object, advice: str) -> None:
    """A class of a library cannot be decorated."""
    with pytest.raises(StateNotStorable) as refused:
        CODEC.encode({"property": [value]})

    assert str(refused.value).startswith("property[0] is a ")
    assert advice in str(refused.value)
    assert "@state_type" not in str(refused.value)


@pytest.mark.parametrize("value", [UUID(int=1), {1}, {1: 2}, (1,), Colour.RED, BERLIN])
def test_nothing_is_deeper_than_can_be_read(value: object) -> None:
    """The levels that a tag adds count."""
    for depth in range(100, 125):
        nested: Any = value
        for _ in range(depth):
            nested = (nested,)
        try:
            stored = CODEC.encode({"property": nested})["property"]
        except StateNotStorable:
            continue
        assert nested == remembered.ask(stored)
