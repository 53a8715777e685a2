"""
The application of this worker, for its functions; to import it is to build it.
"""

import gc
import os
import signal
import threading
import time
from types import FrameType

from shared.stray_lines import keep_stray_lines

# Before the bot is imported, which may have something to say.
keep_stray_lines()

# What is loaded here stays as long as the worker. To look through it for garbage takes a fifth of
# the loading, and would stop all turns for 40 ms now and then.
gc.disable()
try:
    from shared.app import get_app

    # Now and not at the first message: an app with a missing setting does not start.
    app = get_app()
finally:
    gc.freeze()
    gc.enable()

LEAVING_S = 5.0
"""For how long a worker that is asked to end may hand over what it runs."""

_POLL_S = 0.05


def _leave_on_sigterm() -> None:
    """Hand over what runs here when the worker is asked to end, and only then let it end."""
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        until_s = time.monotonic() + LEAVING_S
        while app.is_busy and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        if callable(before):
            before(number, frame)
        else:
            os.kill(os.getpid(), number)

    def leave(number: int, frame: FrameType | None) -> None:
        app.leave()
        if not callable(before):
            signal.signal(number, before if before is not None else signal.SIG_DFL)
        threading.Thread(target=end, args=(number, frame), daemon=True).start()

    signal.signal(signal.SIGTERM, leave)


# Elsewhere Python hears no signals.
if threading.current_thread() is threading.main_thread():
    _leave_on_sigterm()
