"""
Serves a folder of functions over HTTP through the host of a developer's machine.

    python -m tests.end_to_end.embedded_host APP_FOLDER PORT
"""

import os
import sys
import threading
from pathlib import Path

# The host shares modules with the app: those of the folder that it serves, not of this one.
sys.path.insert(0, sys.argv[1])

from local.functions_host.host_process import HostProcess

if __name__ == "__main__":
    with HostProcess(Path(sys.argv[1]), port=int(sys.argv[2])) as host:
        host.start(os.environ)
        threading.Event().wait()  # until it is killed
