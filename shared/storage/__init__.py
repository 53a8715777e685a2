"""
What a bot's author needs of the storage: how to register the classes that state is made of.

Everything else here is the application's own. Nothing of Cosmos DB is loaded by this.
"""

from shared.storage.codec.sdk_types import sdk_state_types
from shared.storage.codec.state_types import Schema, foreign_type, state_type

__all__ = ["Schema", "foreign_type", "sdk_state_types", "state_type"]
