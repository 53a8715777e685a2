"""Tracebacks for someone who is looking for a fault in the app."""

import importlib
import traceback
from pathlib import Path

from shared.log_hygiene import Lines

_HOST = Path(__file__).parent
_IMPORT_SYSTEM = Path(importlib.__file__).parent


def own_traceback(error: BaseException) -> Lines:
    """Format the traceback without the frames of the host and of the import system."""
    report = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in report.stack if _is_the_apps(frame.filename)]
    if not frames:
        return Lines("".join(report.format_exception_only()).rstrip())
    report.stack = traceback.StackSummary.from_list(frames)
    return Lines("".join(report.format()).rstrip())


def _is_the_apps(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return False
    path = Path(filename)
    return not path.is_relative_to(_HOST) and path.parent != _IMPORT_SYSTEM
