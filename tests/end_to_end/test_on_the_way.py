"""What hosts, and whatever stands before them, change on the way to the bot and back."""

import json
from typing import Any

import pytest

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.instances import Instance
from tests.hosts.contract import Line
from tests.hosts.wire import send

JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/messages?a=1&a=2&A=3&b=&code", (JSON,)),
        ("/api/messages/", (JSON,)),
        ("/API/Messages", (JSON,)),
        ("/api/./x/../messages", (JSON,)),
        ("/api/messages", (JSON, ("X-Many", "1"), ("X-Many", "2"), ("X-Empty", ""))),
        ("/api/messages", (JSON, ("Cookie", "a=1"), ("Cookie", "b=2"))),
        ("/api/messages", (JSON, ("traceparent", "00-no-trace-01"), ("tracestate", "x"))),
        ("/api/messages", (("content-TYPE", "application/json;charset=UTF-8"),)),
        ("/api/messages", (JSON, ("X-MS-CLIENT-PRINCIPAL", "bm8="), ("X-Forwarded-For", "::1"))),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1][0],
)
async def test_the_bot_relies_on_nothing_that_hosts_change(
    bot: Instance, channel: FakeChannel, path: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """Paths, queries, cookies, traces and repeated headers make no difference to a message."""
    activity = channel.activity("message", "ada", "c1", text="hello", deliveryMode="expectReplies")
    line = _post(path, headers, json.dumps(activity))

    answer = send(bot.origin, line)

    assert 200 == answer.status
    assert "Somebody said: hello" == json.loads(answer.body)["activities"][0]["text"]


async def test_a_message_in_chunks_is_asked_for_with_its_length(
    bot: Instance, channel: FakeChannel
) -> None:
    """No host hands it over, and so its sender learns how to send it, and the operator of it."""
    before = bot.printed().count("Transfer-Encoding: chunked")
    body = json.dumps(channel.activity("message", "ada", "c1", text="hello"))
    answers = [send(bot.origin, _post("/api/messages", (JSON,), body, chunked=True))] * 2

    assert [411, 411] == [answer.status for answer in answers]
    assert "Content-Length" in answers[0].body.decode()
    assert bot.printed().count("Transfer-Encoding: chunked") <= before + 1


def _post(path: str, headers: tuple[tuple[str, str], ...], body: str, **more: Any) -> Line:
    return Line(0, "", "", {}, {}, path=path, method="POST", headers=headers, body=body, **more)
