"""Chatting with the running bot in a terminal."""
