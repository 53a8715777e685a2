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
        "home, properties=properties, journal=",
        "home, properties=properties, e_tag=home.e_tag and '*', journal=",
    ),
    Mutant(
        "the first commit of a conversation only creates",
        "turn.py",
        "home, properties=properties, journal=",
        "home, properties=properties, e_tag=home.e_tag or '*', journal=",
    ),
    Mutant(
        "committed turns are remembered",
        "state/journal.py",
        'done=_recent([*self.done, f"{record.by} {record.id} {at_s}"], at_s),',
        'done=[f"{record.by} {record.id} {at_s}"],',
    ),
    Mutant(
        "nothing is sent before the commit",
        "mailbox/arrival.py",
        "        return await self._if_stored(document)\n",
        "        owner.have(document)\n"
        "        await Runner(owner, self._documents, self._ringer, self._process)._finishing(\n"
        "            self._turn\n"
        "        ).deliver(None)\n"
        "        return await self._if_stored(document)\n",
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
        "mailbox/arrival.py",
        "except (StateNotStorable, StateTooLarge) as error:",
        "except StateNotStorable as error:",
        (Fault.STATE_LARGE, Fault.REDELIVERED),
    ),
)

READING = (
    Mutant(
        "no document is read older than the conversation has written it",
        "turn.py",
        "seen.get(key, 0), key, backoff",
        "0, key, backoff",
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
        "if home.version >= self._known.least(self.home_key, asked_s):",
        "if True:",
        (Fault.STORE_LAGGING, Fault.STORE_ANSWER_LOST),
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
        "finishing.py",
        "until_s = loop_time_s() + self._owner.lease_left_s - SEND_S",
        "until_s = loop_time_s() + 600",
        (Fault.DOCUMENT_UNKNOWN_ERROR, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "what could not be kept is said",
        "finishing.py",
        "replies = [*replies, message(notice, trigger).to_text()]",
        "pass",
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
        "finishing.py",
        "bell,\n                sent=remainder.sent,",
        "bell,\n                sent=last.sent,",
        (Fault.CHANNEL_FAILED,),
    ),
    Mutant(
        "what was sent is an absolute count",
        "finishing.py",
        "bell,\n                sent=remainder.sent,",
        "bell,\n                sent=remainder.sent + last.sent,",
        (Fault.CHANNEL_FAILED,),
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
        "a bot runs only on a free conversation",
        "mailbox/arrival.py",
        "elif journal.is_free and (caller.waits or not has_waited):",
        "elif caller.waits or not has_waited:",
    ),
    Mutant(
        "a conversation is taken over only when its owner shows no sign of life",
        "mailbox/bell.py",
        "return journal.pulse is None or journal.pulse == self._bell.pulse",
        "return True",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "a conversation is taken over some time",
        "mailbox/bell.py",
        "return journal.pulse is None or journal.pulse == self._bell.pulse",
        "return journal.pulse is None",
        (Fault.KILL,),
    ),
    Mutant(
        "a conversation is taken over with a fencing write",
        "mailbox/bell.py",
        "taken = await self._documents.write(replace(home, journal=journal))",
        "taken = replace(home, journal=journal)",
    ),
    Mutant(
        "what the owner writes is written",
        "mailbox/ownership.py",
        "self.have(await self._documents.write(self._watched(change(fresh))), began_s)",
        "self.have(self._watched(change(fresh)), began_s)",
    ),
    Mutant(
        "what the owner writes is conditional on the ETag",
        "mailbox/ownership.py",
        "self._documents.write(self._watched(change(fresh)))",
        "self._documents.write(replace(self._watched(change(fresh)), e_tag='*'))",
        (Fault.PAUSE, Fault.BOT_SLOW),
    ),
    Mutant(
        "an owner beats while its bot runs",
        "mailbox/ownership.py",
        "        await self.note(inbox.beaten)\n",
        "        pass\n",
        (Fault.BOT_SLOW,),
    ),
)

ACCEPTING = (
    Mutant(
        "a turn is accepted only when it is stored",
        "mailbox/caller.py",
        "if self.is_kept and not self.waits:",
        "if not self.waits:",
        (Fault.STORE_OUTAGE,),
    ),
    Mutant(
        "a committed activity is not run again",
        "mailbox/arrival.py",
        "if (by := caller.attempt_in(journal)) is not None:",
        "if (by := caller.attempt_in(journal)) is not None and by in self._attempts:",
        (Fault.REDELIVERED,),
    ),
    Mutant(
        "a commit goes over what was appended",
        "mailbox/ownership.py",
        "                    fresh = await self._documents.read_home(backoff)\n",
        "                    fresh = await self._documents.read_home(backoff)\n"
        "                    fresh = replace(self.home, e_tag=fresh.e_tag)\n",
        (Fault.BOT_SLOW, Fault.CROWD),
    ),
    Mutant(
        "a delivery that got nowhere is tried again when its bell rings",
        "mailbox/bell.py",
        "return journal.is_put_off and is_another",
        "return journal.is_put_off",
        (Fault.CHANNEL_FAILED,),
    ),
    Mutant(
        "a document that can never be read stops no conversation",
        "mailbox/runner.py",
        "elif entry.failed >= LOOKS_WITHOUT_STORE:",
        "elif False:",
        (Fault.DOCUMENT_UNKNOWN_ERROR,),
    ),
)

MAILBOX = (
    Mutant(
        "who can only wait lets the others pass",
        "mailbox/arrival.py",
        "        if self._caller.waits:\n            # A request that can only wait",
        "        if False:\n            #",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "what one process is sent first comes first",
        "mailbox/arrival.py",
        "            await caller.enter_line()\n            if not caller.is_kept:\n",
        "            if not caller.is_kept:\n",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "who has lost the race for the claim does not own the conversation",
        "mailbox/claim.py",
        "            raise LostRace\n",
        "            return home\n",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "what was the answer to a request is not run when that has ended",
        "mailbox/runner.py",
        "if entry.waits and (caller is None or not is_callers or not caller.is_waiting):",
        "if False:",
        (Fault.BOT_SLOW, Fault.KILL),
    ),
    Mutant(
        "an activity that is accepted is not accepted again",
        "mailbox/arrival.py",
        "elif not caller.waits and any(one.id == caller.turn_id for one in journal.inbox):",
        "elif False:",
        (Fault.BOT_SLOW, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "of two deliveries that wait in line one is accepted",
        "mailbox/arrival.py",
        "            known.add(one.turn_id)\n",
        "",
        (Fault.BOT_SLOW, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "an owner writes nothing over what is not its own",
        "mailbox/ownership.py",
        "if not self.owns(fresh.journal):",
        "if False:",
        (Fault.BOT_SLOW, Fault.PAUSE),
    ),
    Mutant(
        "every request is answered in time",
        "mailbox/caller.py",
        "call_at(self.deadline_s, self._time_is_up)",
        "call_at(self.arrived_s + 60.0, self._time_is_up)",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "a delivery that takes long gets a bell",
        "mailbox/lease.py",
        "if not (owner.journal.watch or owner.bell) and self.left_s >= SEND_S + RING_S:",
        "if False:",
        (Fault.CHANNEL_SLOW,),
    ),
    Mutant(
        "a redelivery of what is not said yet rings",
        "mailbox/arrival.py",
        "        await self._have_a_bell(home.journal)\n        if self._caller.may",
        "        if self._caller.may",
        (Fault.CHANNEL_SLOW, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "who only waits is not blamed",
        "mailbox/inbox.py",
        "    if journal.last is not None or not journal.inbox:\n        return journal\n",
        "    if not journal.inbox:\n        return journal\n",
        (Fault.CHANNEL_FAILED, Fault.CROWD),
    ),
    Mutant(
        "a long inbox is handed over",
        "mailbox/ownership.py",
        "return has_had_its_time or self._process.is_leaving",
        "return self._process.is_leaving",
        (Fault.BOT_SLOW, Fault.CROWD),
    ),
)

BELLS = (
    Mutant(
        "what has a bell in charge gets no other",
        "mailbox/arrival.py",
        "        if not journal.watch:\n            await self._ring()\n        owns",
        "        await self._ring()\n        owns",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "a bell that is not in charge does not ring again",
        "mailbox/bell.py",
        "if self._bell.pulse is None or is_in_charge:",
        "if True:",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "the sweep leaves what was written a short while ago",
        "mailbox/bell.py",
        "LOOK_S + POLL_S)",
        "0.0)",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "a bell rings itself again while the store is away",
        "mailbox/bell.py",
        "            if await self._ring_again(self._bell.pulse):\n                return\n",
        "",
        (Fault.STORE_OUTAGE, Fault.BOT_SLOW, Fault.KILL),
    ),
    Mutant(
        "an activity that kills its process is not run for ever",
        "mailbox/runner.py",
        "if entry.tries > TRIES:",
        "if False:",
        (Fault.BOT_KILLS,),
    ),
    Mutant(
        "a bell that may have come before what it was rung for is rung again",
        "mailbox/ringing.py",
        "if rung.token and loop_time_s() - rung.at_s > LOOK_S - LAG_S:",
        "if False:",
        (Fault.PAUSE, Fault.BOT_SLOW),
    ),
    Mutant(
        "a bell has nothing to do in a free conversation",
        "mailbox/bell.py",
        "while home is not None and not home.journal.is_free:",
        "while home is not None:",
        (Fault.BOT_SLOW,),
    ),
)

LEAVING = (
    Mutant(
        "what runs in a process that is told to leave is handed over",
        "mailbox/runs.py",
        "        if self._process.is_leaving:\n            raise BrokenOff\n",
        "",
        (Fault.LEAVES, Fault.BOT_SLOW),
    ),
    Mutant(
        "what is handed over has a bell of its own",
        "mailbox/runner.py",
        "            await self._ringer.ring_afterwards()\n",
        "            pass\n",
        (Fault.LEAVES, Fault.BOT_SLOW),
    ),
)

BESIDE_BEFORE = (
    Mutant(
        "who goes on with a turn of the version before has watched it for a lease",
        "mailbox/runner.py",
        "if is_left or self._process.watch.seconds(last.by) >= LEASE_S:",
        "if True:",
        (Fault.VERSION_BEFORE, Fault.CHANNEL_SLOW),
    ),
    Mutant(
        "the version before sees that an owner is alive",
        "mailbox/records.py",
        'return f"{self.by}.{self.beat}"',
        "return self.by",
        (Fault.VERSION_BEFORE, Fault.CHANNEL_SLOW),
    ),
    Mutant(
        "what the version before has run of the inbox is not run again",
        "mailbox/runner.py",
        "if self._owner.journal.attempt_at(entry.id) is not None:",
        "if False:",
        (Fault.VERSION_BEFORE, Fault.BOT_SLOW, Fault.REDELIVERED_AT_ONCE),
    ),
    Mutant(
        "a run is not committed over a state that it has not seen",
        "mailbox/runs.py",
        "if home.journal.stamp != base.journal.stamp or home.journal.last is not None:",
        "if home.journal.last is not None:",
        (Fault.VERSION_BEFORE, Fault.BOT_SLOW),
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
        "if loop_time_s() >= until_s:",
        "if False:",
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
        "a run that has lost its race is cancelled",
        "running.py",
        "        if not task.done():\n            task.cancel()\n",
        "",
        (Fault.BOT_SLOW,),
    ),
    Mutant(
        "a bot cannot end the process",
        "running.py",
        "except SystemExit as error:",
        "except KeyError as error:",
        (Fault.BOT_EXITS,),
    ),
)

MUTANTS = (
    *COMMITTING,
    *READING,
    *APPLYING,
    *DELIVERING,
    *OWNING,
    *ACCEPTING,
    *MAILBOX,
    *BELLS,
    *LEAVING,
    *BESIDE_BEFORE,
    *RUNNING,
)
