"""
A channel in memory: it delivers what users say to a bot, and takes what the bot replies.

Towards the bot it is a Bot Connector on a free port of this machine; towards a test it
is a few verbs: `joins`, `says`, `asks`, `hears`, and `replies`. It can be told to treat the bot's
requests as badly as a real one does at times.
"""

import asyncio
import json
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from tests.end_to_end.treatment import WELL, Treatment

Activity = dict[str, Any]

BOT = {"id": "bot", "name": "Bot"}
ANSWER_TIMEOUT_S = 60.0
"""Far beyond any answer: a bot that hangs fails the test that waits for it."""

PATIENCE_S = 240.0
"""Until a reply has come: some bells later, on a machine that is busy with other things."""

LINGER_S = 1.0
"""For which a user who has heard all of it stays, to hear what should not come."""

_POLL_S = 0.05


@dataclass(frozen=True)
class Request:
    """One request of the bot, whatever became of it."""

    method: str
    conversation: str
    activity_id: str
    """The activity that is replied to, updated or deleted; empty where none is named."""
    activity: Activity
    """Empty for a DELETE."""
    treatment: Treatment


@dataclass(frozen=True)
class Answer:
    """The bot's HTTP answer to one activity."""

    status: int | None
    """None: the bot gave no answer, for example because it was killed."""
    body: bytes = b""


class FakeChannel:
    """
    One channel with any number of users and conversations.

    Use it as an asynchronous context manager, and set `bot_url` before anyone speaks.
    """

    def __init__(self, bot_url: str = "", *, channel_id: str = "test") -> None:
        self.bot_url = bot_url
        self.channel_id = channel_id
        self.requests: list[Request] = []
        """Everything the bot sent, in the order of arrival."""
        self.connections: set[object] = set()
        """The other ends of all that the bot ever opened."""
        self.bot_tokens: set[str] = set()
        """What the bot showed as its token."""
        self.token = ""
        """Shown to the bot; empty: none."""
        self.usual_treatment = WELL
        self._next_treatments: dict[str, deque[Treatment]] = defaultdict(deque)
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            # A connection kept from before would hide that an instance has died.
            connector=TCPConnector(force_close=True, limit=0),
            timeout=ClientTimeout(total=ANSWER_TIMEOUT_S),
        )
        server = web.Application()
        activities = "/v3/conversations/{conversation}/activities"
        server.router.add_post(activities, self._take)
        for method in ("POST", "PUT", "DELETE"):
            server.router.add_route(method, activities + "/{activity_id}", self._take)
        self._add_routes(server.router)
        # 0 would be for ever, and some answers are never given.
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.service_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve what a channel has beside activities; this one has nothing."""

    # What users do.

    async def joins(self, user: str, conversation: str = "c1", *, to: str = "") -> int | None:
        """Add the user, as the channel does with the bot itself, and return the HTTP status."""
        members = [{"id": user, "name": user.title()}, BOT]
        activity = self.activity("conversationUpdate", user, conversation, membersAdded=members)
        return (await self.posts(activity, to=to)).status

    async def says(
        self,
        text: str,
        *,
        user: str = "ada",
        conversation: str = "c1",
        activity_id: str = "",
        to: str = "",
        **fields: Any,
    ) -> int | None:
        """
        Deliver a message and return the bot's HTTP status, None if it gave no answer.

        The same `activity_id` again is a redelivery; `to` speaks to another instance of
        the bot; `fields` are further fields of the activity.
        """
        if activity_id:
            fields["id"] = activity_id
        activity = self.activity("message", user, conversation, text=text, **fields)
        return (await self.posts(activity, to=to)).status

    async def asks(self, text: str, *, user: str = "ada", conversation: str = "c1") -> Answer:
        """Deliver a message whose replies are to be the body of the HTTP answer."""
        mode = {"deliveryMode": "expectReplies"}
        return await self.posts(self.activity("message", user, conversation, text=text, **mode))

    async def posts(self, activity: Activity | bytes, *, to: str = "") -> Answer:
        """Deliver any activity, or anything at all in the place of one."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            async with self._session.post(
                to or self.bot_url, data=body, headers=headers
            ) as response:
                return Answer(response.status, await response.read())
        except ClientError:
            return Answer(None)

    def activity(self, type_: str, user: str, conversation: str, **fields: Any) -> Activity:
        """Make an activity as the channel would send it; its id is new unless given."""
        return {
            "type": type_,
            "id": f"a{next(self._numbers)}",
            "timestamp": datetime.now(UTC).isoformat(),
            "channelId": self.channel_id,
            "serviceUrl": self.service_url,
            "from": {"id": user, "name": user.title()},
            "conversation": {"id": conversation},
            "recipient": BOT,
            **fields,
        }

    # What users see, and how the bot is treated.

    def replies(self, conversation: str = "c1") -> list[str]:
        """Return the texts of the messages that arrived in the conversation; "" without one."""
        return [
            request.activity.get("text", "")
            for request in self.requests
            if request.conversation == conversation
            and request.method == "POST"
            and request.treatment.accepted
            and request.activity["type"] == "message"
        ]

    async def hears(self, part: str, conversation: str = "c1") -> list[str]:
        """
        Wait until a reply with this in it has arrived; return all that have.

        One that does not come is missing in what is returned. What is answered with 200 may be
        replied to later, by another instance.
        """
        for _ in range(round(PATIENCE_S / _POLL_S)):
            if any(part in one for one in self.replies(conversation)):
                await asyncio.sleep(LINGER_S)
                break
            await asyncio.sleep(_POLL_S)
        return self.replies(conversation)

    def treats_next(self, *treatments: Treatment, conversation: str = "c1") -> None:
        """Treat the conversation's next requests like this, and those after them as usual."""
        self._next_treatments[conversation].extend(treatments)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        if "Authorization" in request.headers:
            self.bot_tokens.add(request.headers["Authorization"])
        activity: Activity = await request.json() if request.can_read_body else {}
        conversation = request.match_info["conversation"]
        treatments = self._next_treatments[conversation]
        treatment = treatments.popleft() if treatments else self.usual_treatment
        self.requests.append(
            Request(
                request.method,
                conversation,
                request.match_info.get("activity_id", ""),
                activity,
                treatment,
            )
        )
        if treatment.delay_s:
            await asyncio.sleep(treatment.delay_s)
        if treatment.status is None:
            request.transport.abort()
            return web.Response()
        headers = {}
        if treatment.retry_after_s is not None:
            headers["Retry-After"] = str(treatment.retry_after_s)
        if treatment.status >= 400:
            error = {"error": {"code": "Refused", "message": "Refused by the fake channel."}}
            return web.json_response(error, status=treatment.status, headers=headers)
        reply_id = {"id": f"r{next(self._numbers)}"}
        return web.json_response(reply_id, status=treatment.status, headers=headers)
