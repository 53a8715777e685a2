"""
Bots that the tests bring along, so that none depends on what is in shared/bot.

Each is a module that may be deployed in its place.
"""
