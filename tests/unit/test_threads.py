"""What blocks does so in threads of its own, whatever the bot does in the event loop's."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from botbuilder.schema import Activity

from shared.channel.connectors import ConnectorPool
from shared.channel.http import HttpPool
from shared.channel.tokens import TokenSource
from shared.threads import Threads


@pytest.fixture
async def channel() -> AsyncIterator[str]:
    """The URL, with a name that has to be looked up, of a channel that takes all replies."""

    async def take(_: web.Request) -> web.Response:
        return web.json_response({"id": "sent"})

    application = web.Application()
    application.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_reply_goes_out_while_the_bot_occupies_all_threads(
    busy_bot: None, channel: str
) -> None:
    """Its host is looked up and its token fetched all the same."""
    tokens = TokenSource(lambda _: AccessToken("token", 2**40))
    http = HttpPool()
    client = await ConnectorPool("app", "audience", tokens, http).create(channel)
    async with asyncio.timeout(10):
        sent = await client.conversations.send_to_conversation("c", Activity(text="hello"))
    await http.close()
    assert "sent" == sent.id


async def test_threads_are_few_and_have_a_name() -> None:
    """Whoever looks at a worker sees what they are for."""
    threads = Threads("purpose", 2)
    together = threading.Barrier(2)

    def who() -> str:
        together.wait(10)
        return threading.current_thread().name

    names = await asyncio.gather(*(threads.run(who) for _ in range(4)))
    assert {"purpose_0", "purpose_1"} == set(names)


def test_threads_serve_any_event_loop() -> None:
    """One after the other, and each gets its own answers."""
    threads = Threads("purpose", 1)
    assert [0, 1, 2] == [asyncio.run(threads.run(int, str(n))) for n in range(3)]


async def test_no_thread_begins_before_it_is_needed() -> None:
    """A cold start pays for none."""
    before = threading.active_count()
    Threads("purpose", 2)
    HttpPool()
    assert before == threading.active_count()
