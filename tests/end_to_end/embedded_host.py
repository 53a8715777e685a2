"""
Serves a folder of functions over HTTP through the host of a developer's machine.

    python -m tests.end_to_end.embedded_host APP_FOLDER PORT [HIDDEN_S]

A queue's message is hidden for HIDDEN_S seconds once it has been received.
"""

import os
import signal
import sys
import time
from pathlib import Path

# The host shares modules with the app: those of the folder that it serves, not of this one.
sys.path.insert(0, sys.argv[1])

from local.functions_host.host_process import HostProcess
from local.functions_host.reload import WATCH_INTERVAL_S
from local.functions_host.triggers.options import TriggerOptions

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    folder, port, *hidden_s = sys.argv[1:]
    options = TriggerOptions(hidden_s=float(hidden_s[0])) if hidden_s else TriggerOptions()
    with HostProcess(Path(folder), port=int(port), triggers=options) as host:
        host.start(os.environ)
        while True:  # until it is killed
            time.sleep(WATCH_INTERVAL_S)
            host.revive()
