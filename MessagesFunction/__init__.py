"""POST /api/messages: the endpoint that the Bot Connector calls."""

import gc
import os

import azure.functions as func

from shared.stray_lines import keep_stray_lines

# Before the bot is imported, which may have something to say.
keep_stray_lines()

# What is loaded here stays as long as the worker. To look through it for garbage takes a fifth of
# the loading, and would stop all turns for 40 ms now and then.
gc.disable()
try:
    from shared.app import create_app
    from shared.settings import Settings

    # Now and not at the first message: an app with a missing setting does not start.
    _app = create_app(Settings.from_environ(os.environ))
finally:
    gc.freeze()
    gc.enable()


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Run one turn."""
    return await _app.handle(req)
