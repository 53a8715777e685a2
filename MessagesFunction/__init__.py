"""POST /api/messages: the endpoint that the Bot Connector calls."""

import gc

import azure.functions as func

# What is loaded here stays as long as the worker. To look through it for garbage takes a fifth of
# the loading, and would stop all turns for 40 ms now and then.
gc.disable()
try:
    from shared.app import get_app

    # Now and not at the first message: an app with a missing setting does not start.
    _app = get_app()
finally:
    gc.freeze()
    gc.enable()


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Run one turn."""
    return await _app.handle(req)
