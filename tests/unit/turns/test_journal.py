"""What turns write beside the bot's properties: it can always be read again."""

import json
import logging
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storage.codec.documents import DocumentCodec
from shared.turns.limits import (
    ANSWERS,
    DONE_BYTES,
    DONE_S,
    DONE_TURNS,
    KEPT_ACTIVITY_IDS,
    KEPT_REMOVALS,
    LAG_S,
    RECENT_DOCUMENTS,
    SEEN_DOCUMENTS,
)
from shared.turns.mailbox.records import Entry, Running
from shared.turns.state.journal import Answer, Change, Journal, Seen, TurnRecord, digest

CODEC = DocumentCodec([])

counts = st.integers(0, 2**52)
seconds = st.floats(0, 4e9, allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
names = st.dictionaries(texts, texts, max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
unknown = st.dictionaries(st.sampled_from(["future", "unknown", "$x", "py/x"]), values, max_size=2)
changes = st.builds(
    Change,
    put=st.dictionaries(texts, values, max_size=3),
    drop=st.lists(texts, max_size=3),
    unknown=unknown,
)
records = st.builds(
    TurnRecord,
    id=texts,
    by=texts,
    at_s=seconds,
    stamp=counts,
    replies=st.lists(texts, max_size=3),
    sent=counts,
    fruitless=counts,
    fruitless_since_s=seconds,
    ids=names,
    keeps_ids=st.booleans(),
    writes=st.dictionaries(texts, changes, max_size=3),
    answer=st.none() | st.lists(texts, max_size=3),
    trigger=texts,
    audience=texts,
    unknown=unknown,
)
entries = st.builds(
    Entry,
    id=texts,
    activity=texts,
    service_url=texts,
    audience=texts,
    waits=st.booleans(),
    tries=counts,
    failed=counts,
    at_s=seconds,
    unknown=unknown,
)
journals = st.builds(
    Journal,
    version=counts,
    stamps=st.dictionaries(texts, st.tuples(counts, texts), max_size=3),
    applied=st.dictionaries(texts, counts, max_size=3),
    stamp=counts,
    done=st.lists(texts, max_size=3),
    last=st.none() | records,
    answers=st.lists(st.builds(Answer, id=texts, answer=st.lists(texts)), max_size=3),
    seen=st.dictionaries(texts, st.builds(Seen, version=counts, at_s=seconds), max_size=3),
    ids=names,
    inbox=st.lists(entries, max_size=2),
    running=st.none() | st.builds(Running, by=texts, beat=counts, unknown=unknown),
    watch=texts,
    unknown=unknown,
)


def stored(journal: Journal) -> Any:
    """The journal's JSON, as the store has it."""
    document = CODEC.encode({"$turns": journal.to_json()})
    return CODEC.decode(json.loads(json.dumps(document)))["$turns"]


@given(journals)
def test_every_journal_comes_back_equal(journal: Journal) -> None:
    """Zeros, empty texts, fields of other versions and odd names included."""
    assert journal == Journal.of("key", stored(journal))


@given(values)
def test_a_damaged_journal_is_read_as_far_as_it_goes(value: Any) -> None:
    """Whatever stands there, the conversation goes on."""
    assert isinstance(Journal.of("key", value), Journal)


@pytest.mark.parametrize("field", ["version", "done", "last", "seen", "stamps", "ids", "answers"])
@given(value=values)
def test_a_damaged_field_costs_only_itself(field: str, value: Any) -> None:
    """The others are read as they are."""
    sound = Journal(stamp=7, unknown={"future": [1]})
    read = Journal.of("key", {**stored(sound), field: value})
    assert (7, {"future": [1]}) == (read.stamp, read.unknown)


@pytest.mark.parametrize(
    ("damaged", "read"),
    [
        ({"version": -3}, Journal()),
        ({"version": 2**60}, Journal()),
        ({"done": ["a b 1", 5, None]}, Journal(done=["a b 1"])),
        ({"seen": {"u": {"at_s": 3.0}}}, Journal(seen={"u": Seen(version=0, at_s=3.0)})),
        ({"seen": {"u": {"version": -1}, "v": 5}}, Journal(seen={"u": Seen()})),
        ({"last": {"by": "x"}}, Journal()),
        ({"last": "nonsense"}, Journal()),
        (
            {"last": {"id": "t", "replies": ["a", 5], "sent": -1}},
            Journal(last=TurnRecord(id="t", replies=["a"])),
        ),
        ({"last": {"id": "t", "writes": {"u": 3}}}, Journal(last=TurnRecord(id="t"))),
        ({"stamps": {"p": [1, "c"], "q": [1], "r": "x"}}, Journal(stamps={"p": (1, "c")})),
    ],
)
def test_what_cannot_be_read_is_left_out_and_logged(
    damaged: Any, read: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """Entry by entry; the log names the places and not what stands there."""
    with caplog.at_level(logging.ERROR):
        assert read == Journal.of("a-private-key", damaged)
    private = ("a-private-key", "nonsense")
    assert ("seen" in damaged and "at_s" in str(damaged)) or "$turns" in caplog.text
    assert [] == [text for text in private if text in caplog.text]


def test_what_another_version_wrote_is_written_back() -> None:
    """In a rolling deployment two versions write the same documents."""
    newer = {
        "version": 3,
        "open": True,
        "novel": [{"id": "x"}],
        "last": {"id": "t", "other": {"by": "z"}, "writes": {"u": {"put": {"a": 1}, "if": 2}}},
        "seen": {"u": {"version": 1, "at_s": 2.0, "region": "north"}},
    }
    journal = Journal.of("key", newer).change_last(by="me")
    expected = {**newer, "version": 4, "last": {**newer["last"], "by": "me"}}  # type: ignore[dict-item]
    assert expected == stored(journal)


def commit(journal: Journal, name: str, at_s: float, **fields: Any) -> Journal:
    record = TurnRecord(id=name, by="by", stamp=int(at_s * 1000), **fields)
    return journal.commit(record, None, "home")


def test_a_turn_is_noted_with_its_attempt_and_its_second() -> None:
    """Other versions of the app read the entry."""
    assert ["by t 1800000001"] == commit(Journal(), "t", 1_800_000_001.9).done


def test_a_turn_is_recognised_for_a_day() -> None:
    """A journal that is not full forgets by time and not by number."""
    journal = Journal()
    for number in range(100):
        journal = commit(journal, f"t{number}", number)
    assert "by" == journal.attempt_at("t0")
    for number in range(DONE_TURNS):
        journal = commit(journal, f"u{number}", DONE_S + 200)
    assert (None, "by") == (journal.attempt_at("t99"), journal.attempt_at("u0"))


def test_the_last_turns_are_recognised_however_long_ago() -> None:
    """A conversation may sleep for a month, and a clock may jump by as much."""
    journal = Journal()
    for number in range(DONE_TURNS):
        journal = commit(journal, f"t{number}", number * DONE_S * 30)
    assert "by" == journal.attempt_at("t0")


def test_recognised_turns_take_a_bounded_number_of_bytes() -> None:
    """In a conversation that never rests the oldest are forgotten."""
    journal = Journal()
    for number in range(1000):
        journal = commit(journal, f"{number:016x}", number)
    assert DONE_BYTES - 100 < sum(map(len, journal.done)) <= DONE_BYTES
    assert "by" == journal.attempt_at(f"{999:016x}")


def test_turns_of_an_earlier_version_are_recognised() -> None:
    """It noted the activity's id, and no time."""
    journal = Journal(done=["by 1600000000", "by an id"])
    found = [journal.attempt_at("x", id_) for id_ in ("1600000000", "an id", "160")]
    assert ["by", "by", None] == found
    for number in range(63):
        journal = commit(journal, f"{number:016x}", number)
    assert (None, "by") == tuple(journal.attempt_at("x", i) for i in ("1600000000", "an id"))


def test_answers_of_the_last_turns_can_be_repeated() -> None:
    """Those of older ones are forgotten, whoever committed them."""
    journal = Journal()
    for number in range(ANSWERS + 1):
        journal = commit(journal, f"t{number}", number, answer=[f"a{number}"])
    answers = [journal.answer_of(f"t{number}") for number in range(ANSWERS + 1)]
    assert [[], *([f"a{number}"] for number in range(1, ANSWERS + 1))] == answers


def test_a_large_answer_is_repeated_while_it_is_the_last() -> None:
    """It must not make every later write dearer."""
    journal = commit(commit(Journal(), "a", 1, answer=["x" * 10]), "b", 2, answer=["x" * 100_000])
    assert ([], 1) == (journal.answer_of("a"), len(journal.answer_of("b")))
    journal = commit(journal, "c", 3, answer=["y"])
    assert ([], ["y"]) == (journal.answer_of("b"), journal.answer_of("c"))


def test_the_later_of_two_turns_wins_in_each_property() -> None:
    """Whatever order their changes are applied in."""
    mine, theirs = (5, digest("one")), (9, digest("two"))
    journal = Journal().stamped(["name"], theirs)
    change = Change(put={"name": "old", "shoe": 39}, drop=["colour"])
    assert Change(put={"shoe": 39}, drop=["colour"]) == journal.later_part(change, mine)
    assert change == journal.later_part(change, (10, digest("one")))
    assert Change() == journal.stamped(change.names, mine).later_part(change, mine)


def test_a_removal_outlives_a_late_change() -> None:
    """A property that was removed does not come back; of removals the last are remembered."""
    journal = Journal()
    for number in range(KEPT_REMOVALS + 1):
        journal = journal.stamped([f"p{number}"], (number, "c")).with_properties(["other"])
    assert KEPT_REMOVALS == len(journal.stamps)
    late = Change(put={f"p{KEPT_REMOVALS}": 1})
    assert Change() == journal.later_part(late, (3, "d"))


def test_a_change_that_an_earlier_version_applied_is_not_applied_again() -> None:
    """It noted a stamp for each conversation."""
    journal = Journal(applied={digest("home"): 5})
    change = Change(put={"name": "Ada"})
    assert Change() == journal.later_part(change, (5, digest("home")))
    assert change == journal.later_part(change, (6, digest("home")))


def test_a_stamp_is_later_than_all_that_the_turn_has_read() -> None:
    """However slow its clock is."""
    read = Journal(stamps={"name": (10_000_000, "c")})
    home = Journal(stamp=5_000)
    stamps = [home.next_stamp(1.0, [home]), home.next_stamp(1.0, [home, read])]
    assert [5_001, 10_000_001, 8_000] == [*stamps, home.next_stamp(8.0, [home])]


def test_few_documents_are_expected_to_be_new() -> None:
    """A conversation of thousands of users keeps its journal small."""
    journal = Journal()
    for number in range(100):
        journal = journal.expect({f"u{number}": 1}, number * LAG_S)
    assert (SEEN_DOCUMENTS, "u99") == (len(journal.seen), [*journal.seen][-1])


def test_documents_that_a_read_may_lag_behind_are_expected_to_be_new() -> None:
    """However many members of a conversation have written within that time; it has a bound, too."""
    journal = Journal()
    for number in range(100):
        journal = journal.expect({f"u{number}": 1}, number * LAG_S / 100)
    assert [f"u{number}" for number in range(100)] == [*journal.seen]
    for number in range(1_000):
        journal = journal.expect({f"u{number}": 2}, LAG_S)
    assert RECENT_DOCUMENTS == len(journal.seen)


def test_few_ids_of_sent_activities_are_kept() -> None:
    """A bot that stores every id it is given finds the activities that it sent last."""
    journal = Journal()
    for number in range(KEPT_ACTIVITY_IDS + 10):
        journal = commit(journal, f"t{number}", number, replies=["x"], keeps_ids=True)
        journal = journal.settle({f"given{number}": "real"}, {}, number)
    kept = [f"given{number}" for number in range(10, KEPT_ACTIVITY_IDS + 10)]
    assert kept == [*journal.ids]


def test_ids_that_the_bot_did_not_store_are_not_kept() -> None:
    """Those of earlier turns are, even so."""
    journal = commit(Journal(ids={"given": "real"}), "t", 1, replies=["x"])
    assert {"given": "real"} == journal.settle({"other": "real"}, {}, 1).ids


def test_the_journal_of_a_quiet_conversation_is_small() -> None:
    """It is read and written with every turn."""
    journal = Journal()
    for number in range(10):
        journal = commit(journal, f"{number:016x}", 1_800_000_000 + number)
    assert len(msgspec.json.encode(stored(journal))) < 600
