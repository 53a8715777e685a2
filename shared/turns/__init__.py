"""
Atomic turns for an ordinary Bot Framework bot, however long they take.

`TransactionalBot` is all that the rest of the application knows, and what its ports carry;
`bot_in` makes one of a module such as `shared.bot`. A turn's own steps begin in `turn`, and who may
take them in `mailbox`; docs/adr/0001-atomic-turns.md and docs/adr/0003-mailbox.md say why it is as
it is.
"""

from shared.turns.apologies import Apologies
from shared.turns.bot_module import BotModule, bot_in
from shared.turns.chance import Chance
from shared.turns.mailbox.contexts import Accepted, Contexts
from shared.turns.transactional_bot import TransactionalBot

__all__ = [
    "Accepted",
    "Apologies",
    "BotModule",
    "Chance",
    "Contexts",
    "TransactionalBot",
    "bot_in",
]
