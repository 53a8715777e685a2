"""
The SDK's TeamsInfo, moved off the event loop.

Half of its coroutines call a client that blocks: each request to Teams would stop all turns of the
worker, for up to 100 s each time that it is tried.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from shared.channel.http_pool import REQUEST_TIMEOUT_S

BLOCKING = (
    "get_team_details",
    "get_team_channels",
    "get_meeting_participant",
    "get_meeting_info",
    "send_meeting_notification",
)
"""Those that call `TeamsOperations` of botframework.connector.teams."""


def free_the_event_loop() -> None:
    """Move what blocks into threads, once the bot has imported TeamsInfo: most bots never do."""
    module = sys.modules.get("botbuilder.core.teams.teams_info")
    teams_info = getattr(module, "TeamsInfo", None)
    if teams_info is None or hasattr(teams_info.get_team_details, "__wrapped__"):
        return
    for name in BLOCKING:
        setattr(teams_info, name, staticmethod(_in_a_thread(getattr(teams_info, name))))
    create = teams_info.get_teams_connector_client
    teams_info.get_teams_connector_client = staticmethod(_with_the_usual_time(create))


def _in_a_thread(blocking: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    @wraps(blocking)
    async def call(*arguments: Any, **options: Any) -> Any:
        # It awaits nothing that belongs to this event loop, so another one may run it.
        return await asyncio.to_thread(asyncio.run, blocking(*arguments, **options))

    return call


def _with_the_usual_time(create: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    @wraps(create)
    async def create_client(*arguments: Any) -> Any:
        client = await create(*arguments)
        client.config.connection.timeout = REQUEST_TIMEOUT_S
        return client

    return create_client
