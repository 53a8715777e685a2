"""The log of the embedded host: one readable line for each event, on the console."""

import logging
import sys

from local.bootstrap.console import Console
from shared.log_hygiene import escape_logs, quiet_libraries


class _Formatter(logging.Formatter):
    """The time, then the message; warnings and errors in colour."""

    def __init__(self, console: Console) -> None:
        super().__init__("%(message)s", "%H:%M:%S")
        self._console = console

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.levelno >= logging.ERROR:
            text = self._console.red(text)
        elif record.levelno >= logging.WARNING:
            text = self._console.yellow(text)
        return f"{self._console.dim(self.formatTime(record, self.datefmt))} {text}"


def configure_logging(*, quiet: bool) -> None:
    """Log as Azure's Python worker does, from INFO on; errors only if `quiet`."""
    escape_logs()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter(Console(sys.stdout)))
    logging.basicConfig(handlers=[handler], level=logging.ERROR if quiet else logging.INFO)
    quiet_libraries()
