"""
The product with one safeguard taken out, to show that the simulation would notice.

A mutant is a copy of `shared/turns` (see `copies`) in which one snippet is replaced. A snippet
that is not found exactly once fails its test.
"""

from dataclasses import dataclass

from tests.simulation.copies import Edit, Product, changed
from tests.simulation.faults import Fault


@dataclass(frozen=True)
class Mutant:
    """A safeguard, where it is, and what stands there without it."""

    safeguard: str
    file: str
    snippet: str
    instead: str
    shown_by: tuple[Fault, ...] = ()
    """Faults that each history gets in which the safeguard is looked for."""

    def product(self) -> Product:
        """The product without the safeguard."""
        return changed([Edit(self.file, self.snippet, self.instead)])


COMMITTING = (
    Mutant(
        "the commit is conditional on the ETag that it is based on",
        "turn.py",
        "            home,\n            properties=attempt.properties,",
        "            home,\n            e_tag=home.e_tag and '*',\n"
        "            properties=attempt.properties,",
    ),
    Mutant(
        "the first commit of a conversation only creates",
        "turn.py",
        "            home,\n            properties=attempt.properties,",
        "            home,\n            e_tag=home.e_tag or '*',\n"
        "            properties=attempt.properties,",
    ),
    Mutant(
        "committed turns are remembered",
        "state/journal.py",
        'done=_recent([*self.done, f"{record.by} {record.id} {at_s}"], at_s),',
        'done=[f"{record.by} {record.id} {at_s}"],',
    ),
    Mutant(
        "so many turns are remembered in any case",
        "state/journal.py",
        "for entry in done[:-DONE_TURNS]:",
        "for entry in done[:-1]:",
        (Fault.MANY_TURNS, Fault.REDELIVERED),
    ),
    Mutant(
        "an attempt knows its own commit when the answer was lost",
        "leases.py",
        "if self.is_ours(last.by):",
        "if last.by == 'nobody':",
        (Fault.STORE_ANSWER_LOST,),
    ),
    Mutant(
        "nothing is sent before the commit",
        "turn.py",
        "        return await self._if_stored(self._documents.write_home(committed))",
        "        await self.deliver(committed)\n"
        "        return await self._if_stored(self._documents.write_home(committed))",
    ),
    Mutant(
        "changes to other documents are committed with the turn",
        "attempt.py",
        "writes={key: change for key, (_, change) in self.others.items()},",
        "writes={},",
    ),
    Mutant(
        "the sender belongs to the identity of a turn",
        "identity.py",
        "parts = [str.__str__(activity.type), user_id, activity.id]",
        "parts = [str.__str__(activity.type), activity.id]",
        (Fault.SAME_ID,),
    ),
    Mutant(
        "answers are kept after their turn is settled",
        "state/journal.py",
        "answers = [*answers, Answer(id=last.id, answer=last.answer)]",
        "pass",
        (Fault.REDELIVERED,),
    ),
    Mutant(
        "too large a turn becomes an apology",
        "turn.py",
        "except (StateNotStorable, StateTooLarge) as error:",
        "except StateNotStorable as error:",
        (Fault.STATE_LARGE,),
    ),
)

READING = (
    Mutant(
        "no document is read older than the conversation has written it",
        "turn.py",
        "seen.get(key, 0), key, self._backoff",
        "0, key, self._backoff",
        (Fault.STORE_LAGGING,),
    ),
    Mutant(
        "the user document that was read in advance is not older either",
        "turn.py",
        "if document is None or document.key != key or document.version < seen.get(key, 0):",
        "if document is None or document.key != key:",
        (Fault.STORE_LAGGING,),
    ),
    Mutant(
        "the home document is never read older than it is known to be",
        "state/documents.py",
        "if home.version >= self._home_version:",
        "if True:",
        (Fault.STORE_LAGGING, Fault.STORE_ANSWER_LOST),
    ),
    Mutant(
        "a document that stays older was deleted or restored",
        "state/documents.py",
        "if asked_s >= until_s:",
        "if False:",
        (Fault.DOCUMENT_DELETED,),
    ),
    Mutant(
        "fields of a newer version are kept",
        "state/records.py",
        "plain = dict(record.unknown)",
        "plain = {}",
        (Fault.JOURNAL_NEWER,),
    ),
    Mutant(
        "a journal with something unreadable in it is read without that",
        "state/records.py",
        "        faults: list[str] = []\n        record = _salvage",
        "        raise\n        record = _salvage",
        (Fault.JOURNAL_POISONED,),
    ),
)

APPLYING = (
    Mutant(
        "of two changes to a property the later one wins",
        "state/journal.py",
        "return stamp > self.stamps.get(name, _NEVER)",
        "return True",
        (Fault.SHARED_PROPERTY,),
    ),
    Mutant(
        "a turn is later than what it has read",
        "state/journal.py",
        "return max(self.stamp + 1, latest + 1, int(now_s * 1000))",
        "return max(self.stamp + 1, int(now_s * 1000))",
        (Fault.SHARED_PROPERTY, Fault.CLOCK_SKEW),
    ),
    Mutant(
        "a property that was removed does not come back",
        "state/stored_document.py",
        "journal = self.journal.stamped(change.names, stamp)",
        "journal = self.journal.stamped(change.put, stamp)",
        (Fault.SHARED_PROPERTY, Fault.CHANNEL_SLOW, Fault.STORE_SLOW),
    ),
    Mutant(
        "changes to other documents are conditional on their ETag",
        "state/changes.py",
        "return await self._documents.write(document.changed_by(later, stamp))",
        "from dataclasses import replace\n"
        "                return await self._documents.write(\n"
        "                    replace(document.changed_by(later, stamp), e_tag='*')\n"
        "                )",
    ),
    Mutant(
        "only changed properties are put into other documents",
        "state/unit_of_work.py",
        "if name not in old or not _same(old[name], new[name])}",
        "if name}",
    ),
    Mutant(
        "changes are applied in time for the owner to note that replies were sent",
        "turn.py",
        "until_s = loop_time_s() + self._leases.left_s(last.by) - SEND_S",
        "until_s = loop_time_s() + 600",
        (Fault.DOCUMENT_UNKNOWN_ERROR, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "what could not be kept is said",
        "owner.py",
        "else [*last.replies, text],",
        "else last.replies,",
        (Fault.DOCUMENT_TOO_LARGE,),
    ),
    Mutant(
        "a change that never succeeds is given up",
        "remainder.py",
        "if tries.are_enough(passing=isinstance(error, (*STORE_FAULTS, TimeoutError))):",
        "if False:",
        (Fault.DOCUMENT_UNKNOWN_ERROR,),
    ),
)

DELIVERING = (
    Mutant(
        "how many replies were sent is noted",
        "owner.py",
        'by="",\n                sent=remainder.sent,',
        'by="",\n                sent=home.journal.unsettled.sent,',
        (Fault.CHANNEL_FAILED,),
    ),
    Mutant(
        "what was sent is an absolute count",
        "owner.py",
        'by="",\n                sent=remainder.sent,',
        'by="",\n                sent=remainder.sent + home.journal.unsettled.sent,',
        (Fault.CHANNEL_FAILED,),
    ),
    Mutant(
        "nothing is sent after the lease",
        "owner.py",
        "return self._owner.lease_left_s(self.home)",
        "return self._owner.lease_left_s(self.home) + 60",
        (Fault.CHANNEL_SLOW,),
    ),
    Mutant(
        "the lease is renewed while a reply is on its way",
        "replies/delivery.py",
        "timer = loop.call_later(lease.left_s - SEND_S, begin_to_keep)",
        "timer = loop.call_later(60, begin_to_keep)",
        (Fault.CHANNEL_SLOW,),
    ),
    Mutant(
        "replies to others do not end up in the response to whoever delivers them",
        "replies/delivery.py",
        "return await self._send(operation.subject)",
        "return await self._send(operation.subject, self._context.activity.delivery_mode)",
    ),
    Mutant(
        "an id from the channel that is none is left out",
        "replies/delivery.py",
        'return _usable_id(responses[0].id) if responses and responses[0] else ""',
        'return responses[0].id if responses and responses[0] else ""',
        (Fault.CHANNEL_ODD_ANSWER,),
    ),
    Mutant(
        "a reply that is never taken is given up",
        "remainder.py",
        "if progress.stuck and tries.are_enough",
        "if False and tries.are_enough",
        (Fault.CHANNEL_NEVER_ANSWERS,),
    ),
    Mutant(
        "a reply is given up only after some time",
        "remainder.py",
        "return self.count >= most and is_long",
        "return self.count >= most",
        (Fault.CHANNEL_FAILED,),
    ),
    Mutant(
        "what does not answer is apologised for only where somebody has said something",
        "apologies.py",
        "elif trigger.type == ActivityTypes.message:",
        "else:",
        (Fault.BOT_RAISES,),
    ),
)

OWNING = (
    Mutant(
        "the next turn waits for an unsettled one",
        "leases.py",
        "return TurnState.ABANDONED if is_over else TurnState.ONGOING",
        "return TurnState.SETTLED",
    ),
    Mutant(
        "an unsettled turn is taken over only when its lease is over",
        "leases.py",
        "return TurnState.ABANDONED if is_over else TurnState.ONGOING",
        "return TurnState.ABANDONED",
    ),
    Mutant(
        "an abandoned turn is taken over some time",
        "leases.py",
        "return TurnState.ABANDONED if is_over else TurnState.ONGOING",
        "return TurnState.ONGOING",
    ),
    Mutant(
        "whoever waits for an owner waits for the whole lease",
        "leases.py",
        "self._watch.seconds(last.by) >= LEASE_S",
        "self._watch.seconds(last.by) >= 2",
        (Fault.CHANNEL_SLOW,),
    ),
    Mutant(
        "a turn is taken over with a fencing write",
        "owner.py",
        "return await self._documents.write_home(replace(home, journal=journal))",
        "return replace(home, journal=journal)",
    ),
    Mutant(
        "what the owner notes is written",
        "owner.py",
        "return await self._documents.write_home(noted)",
        "return noted",
    ),
    Mutant(
        "what the owner notes is conditional on the ETag",
        "owner.py",
        "noted = replace(fresh, journal=edit(fresh.journal))",
        "noted = replace(fresh, journal=edit(fresh.journal), e_tag='*')",
    ),
    Mutant(
        "a turn that is not finished is not answered with 200",
        "turn.py",
        'raise DeliveryUncertain("The turn is committed, but not finished; deliver it again.")',
        "return home",
        (Fault.CHANNEL_FAILED,),
    ),
)

RUNNING = (
    Mutant(
        "replies after the turn are refused",
        "attempt.py",
        "        outbox.close()\n",
        "",
        (Fault.BOT_SENDS_LATE,),
    ),
    Mutant(
        "state changes after the turn are refused",
        "attempt.py",
        "        unit.close()\n",
        "",
        (Fault.BOT_WRITES_LATE,),
    ),
    Mutant(
        "a bot that hangs is stopped",
        "running.py",
        "await asyncio.wait([task], timeout=limit_s)",
        "await asyncio.wait([task])",
        (Fault.BOT_HANGS,),
    ),
    Mutant(
        "a bot that cannot be stopped is left to itself",
        "running.py",
        "await asyncio.wait([task], timeout=RUN_GRACE_S)",
        "await asyncio.wait([task])",
        (Fault.BOT_SWALLOWS,),
    ),
    Mutant(
        "a bot that is cancelled from within has failed",
        "running.py",
        "if task.cancelled():\n        raise",
        "if False:\n        raise",
        (Fault.BOT_CANCELLED,),
    ),
    Mutant(
        "a bot cannot end the process",
        "running.py",
        "except SystemExit as error:",
        "except KeyError as error:",
        (Fault.BOT_EXITS,),
    ),
)

MUTANTS = (*COMMITTING, *READING, *APPLYING, *DELIVERING, *OWNING, *RUNNING)
