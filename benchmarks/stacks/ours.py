"""This template, as it is deployed."""

from MessagesFunction import main

__all__ = ["main"]
