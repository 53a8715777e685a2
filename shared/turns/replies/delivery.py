"""
Sending what a committed turn says, in order, through the turn context of the adapter.
"""

import asyncio
import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from botbuilder.core import BotAdapter, CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, DeliveryModes

from shared.sdk_json import to_plain_json
from shared.turns.clock import loop_time_s
from shared.turns.limits import (
    LAST_LOOK_S,
    MAX_ID_CHARACTERS,
    POLL_MAX_S,
    SAY_S,
    SEND_LIMIT_S,
    SEND_S,
)
from shared.turns.replies.failures import Outcome, failure_of
from shared.turns.replies.operations import Operation, Verb

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeliveryProgress:
    """How far the delivery of a turn has come."""

    sent: int
    """Operations that need not be done any more: done, or refused for good."""
    ids: dict[str, str] = field(default_factory=dict)
    """The channel's ids by the ids that the bot was given."""
    stuck: Outcome | None = None
    """Why the operation at `sent` failed. None: nothing did, or there was no time for it."""


class Lease(Protocol):
    """The right to deliver a turn's replies, for some seconds."""

    @property
    def left_s(self) -> float:
        """For how many more."""

    @property
    def renew_at_s(self) -> float:
        """When it should be renewed, by the event loop's clock."""

    async def renew(self, progress: DeliveryProgress) -> bool:
        """Take it again from now, and note how far the delivery is. False: it is lost."""


class Channel:
    """The real turn context, as the way out for operations of any turn."""

    def __init__(self, context: TurnContext) -> None:
        self._context = context

    async def deliver(
        self,
        operations: Sequence[Operation | None],
        progress: DeliveryProgress,
        lease: Lease,
        known_ids: dict[str, str],
    ) -> DeliveryProgress:
        """
        Do what is left to do, in order, while the lease can be renewed.

        Raises nothing. What cannot be read (None) is left out.
        """
        while progress.sent < len(operations):
            if lease.renew_at_s < loop_time_s() and not await lease.renew(progress):
                return progress
            next_one = operations[progress.sent]
            if next_one is None:
                progress = replace(progress, sent=progress.sent + 1)
                continue
            operation = _with_real_ids(next_one, {**known_ids, **progress.ids})
            try:
                if _changes_what_was_refused(operation, operations):
                    real_id = ""
                else:
                    real_id = await self._do_under(lease, progress, operation)
            except Exception as error:
                outcome = failure_of(error).outcome
                _logger.log(
                    logging.ERROR if outcome is Outcome.REFUSED else logging.WARNING,
                    "A reply did not reach the channel: %s (%s).",
                    outcome.value,
                    type(error).__name__,
                )
                if outcome is not Outcome.REFUSED:
                    return replace(progress, stuck=outcome)
                real_id = ""
            ids = {**progress.ids, operation.given_id: real_id} if real_id else progress.ids
            progress = DeliveryProgress(progress.sent + 1, ids)
        return progress

    async def answer(self, operations: list[Operation]) -> None:
        """Give the adapter what it is to put into the HTTP response."""
        delivery_mode = self._context.activity.delivery_mode
        for operation in operations:
            subject = operation.subject
            if delivery_mode == DeliveryModes.expect_replies:
                # It is put among the replies, where the SDK does not know what to do with it.
                subject = copy(subject)
                if isinstance(subject.value, InvokeResponse):
                    subject.value = to_plain_json(subject.value)
            await self._send(subject, delivery_mode)

    async def say(self, activity: Activity) -> None:
        """Send at once what belongs to no committed turn; if that fails, nothing is lost."""
        try:
            async with asyncio.timeout(SAY_S):
                await self._send(activity, self._context.activity.delivery_mode)
        except Exception as error:
            _logger.info("A %s was not sent (%s).", activity.type, type(error).__name__)

    async def _do_under(
        self, lease: Lease, progress: DeliveryProgress, operation: Operation
    ) -> str:
        """
        Do one operation, and renew the lease while it takes long.

        Raises:
            TimeoutError: it took longer than it may, or the lease is lost.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SEND_LIMIT_S
        keeping: asyncio.Task[None] | None = None

        async def keep() -> None:
            while loop.time() < until_s:
                # Until the lease is renewed, nothing may outlast it. But if the event loop was
                # blocked, this comes too late, and the answer is there already.
                limit.reschedule(loop.time() + max(lease.left_s, LAST_LOOK_S))
                if not await lease.renew(progress):
                    return
                limit.reschedule(None)
                await asyncio.sleep(lease.renew_at_s - loop.time())
            limit.reschedule(loop.time() + lease.left_s)

        def begin_to_keep() -> None:
            nonlocal keeping
            keeping = loop.create_task(keep())

        timer = loop.call_at(lease.renew_at_s, begin_to_keep)
        try:
            async with asyncio.timeout(None) as limit:
                return await self._do_repeatedly(operation, lease, until_s, limit)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something in the adapter was cancelled, and not this request.
            raise TimeoutError from error
        finally:
            timer.cancel()
            if keeping is not None:
                keeping.cancel()

    async def _do_repeatedly(
        self, operation: Operation, lease: Lease, until_s: float, limit: asyncio.Timeout
    ) -> str:
        """Do one operation within `limit`; repeat it only if it certainly has not happened."""
        pause_s = POLL_MAX_S
        while True:
            try:
                return await self._do(operation)
            except Exception as error:
                failure = failure_of(error)
                pause_s = max(failure.retry_after_s, pause_s * 2)
                too_late = loop_time_s() + pause_s > until_s - SEND_S
                if failure.outcome is not Outcome.NOT_SENT or too_late:
                    raise
                try:
                    await asyncio.sleep(pause_s)
                except asyncio.CancelledError:
                    if limit.expired():
                        # It had not been sent when the time was up, so there is no doubt about it.
                        raise error from None
                    raise
                if lease.left_s < LAST_LOOK_S:
                    raise

    async def _do(self, operation: Operation) -> str:
        if operation.verb is Verb.SEND:
            return await self._send(operation.subject)
        context = await self._as_if_for(operation.subject)
        if operation.verb is Verb.UPDATE:
            await context.update_activity(operation.subject)
        else:
            await context.delete_activity(operation.subject)
        return ""

    async def _send(self, activity: Activity, delivery_mode: str | None = None) -> str:
        is_plain = delivery_mode is None and not self._context._on_send_activities
        if is_plain and not self._is_elsewhere(activity):
            # What the turn context below would do, without two copies of a reply that is complete.
            activity.id = None
            responses = await self._context.adapter.send_activities(self._context, [activity])
            responded = activity.type != ActivityTypes.trace
        else:
            context = await self._as_if_for(activity)
            # With expectReplies the context would keep it for the response.
            context.activity.delivery_mode = delivery_mode
            responses = await context.send_activities([activity])
            # The adapter looks for these in the context that it made.
            self._context.buffered_reply_activities.extend(context.buffered_reply_activities)
            left = dict(context.turn_state)
            left.pop(BotAdapter.BOT_CONNECTOR_CLIENT_KEY, None)
            self._context.turn_state.update(left)
            responded = context.responded
        if responded:
            self._context.responded = True
        return _usable_id(responses[0].id) if responses and responses[0] else ""

    def _is_elsewhere(self, subject: Activity | ConversationReference) -> bool:
        """Whether it is for a conversation at another service, which the bot has continued."""
        here, there = self._context.activity, subject.conversation
        is_other = there is not None and there.id != here.conversation.id
        return is_other and subject.service_url != here.service_url

    async def _as_if_for(self, subject: Activity | ConversationReference) -> TurnContext:
        """
        A turn context of the activity that the operation answers.

        A turn context addresses what it sends to the sender of its own activity, but the
        next turn may be delivering the replies to somebody else's message.
        """
        context = TurnContext(self._context)
        context.turn_state.update(self._context.turn_state)
        trigger = copy(self._context.activity)
        if isinstance(subject, Activity):
            trigger.id = subject.reply_to_id
            trigger.from_property = subject.recipient
            trigger.recipient = subject.from_property
        trigger.conversation = subject.conversation
        trigger.channel_id = subject.channel_id
        trigger.service_url = subject.service_url
        trigger.locale = subject.locale
        context.activity = trigger
        connectors = context.turn_state.get(CloudAdapterBase.CONNECTOR_FACTORY_KEY)
        if connectors is not None and self._is_elsewhere(subject):
            audience = context.turn_state.get(BotAdapter.BOT_OAUTH_SCOPE_KEY)
            client = await connectors.create(subject.service_url, audience)
            context.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY] = client
        return context


def _usable_id(real_id: Any) -> str:
    """The id that the channel gave an activity, if it is one that can be stored and sent."""
    if not isinstance(real_id, str) or len(real_id) > MAX_ID_CHARACTERS:
        return ""
    return real_id if real_id.isprintable() else ""


def _with_real_ids(operation: Operation, ids: dict[str, str]) -> Operation:
    """The operation on the activity that the channel knows, not the one the bot was given."""
    subject = copy(operation.subject)
    if operation.verb is Verb.UPDATE:
        subject.id = ids.get(subject.id, subject.id)
    elif operation.verb is Verb.DELETE:
        subject.activity_id = ids.get(subject.activity_id, subject.activity_id)
    else:
        return operation
    return replace(operation, subject=subject)


def _changes_what_was_refused(operation: Operation, operations: Sequence[Operation | None]) -> bool:
    """Whether it would change an activity of this turn that was refused, and so has no real id."""
    if operation.verb is Verb.SEND:
        return False
    subject = operation.subject
    subject_id = subject.id if operation.verb is Verb.UPDATE else subject.activity_id
    return subject_id in {other.given_id for other in operations if other and other.given_id}
