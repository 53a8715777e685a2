"""
What users say to a bot one after the other, and what becomes of it.

Two hosts serve a bot equally if its transcripts are equal: what the bot says, updates and deletes,
what it asks its channel and the token service for, and how its requests are answered.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.end_to_end.channel import Answer, Request
from tests.end_to_end.comparison.services import INSPECTOR, Services

Line = str | Mapping[str, Any]
"""What a user sends: the text of a message, or the fields of another activity, as in its JSON."""

LAST_REPLY = "$last reply"
"""Stands for the id of what the bot sent last."""

LAST_VALUE = "$last value"
"""Stands for the value of what the bot sent last that has one, which is text."""

SERVICE = "$service"
"""Stands for the address of the channel."""

PASSING = ("id", "timestamp", "localTimestamp", "callerId")
"""Fields of a reply that whoever sends it fills in, as it likes."""


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Exchange:
    """What came of one activity."""

    line: Line
    answer: Any
    """The body of the answer and its status, where there is one to compare."""
    said: list[list[Any]] = field(default_factory=list)
    """Method, conversation, activity that it is about, activity."""
    shown: list[list[Any]] = field(default_factory=list)
    """The same, in a conversation of an inspector's."""
    asked: list[Any] = field(default_factory=list)
    """What it asked its channel and the token service for."""


class Player:
    """
    One user's part in a conversation with one bot.

    Nobody else may speak through the same services while a line is said.
    """

    def __init__(self, services: Services, conversation: str, script: Sequence[Line]) -> None:
        self._services = services
        self._conversation = conversation
        self._script = script
        self._given_ids: list[str] = []
        self._last: dict[str, Any] = {}
        self.transcript: list[Exchange] = []

    @property
    def is_over(self) -> bool:
        """Whether the whole script was said."""
        return len(self.transcript) == len(self._script)

    async def say_next(self, to: str) -> None:
        """Send the next line to the bot at this URL, unless there is none."""
        if not self.is_over:
            line = self._script[len(self.transcript)]
            self._last = self._activity(line)
            self.transcript.append(await self._send(line, to))

    async def repeat(self, to: str) -> Exchange:
        """Deliver the last line once more, as a channel does that has heard no answer."""
        return await self._send(self.transcript[-1].line, to)

    async def _send(self, line: Line, to: str) -> Exchange:
        services = self._services
        said, asked, given = (
            len(seen) for seen in (services.requests, services.questions, services.given_ids)
        )
        answer = await services.posts(self._last, to=to)
        self._given_ids += services.given_ids[given:]
        requests = services.requests[said:]
        return Exchange(
            line,
            self._shown_answer(line, answer),
            [self._shown(one) for one in requests if not _is_shown(one)],
            [self._shown(one) for one in requests if _is_shown(one)],
            [self._plain(asdict(question)) for question in services.questions[asked:]],
        )

    def _activity(self, line: Line) -> dict[str, Any]:
        fields = {"type": "message", "text": line} if isinstance(line, str) else dict(line)
        last_reply = self._given_ids[-1] if self._given_ids else ""
        text = json.dumps(fields).replace(LAST_REPLY, last_reply)
        text = text.replace(SERVICE, self._service)
        if LAST_VALUE in text:
            text = text.replace(LAST_VALUE, self._last_value())
        activity = self._services.activity(
            fields["type"], f"{self._conversation}-ada", self._conversation
        )
        number = len(self.transcript)
        own: dict[str, Any] = {"id": f"{self._conversation}-{number}"} | json.loads(text)
        return activity | own

    def _last_value(self) -> str:
        values = [request.activity.get("value") for request in self._services.requests]
        return next(value for value in reversed(values) if isinstance(value, str))

    @property
    def _service(self) -> str:
        return self._services.service_url.rstrip("/")

    def _shown_answer(self, line: Line, answer: Answer) -> Any:
        # Two hosts that fail alike would say nothing. 501 is for an invoke that nobody knows.
        assert answer.status != 500, line
        if isinstance(line, str) or line["type"] != "invoke":
            # 201 by the stock SDK, 200 here: to the channel it is the same.
            return answer.status in (200, 201)
        # The stock SDK writes "null" where there is no body.
        body = json.loads(answer.body) if answer.body else None
        return [answer.status, self._plain(body)]

    def _shown(self, request: Request) -> list[Any]:
        activity = {k: v for k, v in request.activity.items() if k not in PASSING}
        if _is_shown(request):
            activity = _without_times(activity)
        shown = [request.method, request.conversation, request.activity_id, activity]
        return [self._plain(part) for part in shown]

    def _plain(self, value: Any) -> Any:
        """Put what differs from run to run in words that do not."""
        text = json.dumps(value).replace(self._service, SERVICE)
        for number, given in enumerate(self._given_ids):
            text = re.sub(rf"\b{given}\b", f"reply {number}", text)
        # The SDK makes one up for a proactive turn.
        text = _UUID.sub("a new id", text)
        return json.loads(text)


def _is_shown(request: Request) -> bool:
    return request.conversation.endswith(INSPECTOR)


def _without_times(value: Any) -> Any:
    """What an inspector is shown, without what tells one run from another."""
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    if isinstance(value, dict):
        left_out = ("timestamp", "e_tag")
        return {k: _without_times(v) for k, v in value.items() if k not in left_out}
    return value
