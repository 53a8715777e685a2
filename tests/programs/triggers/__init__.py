"""Functions that a queue or a timer starts, on the embedded host and an emulator of Storage."""
