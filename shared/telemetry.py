"""What the app says about itself, and what it does not."""

import logging

_VERBOSE_LIBRARIES = ("azure", "msal", "urllib3")


def quiet_libraries() -> None:
    """
    Let libraries report only warnings.

    The Functions worker sets the root logger to INFO, at which azure-core writes every request
    to the store with its headers: CPU in each turn, and telemetry that is paid for by the byte.
    """
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
