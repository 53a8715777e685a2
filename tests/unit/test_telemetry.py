"""The log tells what happened and where, and not what users said."""

import logging

from shared import telemetry


def fail(text: str) -> None:
    try:
        raise ValueError(f"cannot parse {text}")
    except ValueError as error:
        raise RuntimeError(f"no turn for {text}") from error


def description(text: str) -> str:
    try:
        fail(text)
    except RuntimeError as error:
        return telemetry.describe(error)
    return ""


def test_an_error_is_told_by_kind_and_place() -> None:
    """An operator sees which error was raised where, and what caused it."""
    lines = description("marked").splitlines()

    assert "builtins.ValueError" == lines[0]
    assert "builtins.RuntimeError" in lines
    assert "which led to" in lines
    assert any("in fail" in line for line in lines)


def test_an_error_is_not_quoted() -> None:
    """What an error says may be what a user wrote, so it stays out."""
    assert "marked" not in description("marked")


def test_libraries_report_only_warnings() -> None:
    """azure-core's line for each request to the store is off, whatever the root logger shows."""
    logging.getLogger("azure.core").setLevel(logging.NOTSET)
    telemetry.quiet_libraries()

    assert not logging.getLogger("azure.core.pipeline").isEnabledFor(logging.INFO)
    assert logging.getLogger("azure.cosmos").isEnabledFor(logging.WARNING)
