"""POST /api/messages: the endpoint that the Bot Connector calls."""

import azure.functions as func

from shared.worker import app


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Run one turn, or accept its activity for later."""
    return await app.handle(req)
