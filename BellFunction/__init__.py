"""A message in the queue of bells: a conversation has to be looked after."""

import azure.functions as func

from shared.worker import app


async def main(bell: func.QueueMessage) -> None:
    """Finish and run what the conversation has accepted, if no other process does."""
    await app.hear(bell)
