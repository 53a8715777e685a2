"""What is written for a bot whose folders stand at the root, as in Microsoft's samples."""

from botbuilder.core import Bot, Storage

STATE_TYPES: tuple[type, ...] = ()


def create_bot(storage: Storage) -> Bot:
    """Make the bot that the folder `bots` has."""
    from bots import MenuBot  # type: ignore[import-not-found]  # it is there where it is deployed

    made: Bot = MenuBot()
    return made
