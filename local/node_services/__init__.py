"""Programs from npm: a Cosmos DB server, Azurite, and the page to chat with the bot."""
