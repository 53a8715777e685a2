"""In what functions that no request starts may be run otherwise than by the Functions host."""

from dataclasses import dataclass

HIDDEN_S = 600.0
"""For which the Functions host hides a message that it has received."""

TIMER_LEASE_S = 60
"""For which a host holds the right to run a timer; it renews it when half of that is over."""

STOPPED_EXIT_CODE = 86
"""Of a process that has ended where the Functions host would have stopped, not only a worker."""


@dataclass(frozen=True)
class TriggerOptions:
    """Unless told otherwise, as the Functions host does, except that HTTP always goes on."""

    hidden_s: float = HIDDEN_S
    """For how long a received message is hidden: until then it waits if the host dies."""
    ends_process: bool = False
    """Whether what stops the Functions host ends the process, instead of the listener alone."""
    timer_lease_s: int = TIMER_LEASE_S
    """From 15 to 60. A timer whose host has died waits so long for the next one, or twice."""
    resting: frozenset[str] = frozenset()
    """Functions that have nothing to do here. They are left out without a word."""
