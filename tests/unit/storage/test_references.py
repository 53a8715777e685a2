import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpickle.pickler import Pickler
from jsonpickle.unpickler import Unpickler

from shared.errors import StateUnreadable
from shared.storage.codec.stock_sdk_references import (
    MAX_DEPTH,
    MAX_REPEATED,
    References,
    has_references,
)
from tests.unit.storage.stock import Colour, Days, Word, shape_of, shared_graphs

LEAVES = st.sampled_from(
    [
        *(1, "text", None, 1.5, True, b"bytes", Decimal("1.10"), UUID(int=5), timedelta(1)),
        *(Colour.RED, Word.YES, Days.MONDAY, UTC, int, len, frozenset([1]), {1}),
        *(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))),
        *(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))).timetz(), Colour),
    ]
)


def written(value: Any) -> Any:
    return json.loads(json.dumps(Pickler().flatten(value)))


def read_by_the_sdk(stored: Any) -> Any:
    return Unpickler().restore(deepcopy(stored))  # It changes what it reads.


@given(shared_graphs(LEAVES))
def test_references_lead_where_they_lead_the_sdk(graph: Any) -> None:
    """Through all the forms that jsonpickle has."""
    stored = written(graph)
    spelled = References(stored).spell_out(stored, "it")
    assert not has_references(spelled)
    assert shape_of(read_by_the_sdk(stored)) == shape_of(read_by_the_sdk(spelled))


def test_dictionaries_did_not_count_in_older_versions() -> None:
    """SDK 4.16 numbers so; that is believed where the newer numbers make no sense."""
    zone = {"py/reduce": [{"py/type": "datetime.timezone"}, {"py/tuple": [{"py/id": 99}]}]}
    date = {"py/object": "datetime.datetime", "__reduce__": [{"py/type": "x"}, ["AA==", zone]]}
    again = {
        "py/object": "datetime.datetime",
        "__reduce__": [{"py/type": "x"}, ["AA==", {"py/id": 2}]],
    }
    zone["py/reduce"][1]["py/tuple"] = [0]  # type: ignore[index]  # a list
    stored = {"list": [], "first": date, "again": again}
    spelled = References(stored).spell_out(stored["again"], "again")
    assert zone == spelled["__reduce__"][1][1]


@pytest.mark.parametrize(
    "stored",
    [
        {"a": {"py/id": 5}},
        {"a": {"py/id": "1"}},
        {"a": {"py/id": None}},
        {"a": {"py/id": -1}},
        {"a": {"py/id": True}},
        {"a": [{"py/id": 1}]},
        {"a": {"b": [{"py/id": 1}]}},
        {"a": {"py/id": 0}},
    ],
)
def test_what_leads_nowhere_or_to_itself_is_refused(stored: dict[str, Any]) -> None:
    """A number may be anything, since others write documents as well."""
    with pytest.raises(StateUnreadable, match=r"^a was stored by the stock SDK with a reference"):
        References(stored).spell_out(stored["a"], "a")


def test_references_do_not_multiply_without_bounds() -> None:
    """Each step doubles: what is stored in 3 KB would have more values than there are atoms."""
    stored: dict[str, Any] = {"k0": [1]}
    for number in range(1, 300):
        stored[f"k{number}"] = [{"py/id": number}, {"py/id": number}]
    with pytest.raises(StateUnreadable, match="to too much"):
        References(stored).spell_out(stored["k299"], "k299")


def test_many_references_to_small_things_are_followed() -> None:
    """A list of 10,000 dates that share a time zone is no attack."""
    most = MAX_REPEATED // 2  # Each stands for a list and a text.
    dates = [{"py/id": 1} for _ in range(most + 1)]
    stored = {"zone": ["utc"], "dates": dates}
    references = References(stored)
    assert 10_000 < most
    assert [["utc"]] * most == references.spell_out(dates[:most], "dates")
    with pytest.raises(StateUnreadable, match="to too much"):
        references.spell_out(dates[most], "dates")


def test_a_document_that_is_too_deep_has_no_references() -> None:
    """It is refused before the recursion limit is reached: Cosmos DB has no such documents."""
    deep: list[Any] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    with pytest.raises(StateUnreadable, match="nested deeper than Cosmos DB stores"):
        References({"deep": deep, "again": {"py/id": 1}})


def test_a_state_that_only_older_versions_wrote_is_counted_as_they_did() -> None:
    """The SDK's classes have none of their own: where they do, dictionaries did not count."""
    state = {"py/object": "botbuilder.schema.Activity", "py/state": {"list": ["x"]}}
    stored = {"dictionary": {}, "state": state, "again": {"py/id": 1}}
    assert ["x"] == References(stored).spell_out(stored["again"], "again")


def test_a_time_zone_may_be_what_a_function_makes() -> None:
    """The newer way to count makes sense, though the older one would lead to a zone as well."""
    berlin, fixed = ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=2))
    dates = [datetime(2026, 1, day, tzinfo=berlin) for day in (1, 2)]
    stored = written({"first": dates[0], "fixed": fixed, "again": dates[1]})
    spelled = References(stored).spell_out(stored["again"], "again")
    assert dates[1] == read_by_the_sdk(spelled)
