"""
The request that brings an activity, and waits for its answer.
"""

import asyncio
import logging

from botbuilder.core import TurnContext
from botbuilder.schema import ActivityTypes, DeliveryModes

from shared import log_hygiene
from shared.errors import BotApplicationError, TurnDeadlineExceeded
from shared.turns.clock import loop_time_s
from shared.turns.identity import TurnIdentity
from shared.turns.limits import ANSWER_S, WAITING_S
from shared.turns.mailbox.records import Entry
from shared.turns.pipeline import LOGIC_KEY
from shared.turns.process import Process
from shared.turns.replies.reference import activity_text
from shared.turns.state.journal import Journal, digest
from shared.turns.turn import audience_of

_logger = logging.getLogger(__name__)


class Caller:
    """One request, from its arrival to its answer."""

    def __init__(self, identity: TurnIdentity, context: TurnContext, process: Process) -> None:
        activity = context.activity
        self.context = context
        self.turn_id = identity.turn_id or process.chance.token()
        self.former_id = identity.former_id
        self.brings_logic = LOGIC_KEY in context.turn_state
        """Something runs instead of the bot, which cannot be stored."""
        self.waits = (
            self.brings_logic
            or activity.type == ActivityTypes.invoke
            or activity.delivery_mode == DeliveryModes.expect_replies
        )
        """The answer is what the response carries, and is waited for."""
        self.arrived_s = loop_time_s()
        self.deadline_s = self.arrived_s + (WAITING_S if self.waits else ANSWER_S)
        self.is_kept = False
        """The activity is stored, and takes effect whatever becomes of this process."""
        self.may_be_kept = False
        """A write that contains the activity has begun."""
        self._home_key = identity.home_key
        self._process = process
        self._is_in_line = False
        self._answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # The line of requests in this process

    async def enter_line(self) -> None:
        """
        Wait for those who came before, one of whom may have the activity accepted with theirs.

        The request at the head of the line stays there.

        Raises:
            TurnDeadlineExceeded: they took too long, or there are too many.
        """
        if not self._is_in_line:
            await self._process.lines.enter(self._home_key, self)
            self._is_in_line = True

    def leave_line(self) -> None:
        """Let the next one come."""
        if self._is_in_line:
            self._is_in_line = False
            self._process.lines.leave(self._home_key)

    # The activity

    def entry(self, now_s: float) -> Entry:
        """The activity as it is accepted for later."""
        activity = self.context.activity
        return Entry(
            id=self.turn_id,
            activity=activity_text(activity),
            service_url=activity.service_url or "",
            audience=audience_of(self.context),
            waits=self.waits,
            at_s=now_s,
        )

    def can_be_accepted_into(self, journal: Journal) -> bool:
        """Whether the activity can be put behind others, for somebody to run it later."""
        is_done = self.attempt_in(journal) is not None
        return not (self.waits or self.is_kept or self.is_over or is_done)

    def attempt_in(self, journal: Journal) -> str | None:
        """The attempt that has committed the activity."""
        return journal.attempt_at(self.turn_id, self.former_id)

    def may_hear_more(self, journal: Journal) -> bool:
        """Whether the answer may still come to mention a change that could not be kept."""
        last = journal.last
        is_unfinished = last is not None and last.id == self.turn_id and bool(last.writes)
        is_all = self.context.activity.delivery_mode == DeliveryModes.expect_replies
        return is_all and is_unfinished

    # The answer

    @property
    def is_over(self) -> bool:
        """Nobody waits any more. What has not been begun is not begun."""
        return loop_time_s() >= self.deadline_s

    @property
    def is_answered(self) -> bool:
        return self._answered.done()

    @property
    def is_waiting(self) -> bool:
        """Somebody would hear an answer."""
        return not (self.is_over or self.is_answered)

    def keep(self) -> None:
        """The activity is accepted: others may come, and 200 is right from now on."""
        self.is_kept = self.may_be_kept = True
        self.leave_line()

    def have_committed(self) -> None:
        """The turn happens now, whatever becomes of this process."""
        self.is_kept = True
        self._let_others_come()
        if self.brings_logic:
            # Logic has been run to its end, and there is no answer to wait for.
            self.waits = False

    def answer(self) -> None:
        """All of it has happened, or will: the request can be answered."""
        if not self._answered.done():
            self._answered.set_result(None)
        self._let_others_come()

    def _let_others_come(self) -> None:
        """An answered request may be at work for long: on its turn, and on those behind it."""
        if self.is_kept and self.is_answered:
            self.leave_line()

    def fail(self, error: Exception) -> None:
        """The turn has come to nothing, and whoever waits for it is told so."""
        if not self._answered.done():
            self._answered.set_exception(error)

    async def wait(self, work: "asyncio.Task[None]") -> None:
        """
        Wait until the request can be answered with success. `work` may go on after that.

        Raises:
            TurnDeadlineExceeded: it cannot be, in time.
        """
        work.add_done_callback(self._ended)
        timer = asyncio.get_running_loop().call_at(self.deadline_s, self._time_is_up)
        try:
            await self._answered
        except asyncio.CancelledError:
            if not self.may_be_kept:
                work.cancel()
            elif self.waits:
                # What runs ends at its next look, as if the time were up.
                self.deadline_s = loop_time_s()
            self._let_others_come()
            raise
        finally:
            timer.cancel()

    def _time_is_up(self) -> None:
        if self.is_kept and not self.waits:
            self.answer()
        else:
            error = "The turn found no place in time; deliver the activity again."
            self.fail(TurnDeadlineExceeded(error))

    def _ended(self, work: "asyncio.Task[None]") -> None:
        error = None if work.cancelled() else work.exception()
        if not self._answered.done():
            if work.cancelled():
                self._answered.cancel()
            elif error is not None:
                self._answered.set_exception(error)
            else:
                self._answered.set_result(None)
            return
        if error is not None and not isinstance(error, TurnDeadlineExceeded):
            ours = isinstance(error, BotApplicationError)
            reason = str(error) if ours else log_hygiene.trace_without_messages(error)
            _logger.error("A turn failed after its request was answered: %s", reason)
        took_s = loop_time_s() - self.arrived_s
        if took_s > ANSWER_S:
            _logger.info("turn.outlived turn=%s took_s=%.0f", digest(self.turn_id), took_s)
