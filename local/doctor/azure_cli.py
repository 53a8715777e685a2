"""
Azure's REST API through the `az` CLI, which is signed in already. Standard library only.

Reads only. `az rest` is used throughout: its answers are those that the REST API documents,
where those of the other commands differ between versions of the CLI.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Protocol

from local.bootstrap.errors import LocalError

TIMEOUT_S = 60


class Azure(Protocol):
    """What is asked of Azure."""

    def subscription_id(self) -> str: ...

    def get(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> Any: ...

    def post(self, path: str, api_version: str, body: object = None) -> Any: ...


class AzureCliError(LocalError):
    """`az` could not answer."""


class AzureCli:
    """The `az` command."""

    def __init__(self, program: str) -> None:
        self._program = program

    @classmethod
    def on_path(cls) -> "AzureCli":
        """
        Find `az`.

        Raises:
            AzureCliError: it is not installed.
        """
        program = shutil.which("az")
        if program is None:
            raise AzureCliError(
                "The Azure CLI is not on the PATH; install it from https://aka.ms/azure-cli "
                "and sign in with `az login`."
            )
        return cls(program)

    def subscription_id(self) -> str:
        """The subscription that `az` works in unless told otherwise."""
        account = self._run("account", "show")
        return str(account["id"])

    def get(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> Any:
        """The resource, or list of resources, at a path below the resource manager."""
        return self._rest("get", path, {"api-version": api_version, **(query or {})})

    def post(self, path: str, api_version: str, body: object = None) -> Any:
        """What an operation that only reads answers, such as "config/appsettings/list"."""
        return self._rest("post", path, {"api-version": api_version}, body)

    def _rest(self, method: str, path: str, query: Mapping[str, str], body: object = None) -> Any:
        parameters = [f"{name}={value}" for name, value in query.items()]
        with_body = () if body is None else ("--body", json.dumps(body))
        return self._run(
            *("rest", "--method", method, "--url", path),
            *("--url-parameters", *parameters),
            *with_body,
        )

    def _run(self, *arguments: str) -> Any:
        try:
            outcome = subprocess.run(
                [self._program, *arguments, "--output", "json", "--only-show-errors"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AzureCliError(
                f"`az {arguments[0]}` did not answer within {TIMEOUT_S} s; check the network."
            ) from error
        if outcome.returncode != 0:
            reasons = [line.strip() for line in outcome.stderr.splitlines() if line.strip()]
            reason = reasons[0].removeprefix("ERROR: ") if reasons else "no reason given"
            raise AzureCliError(f"`az {arguments[0]}` failed: {reason}")
        return json.loads(outcome.stdout)


def ids_of_type(listed: list[dict[str, Any]], type_: str) -> list[str]:
    """The resource ids of one type."""
    return [found["id"] for found in listed if found["type"].casefold() == type_.casefold()]


def name_of(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]
