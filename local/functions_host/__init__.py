"""The function app on this machine: a host of our own, or Core Tools where they are installed."""
