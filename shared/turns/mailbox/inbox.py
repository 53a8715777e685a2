"""
How a conversation's mailbox changes: each step as a function from journal to journal.

The owner of a conversation writes over what others have appended meanwhile, so each step can be
done on whatever the journal is by then. docs/adr/0003-mailbox.md has the picture.
"""

from typing import Any

from msgspec.structs import replace

from shared.turns.mailbox.records import Entry, Running
from shared.turns.state.journal import Change, Journal, TurnRecord

# By the request that brings an activity


def claimed(journal: Journal, entry: Entry, by: str) -> Journal:
    """
    A free conversation, with a slow turn that is being run.

    No bell is in charge yet: the one that was rung before may have come and gone already.
    """
    first = replace(entry, tries=1)
    return replace(_run_as(journal, Running(by=by)), inbox=[first], watch="")


def appended(journal: Journal, entries: list[Entry], watch: str, by: str | None = None) -> Journal:
    """
    A few more activities are accepted.

    `watch` is the bell that was rung for them, if no other is in charge. With `by` the
    conversation, which nobody runs, becomes the appender's.
    """
    # In a free conversation a bell may have found nothing to do, and may be gone.
    watch = "" if journal.is_free else journal.watch or watch
    changed = replace(
        journal, version=journal.version + 1, inbox=[*journal.inbox, *entries], watch=watch
    )
    return _begun(_run_as(changed, Running(by=by))) if by else changed


# By the owner


def beaten(journal: Journal) -> Journal:
    """The owner is alive."""
    running = _owner_of(journal)
    return _run_as(journal, Running(by=running.by, beat=running.beat + 1))


def committed(
    journal: Journal,
    record: TurnRecord,
    own: Change | None,
    home_key: str,
    by: str,
    *,
    hands_over: bool = False,
) -> Journal:
    """
    One more turn, which leaves the inbox. `by` owns the conversation from here on, or still does.

    `own` is what the turn changes in the home document itself.
    """
    beat = journal.running.beat + 1 if journal.running else 1
    running = Running(by=by, beat=beat)
    changed = journal.commit(record, own, home_key)
    if changed.last is not None:
        changed = replace(changed, last=replace(changed.last, by=running.name))
    # In a free conversation it is left from the version before, and its bell has come and gone.
    watch = "" if journal.is_free else journal.watch
    changed = replace(_without(changed, record.id), running=running, watch=watch)
    return changed if changed.last is not None else onward(changed, hands_over=hands_over)


def onward(journal: Journal, *, hands_over: bool = False) -> Journal:
    """Settled: the next entry begins, or the next owner does it, or the conversation is free."""
    if not journal.inbox:
        return replace(journal, version=journal.version + 1, running=None, watch="")
    if hands_over:
        return replace(journal, version=journal.version + 1, running=None)
    return _begun(beaten(journal))


def withdrawn(journal: Journal, entry_id: str, *, hands_over: bool = False) -> Journal:
    """The head of the inbox has no effect, or has had it: on to the next."""
    return onward(_without(journal, entry_id), hands_over=hands_over)


def released(journal: Journal, watch: str, **changes: Any) -> Journal:
    """
    The owner leaves the unsettled turn to the next owner; `changes` are those to its record.

    `watch` is the bell that rings when it is time to try again.
    """
    last = replace(journal.unsettled, **changes, by="")
    return replace(journal, version=journal.version + 1, running=None, last=last, watch=watch)


def handed_back(journal: Journal) -> Journal:
    """The head's run was broken off by its owner, which is alive: that try does not count."""
    head = journal.inbox[0]
    first = replace(head, tries=max(0, head.tries - 1))
    return replace(
        journal, version=journal.version + 1, running=None, inbox=[first, *journal.inbox[1:]]
    )


def put_off(journal: Journal, watch: str, needs: str) -> Journal:
    """The head's run needs a document that cannot be read; `watch` rings when to try again."""
    back = handed_back(journal)
    head = back.inbox[0]
    first = replace(head, failed=head.failed + 1, needs=needs)
    return replace(back, inbox=[first, *back.inbox[1:]], watch=watch)


# By a bell


def taken_over(journal: Journal, by: str, watch: str) -> Journal:
    """Another owner; what the former one still writes fails from here on."""
    return _begun(replace(_run_as(journal, Running(by=by)), watch=watch))


def adopted(journal: Journal) -> Journal:
    """The owner takes over an unsettled turn that an earlier version of the app has left."""
    return beaten(replace(journal, last=replace(journal.unsettled, by="")))


def _run_as(journal: Journal, running: Running) -> Journal:
    last = journal.last
    if last is not None and (not last.by or journal.holds_last):
        last = replace(last, by=running.name)
    return replace(journal, version=journal.version + 1, running=running, last=last)


def _begun(journal: Journal) -> Journal:
    """The head of the inbox is about to be run, unless a turn before it is not settled."""
    if journal.last is not None or not journal.inbox:
        return journal
    head = journal.inbox[0]
    return replace(journal, inbox=[replace(head, tries=head.tries + 1), *journal.inbox[1:]])


def _without(journal: Journal, entry_id: str) -> Journal:
    if journal.inbox and journal.inbox[0].id == entry_id:
        return replace(journal, inbox=journal.inbox[1:])
    return journal


def _owner_of(journal: Journal) -> Running:
    if journal.running is None:
        raise AssertionError("nobody owns the conversation")
    return journal.running
