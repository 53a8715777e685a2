"""Once a minute: conversations that no process looks after get a bell."""

import azure.functions as func

from shared.worker import app


async def main(timer: func.TimerRequest) -> None:
    """Ring for each conversation with something unfinished that no bell may know of."""
    await app.sweep()
