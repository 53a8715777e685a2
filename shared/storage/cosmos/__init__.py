"""State in Cosmos DB."""
