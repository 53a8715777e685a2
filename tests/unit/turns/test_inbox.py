"""A conversation's mailbox, step by step: pure functions from journal to journal."""

from typing import Any

import pytest

from shared.turns.mailbox import inbox
from shared.turns.mailbox.records import Entry, Running
from shared.turns.state.journal import Change, Journal, TurnRecord

HOME = "test/conversations/room"


def entry(name: str, **fields: Any) -> Entry:
    return Entry(id=name, activity="{}", **fields)


def record(name: str, *replies: str) -> TurnRecord:
    return TurnRecord(id=name, by="attempt", stamp=1_000, replies=list(replies))


def commit(journal: Journal, name: str, *replies: str, hands_over: bool = False) -> Journal:
    return inbox.committed(
        journal, record(name, *replies), Change(), HOME, "me", hands_over=hands_over
    )


def names(journal: Journal) -> list[tuple[str, int]]:
    return [(one.id, one.tries) for one in journal.inbox]


CLAIMED = inbox.claimed(Journal(), entry("a"), "me")


def test_a_claim_is_an_entry_with_an_owner_and_no_bell() -> None:
    """A bell that was rung before may have found nothing yet: it is not in charge."""
    claimed = inbox.claimed(Journal(watch="old"), entry("a"), "me")
    assert ([("a", 1)], ("me", 1), "") == (names(claimed), claimed.pulse, claimed.watch)


def test_a_conversation_is_open_until_it_is_free() -> None:
    """The sweep finds it by a field that free conversations and other documents do not have."""
    assert "open" not in Journal().to_json()
    assert CLAIMED.to_json()["open"]
    settled = commit(CLAIMED, "a")
    assert settled.is_free
    assert "open" not in settled.to_json()
    assert "open" in commit(CLAIMED, "a", "reply").to_json()


def test_a_commit_trusts_no_bell_that_is_left_in_a_free_conversation() -> None:
    """The version before settles without knowing of bells: that one has come and gone."""
    assert "" == commit(Journal(watch="old"), "a", "reply").watch
    watched = inbox.appended(CLAIMED, [entry("b")], "bell")
    assert "bell" == commit(watched, "a", "reply").watch


def test_a_turn_with_nothing_left_to_do_keeps_nothing_open() -> None:
    """A damaged journal may have one; a sweep would ring for it for ever."""
    assert "open" not in Journal(last=TurnRecord(id="a")).to_json()


def test_a_journal_that_is_open_is_read_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """The field says nothing that the others do not."""
    assert CLAIMED == Journal.of(HOME, CLAIMED.to_json())
    assert [] == caplog.messages


def test_an_append_keeps_the_order_and_the_bell_in_charge() -> None:
    """The one that is rung for it counts only where there is no other."""
    watched = inbox.appended(CLAIMED, [entry("b")], "first")
    appended = inbox.appended(watched, [entry("c")], "second")
    assert [("a", 1), ("b", 0), ("c", 0)] == names(appended)
    assert ("first", ("me", 1)) == (appended.watch, appended.pulse)


def test_an_append_to_a_free_conversation_claims_no_bell() -> None:
    """The bell may have come before the entry did."""
    appended = inbox.appended(Journal(), [entry("a")], "first", "me")
    assert ([("a", 1)], ("me", 1), "") == (names(appended), appended.pulse, appended.watch)


def test_an_append_becomes_the_owner_of_what_nobody_runs() -> None:
    """The head of the inbox begins, which need not be what was appended."""
    waiting = inbox.onward(inbox.appended(CLAIMED, [entry("b")], "bell"), hands_over=True)
    appended = inbox.appended(waiting, [entry("c")], "other", "new")
    assert [("a", 2), ("b", 0), ("c", 0)] == names(appended)
    assert ("bell", ("new", 1)) == (appended.watch, appended.pulse)


def test_a_commit_takes_its_entry_out_and_keeps_what_was_appended() -> None:
    """Its replies are to be said first: the next entry has not begun."""
    done = commit(inbox.appended(CLAIMED, [entry("b")], "bell"), "a", "reply")
    assert [("b", 0)] == names(done)
    assert ("me", 2) == done.pulse
    assert done.holds_last
    assert "attempt a" in done.done[0]


def test_a_turn_that_was_in_no_inbox_takes_nobody_elses_entry_out() -> None:
    """A fast turn commits in a free conversation; nothing else is taken for its own."""
    assert [("a", 1)] == names(commit(CLAIMED, "x", "reply"))


def test_a_commit_without_replies_goes_on_at_once() -> None:
    """To the next entry, to the next owner, or to rest."""
    two = inbox.appended(CLAIMED, [entry("b")], "bell")
    going_on, handed_over = commit(two, "a"), commit(two, "a", hands_over=True)
    assert ([("b", 1)], "me") == (names(going_on), (going_on.pulse or ("", 0))[0])
    assert ([("b", 0)], None, "bell") == (
        names(handed_over),
        handed_over.pulse,
        handed_over.watch,
    )


def test_the_owners_name_in_the_record_changes_with_each_beat() -> None:
    """An earlier version waits for as long as it sees new names there."""
    done = commit(CLAIMED, "a", "reply")
    seen = {done.unsettled.by}
    for _ in range(3):
        done = inbox.beaten(done)
        assert done.holds_last
        seen.add(done.unsettled.by)
    assert 4 == len(seen)


def test_a_beat_leaves_the_turn_of_an_earlier_version_alone() -> None:
    """It has committed over our claim, and delivers what it has committed."""
    old = CLAIMED.commit(record("b", "reply"), None, HOME)
    beaten = inbox.beaten(old)
    assert "attempt" == beaten.unsettled.by
    assert not beaten.holds_last
    assert inbox.adopted(beaten).holds_last


def test_a_bell_takes_over_whatever_the_owner_left() -> None:
    """A run that died counts; one that only waits behind an unsettled turn does not."""
    run = inbox.taken_over(CLAIMED, "you", "bell")
    delivery = inbox.taken_over(
        commit(inbox.appended(CLAIMED, [entry("b")], "old"), "a", "reply"), "you", "bell"
    )
    assert ([("a", 2)], ("you", 1), "bell") == (names(run), run.pulse, run.watch)
    assert ([("b", 0)], ("you", 1), True) == (names(delivery), delivery.pulse, delivery.holds_last)


def test_a_turn_that_is_left_is_the_next_owners_at_once() -> None:
    """Whoever comes next, of this version or the one before, waits for nobody."""
    left = inbox.released(commit(CLAIMED, "a", "one", "two"), "later", sent=1)
    assert ("", 1, None) == (left.unsettled.by, left.unsettled.sent, left.pulse)
    assert "later" == left.watch
    assert inbox.taken_over(left, "you", "bell").holds_last


def test_a_run_that_its_owner_breaks_off_is_no_try() -> None:
    """Three restarts of the app do not drop a message."""
    back = inbox.handed_back(CLAIMED)
    assert ([("a", 0)], None) == (names(back), back.pulse)


def test_every_step_is_a_new_version() -> None:
    """By which a lagging read is recognised."""
    last = commit(CLAIMED, "a", "reply")
    steps = [
        (Journal(), CLAIMED),
        (CLAIMED, inbox.appended(CLAIMED, [entry("b")], "")),
        (CLAIMED, inbox.beaten(CLAIMED)),
        (CLAIMED, last),
        (CLAIMED, inbox.withdrawn(CLAIMED, "a")),
        (CLAIMED, inbox.handed_back(CLAIMED)),
        (CLAIMED, inbox.taken_over(CLAIMED, "you", "")),
        (last, inbox.released(last, "")),
        (last, inbox.adopted(last)),
    ]
    assert [] == [(old, new) for old, new in steps if new.version <= old.version]


def test_a_journal_keeps_its_mailbox() -> None:
    """What is written is read again."""
    journal = Journal(
        inbox=[entry("a", service_url="https://x", audience="y", waits=True, tries=2, at_s=1.5)],
        running=Running(by="me", beat=7),
        watch="bell",
    )
    assert journal == Journal.of(HOME, journal.to_json())
