"""
What `python3 dev.py doctor --azure` finds out about a deployed bot. Standard library only.

It changes nothing. The settings are judged by the same code that the bot starts with.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from local.bootstrap.commands import ROOT
from local.bootstrap.errors import LocalError
from local.doctor.azure_cli import Azure, AzureCli, ids_of_type, name_of
from local.doctor.azure_failure import failure
from local.doctor.azure_place import place_of
from local.doctor.azure_roles import blob_role, queue_roles, telemetry_role
from local.doctor.azure_state import state
from local.doctor.findings import Finding, Level
from shared.errors import SettingsError
from shared.settings import AZURE_MARKERS, Settings

ANSWER_TIMEOUT_S = 60
"""Enough for a cold start."""

MESSAGE = {
    "type": "message",
    "id": "doctor",
    "channelId": "msteams",
    "serviceUrl": "https://smba.trafficmanager.net/teams/",
    "conversation": {"id": "doctor"},
    "from": {"id": "doctor"},
    "recipient": {"id": "bot"},
    "text": "Are you well?",
}
"""All is well with it, except that nobody vouches for it."""


def examine(environ: Mapping[str, str], resource_group: str | None = None) -> Iterator[Finding]:
    """Look at the bot in a resource group, by default where `place_of` finds it."""
    place = place_of(environ, ROOT, resource_group)
    if place.resource_group is None:
        yield Finding(
            Level.FAULT,
            "No resource group is known for the bot; name it: python3 dev.py doctor --azure GROUP",
        )
        return
    try:
        azure = AzureCli.on_path()
        subscription = place.subscription or azure.subscription_id()
        yield from diagnose(azure, subscription, place.resource_group)
    except LocalError as error:
        yield Finding(Level.FAULT, str(error))


def diagnose(
    azure: Azure,
    subscription: str,
    resource_group: str,
    status_of_empty_token: Callable[[str], int | None] | None = None,
) -> Iterator[Finding]:
    """
    Examine the bot in a resource group of a subscription, one finding at a time.

    `status_of_empty_token` posts to a URL with no valid token and returns the HTTP status, None
    without an answer. Errors of `azure` pass through.
    """
    group = f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
    listed = azure.get(f"{group}/resources", "2021-04-01")["value"]
    bots = ids_of_type(listed, "Microsoft.BotService/botServices")
    apps = ids_of_type(listed, "Microsoft.Web/sites")
    if len(bots) != 1 or len(apps) != 1:
        yield Finding(
            Level.FAULT,
            f"{resource_group} in the subscription {subscription} holds {len(bots)} bot "
            f"registrations and {len(apps)} apps; one of each is expected. Deploy with `azd up`, "
            "or name another resource group",
        )
        return

    bot = azure.get(bots[0], "2022-09-15")["properties"]
    app = azure.get(apps[0], "2025-03-01")
    settings = azure.post(f"{apps[0]}/config/appsettings/list", "2025-03-01")["properties"]
    yield Finding(
        Level.OK,
        f"The bot {name_of(bots[0])} runs as {name_of(apps[0])} in {resource_group} "
        f"of the subscription {subscription}",
    )
    yield _messaging_endpoint(bot, app)
    yield _registration(bot, settings)
    yield from _settings(settings)

    principal_id = _principal_id(bot, app)
    if principal_id is None:
        yield Finding(
            Level.FAULT,
            f"The identity of the bot is not attached to {name_of(apps[0])}, so it can neither "
            "reply nor reach its state; attach it under Identity, User assigned",
        )
    else:
        yield Finding(Level.OK, "The identity of the bot is attached to the app")
        yield blob_role(azure, listed, settings, principal_id)
        yield from queue_roles(azure, listed, settings, principal_id)
        yield telemetry_role(azure, listed, principal_id)
        yield from state(azure, subscription, listed, settings, principal_id)
    yield _answer(
        azure, listed, app, bot["endpoint"], status_of_empty_token or post_with_empty_token
    )


def post_with_empty_token(url: str) -> int | None:
    """Post a message with an empty bearer token; return the HTTP status, None without an answer."""
    request = Request(  # noqa: S310  (the caller has made sure that it is https)
        url,
        data=json.dumps(MESSAGE).encode(),
        headers={"Content-Type": "application/json", "Authorization": "Bearer "},
        method="POST",
    )
    try:
        with urlopen(request, timeout=ANSWER_TIMEOUT_S) as response:  # noqa: S310  (as above)
            status: int = response.status
            return status
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, HTTPException, OSError):
        return None


def _messaging_endpoint(bot: dict[str, Any], app: dict[str, Any]) -> Finding:
    expected = f"https://{app['properties']['defaultHostName']}/api/messages"
    if bot["endpoint"].casefold() == expected.casefold():
        return Finding(Level.OK, f"Channels send to {expected}")
    return Finding(
        Level.FAULT,
        f"Channels send to {bot['endpoint']}, but the app is at {expected}; correct the messaging "
        "endpoint under Configuration of the bot",
    )


def _registration(bot: dict[str, Any], settings: Mapping[str, str]) -> Finding:
    if bot["msaAppId"].casefold() == settings.get("MicrosoftAppId", "").casefold():
        return Finding(
            Level.OK, f"The app has the id of the bot's registration ({bot['msaAppType']})"
        )
    return Finding(
        Level.FAULT,
        "MicrosoftAppId in the app's settings is not the id of the bot's registration, so every "
        "message is refused; set it to the Microsoft App ID under Configuration of the bot",
    )


def _settings(settings: Mapping[str, str]) -> Iterator[Finding]:
    # Azure adds the markers to the app's environment; they are not among its settings.
    in_azure = {**settings, AZURE_MARKERS[0]: "doctor"}
    try:
        Settings.from_environ(in_azure)
    except SettingsError as error:
        for fault in error.faults:
            yield Finding(Level.FAULT, fault)
    else:
        yield Finding(Level.OK, "The app's settings are complete")


def _principal_id(bot: dict[str, Any], app: dict[str, Any]) -> str | None:
    """Whom roles must be assigned to: the bot's identity, if the app has it."""
    attached = (app.get("identity") or {}).get("userAssignedIdentities") or {}
    for identity in attached.values():
        if identity["clientId"].casefold() == bot["msaAppId"].casefold():
            return str(identity["principalId"])
    return None


def _answer(
    azure: Azure,
    listed: list[dict[str, Any]],
    app: dict[str, Any],
    endpoint: str,
    status_of_empty_token: Callable[[str], int | None],
) -> Finding:
    if not endpoint.startswith("https://"):
        return Finding(Level.FAULT, f"{endpoint} is not an https address; channels refuse it")
    status = status_of_empty_token(endpoint)
    if status == 401:
        return Finding(Level.OK, "The endpoint refuses requests without a token (401)")
    if status is None:
        return Finding(Level.FAULT, f"{endpoint} does not answer; check whether the app is stopped")
    if status == 404:
        return Finding(Level.FAULT, "The app is empty (404); deploy the bot with `azd deploy`")
    if status >= 500:
        return failure(azure, listed, app, status)
    return Finding(
        Level.FAULT, f"The endpoint answers {status} to an empty token; it must refuse it"
    )
