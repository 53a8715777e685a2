"""What the app says about itself, and what it does not."""

import logging
import traceback

_VERBOSE_LIBRARIES = ("azure", "msal", "urllib3")


def quiet_libraries() -> None:
    """
    Let libraries report only warnings.

    The Functions worker sets the root logger to INFO, at which azure-core writes every request
    to the store with its headers: CPU in each turn, and telemetry that is paid for by the byte.
    """
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def describe(error: BaseException) -> str:
    """
    Tell the kinds of an error and of its causes, and where they were raised, in several lines.

    Not what they say: a bot's errors quote what users wrote.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{describe(cause)}which led to\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{type(error).__module__}.{type(error).__qualname__}\n{frames}"
