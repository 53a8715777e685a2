"""
What a conversation's home document says of its mailbox.
"""

from shared.turns.state.records import Count, Record


class Entry(Record, frozen=True):
    """An accepted activity that has not taken effect yet."""

    id: str
    """The turn's, as in `TurnIdentity`."""
    activity: str
    """As it came: a JSON text, opaque to the codec."""
    service_url: str = ""
    audience: str = ""
    """The OAuth scope of its sender. Empty: the channel itself."""
    waits: bool = False
    """Its answer is the HTTP response. Once nobody waits for that, the entry is dropped."""
    tries: Count = 0
    """Runs that were begun. One that kills its process three times is not begun again."""
    failed: Count = 0
    """How often it was put off because the store did not give a document that it needs."""
    needs: str = ""
    """That document's key."""
    at_s: float = 0.0
    """When it was accepted, by that instance's clock. Nothing is decided by it."""


class Running(Record, frozen=True):
    """The only owner of a conversation: nobody else runs, says or settles anything in it."""

    by: str
    """The ownership's own token."""
    beat: Count = 1
    """Counts the owner's signs of life. A bell that sees no change for long enough takes over."""

    @property
    def pulse(self) -> tuple[str, int]:
        """What an observer compares."""
        return self.by, self.beat

    @property
    def name(self) -> str:
        """
        What `TurnRecord.by` says while this owner has the turn.

        Earlier versions of the app know no other owner than that, and measure for how long they
        see the same name: so each sign of life has another.
        """
        return f"{self.by}.{self.beat}"
