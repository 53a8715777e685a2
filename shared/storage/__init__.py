"""The SDK's Storage, in Cosmos DB and in memory, and how documents are written down."""
