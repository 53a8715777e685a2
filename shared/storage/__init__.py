"""
What a bot's author needs of the storage: how to register the classes that state is made of, and
the storage of a turn where none is handed over.

Everything else here is the application's own. Nothing of Cosmos DB is loaded by this.
"""

from shared.storage.codec.sdk_types import sdk_state_types
from shared.storage.codec.state_types import Schema, foreign_type, state_type
from shared.storage.of_turn import storage_of

__all__ = ["Schema", "foreign_type", "sdk_state_types", "state_type", "storage_of"]
