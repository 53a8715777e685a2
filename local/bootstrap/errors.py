"""What can go wrong on a developer's machine."""


class LocalError(Exception):
    """A command cannot go on; the message is one sentence that says what to do."""
