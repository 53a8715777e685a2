"""
The SDK's storage in Cosmos DB, without the rest of its package.

`import botbuilder.azure` also loads the clients of blob and queue storage, a fifth of what this
app imports, and every cold start would wait for them. Code that needs those can still
import the package, and finds the same classes in it.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

_PACKAGE = "botbuilder.azure"

if TYPE_CHECKING or _PACKAGE in sys.modules:
    from botbuilder.azure import CosmosDbPartitionedConfig, CosmosDbPartitionedStorage
else:
    # For the moment of the import there is a package that knows its modules and has run nothing.
    sys.modules[_PACKAGE] = module_from_spec(find_spec(_PACKAGE))
    try:
        _module = import_module(f"{_PACKAGE}.cosmosdb_partitioned_storage")
    finally:
        del sys.modules[_PACKAGE]
    CosmosDbPartitionedConfig = _module.CosmosDbPartitionedConfig
    CosmosDbPartitionedStorage = _module.CosmosDbPartitionedStorage

__all__ = ["CosmosDbPartitionedConfig", "CosmosDbPartitionedStorage"]
