"""A message in the queue of bells: somebody is to look after a conversation."""

import azure.functions as func

from shared.worker import app


async def main(bell: func.QueueMessage) -> None:
    """Finish and run what the conversation has accepted, if nobody else does."""
    await app.hear(bell)
