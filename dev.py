#!/usr/bin/env python3
"""
Run the bot, chat with it, test it: `python3 dev.py --help`.

Written so that even an old Python can read it, and say that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (those who copy the template may have an older one)
    found = ".".join(str(part) for part in sys.version_info[:2])
    sys.exit(
        "This needs Python 3.11 or newer, but found Python " + found + ". Install a newer one "
        "(https://www.python.org/downloads/) and run: python3.12 dev.py"
    )

from local.__main__ import main

if __name__ == "__main__":
    sys.exit(main("bootstrap.commands", sys.argv[1:]))
