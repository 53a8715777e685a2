"""
Atomic turns for an ordinary Bot Framework bot.

`TransactionalBot(create_bot, storage)` is all that the rest of the application knows, and
`bot_in(module, storage)`, which makes one of a module such as `shared.bot`.
The protocol begins in `turn`; docs/adr/0001-atomic-turns.md says why it is as it is.
"""

from shared.turns.apologies import Apologies
from shared.turns.bot_module import BotModule, bot_in
from shared.turns.chance import Chance
from shared.turns.transactional_bot import TransactionalBot

__all__ = ["Apologies", "BotModule", "Chance", "TransactionalBot", "bot_in"]
