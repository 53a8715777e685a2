"""POST /api/messages: the endpoint that the Bot Connector calls."""

import os

import azure.functions as func

from shared.app import create_app
from shared.settings import Settings

# While the worker loads, not at the first message: an app with a missing setting does not start.
_app = create_app(Settings.from_environ(os.environ))


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Run one turn."""
    return await _app.handle(req)
