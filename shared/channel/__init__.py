"""HTTP requests into activities and turns, replies out to the Bot Connector."""
