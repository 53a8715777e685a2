"""
The SDK's ConnectorClient, one for each service, over one pool of connections.

The stock SDK builds a client in every turn, which costs 5 ms of CPU in the retry tables of
`requests`, and opens a new connection for it. Here a client lives as long as the worker, and
what a turn does with it (send, reply, update, delete) goes straight to a keep-alive pool.
The client's other operations are the SDK's.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
from botbuilder.schema import Activity, ErrorResponseException, ResourceResponse
from botframework.connector.aio import ConnectorClient
from botframework.connector.aio.operations_async import ConversationsOperations
from botframework.connector.auth import AppCredentials, ConnectorFactory
from yarl import URL

from shared.channel.http_pool import HttpPool, mark_not_sent, read_object
from shared.channel.sdk_clients import BotCredentials, adapt
from shared.channel.tokens import TokenSource
from shared.sdk_json import to_plain_json

MAX_RESPONSE_BYTES = 64 * 1024
"""The Bot Connector answers with an id; a service that sends more is not one."""

MAX_ID_CHARS = 512
"""Of an id that the channel gives to a reply. Each is kept in the conversation's document."""

MAX_CLIENTS = 64
"""Clients kept; a client is one (service URL, audience). Real bots see a handful."""


class ConnectorPool(ConnectorFactory):
    """
    Creates the worker's connector clients.

    `tokens` is None where authentication is off: replies then carry no token.
    """

    def __init__(
        self, app_id: str, default_audience: str, tokens: TokenSource | None, http: HttpPool
    ) -> None:
        self._app_id = app_id
        self._default_audience = default_audience
        self._tokens = tokens
        self._http = http
        self._client = lru_cache(MAX_CLIENTS)(self._new_client)

    async def create(self, service_url: str, audience: str | None = None) -> ConnectorClient:
        """Return the client for a service; the same one for the same arguments."""
        return self._client(service_url.rstrip("/"), audience or self._default_audience)

    def credentials(self, audience: str) -> AppCredentials:
        """Return what the SDK's own clients authenticate with."""
        if self._tokens is None:
            return AppCredentials()
        return BotCredentials(self._app_id, audience, self._tokens)

    def _new_client(self, service_url: str, audience: str) -> ConnectorClient:
        credentials = self.credentials(audience)
        client = ConnectorClient(credentials, base_url=service_url)
        adapt(client, credentials)
        client.conversations = PooledConversations(
            client.conversations, service_url, audience, self._tokens, self._http
        )
        return client


class PooledConversations(ConversationsOperations):
    """
    The operations on conversations, with those of a turn on the worker's own connections.

    They raise the SDK's ErrorResponseException for an answer that is no success, and aiohttp's
    errors where there was none, with RequestNotSent as a cause if nothing can have left.
    """

    def __init__(
        self,
        stock: ConversationsOperations,
        service_url: str,
        audience: str,
        tokens: TokenSource | None,
        http: HttpPool,
    ) -> None:
        super().__init__(stock._client, stock.config, stock._serialize, stock._deserialize)
        self._conversations_url = f"{service_url}/v3/conversations"
        self._audience = audience
        self._tokens = tokens
        self._http = http
        self._user_agent = stock.config.user_agent

    async def send_to_conversation(
        self, conversation_id: str, activity: Activity, **_: Any
    ) -> ResourceResponse:
        """Append an activity to a conversation."""
        return await self._send("POST", _path(conversation_id), activity)

    async def reply_to_activity(
        self, conversation_id: str, activity_id: str, activity: Activity, **_: Any
    ) -> ResourceResponse:
        """Append an activity to a conversation as the answer to another."""
        return await self._send("POST", _path(conversation_id, activity_id), activity)

    async def update_activity(
        self, conversation_id: str, activity_id: str, activity: Activity, **_: Any
    ) -> ResourceResponse:
        """Replace an activity that was sent before."""
        return await self._send("PUT", _path(conversation_id, activity_id), activity)

    async def delete_activity(self, conversation_id: str, activity_id: str, **_: Any) -> None:
        """Take back an activity that was sent before."""
        await self._send("DELETE", _path(conversation_id, activity_id), None)

    async def _send(self, method: str, path: str, activity: Activity | None) -> ResourceResponse:
        headers = {"Accept": "application/json", "User-Agent": self._user_agent}
        body = None
        if activity is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = msgspec.json.encode(to_plain_json(activity))
        if self._tokens is not None:
            headers["Authorization"] = f"Bearer {await self._token(self._tokens)}"
        answer = None
        try:
            async with self._http.request(
                method,
                # Encoded: aiohttp would undo the escapes it finds needless, and resolve "..".
                URL(f"{self._conversations_url}{path}", encoded=True),
                data=body,
                headers=headers,
            ) as response:
                answer = _Answer(response.status, response.reason or "", response.headers)
                answer.content = await read_object(response, MAX_RESPONSE_BYTES)
        except aiohttp.ClientResponseError:
            # It has a status, but of aiohttp's own making.
            raise aiohttp.ClientPayloadError("The channel's answer is not HTTP.") from None
        except (aiohttp.ClientError, OSError):
            # What became of the activity is in the status; the rest was an id, or words.
            if answer is None:
                raise
        if not 200 <= answer.status_code < 300:
            raise ErrorResponseException(self._deserialize, answer)
        return ResourceResponse(id=_id_in(answer.content))

    async def _token(self, tokens: TokenSource) -> str:
        try:
            return await tokens.get(self._audience)
        except (Exception, asyncio.CancelledError) as error:
            mark_not_sent(error)
            raise


@dataclass
class _Answer:
    """What the SDK's exception wants to know of an HTTP response."""

    status_code: int
    reason: str
    headers: Mapping[str, str]
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, Any]:
        # Where msrest looks for a body that is parsed already (RawDeserializer.CONTEXT_NAME).
        return {"deserialized_data": self.content}

    def raise_for_status(self) -> None:
        raise ConnectionError(f"The channel answered {self.status_code} {self.reason}.")


def _id_in(content: dict[str, Any]) -> str:
    """The id that the channel gave the activity, or nothing if it cannot be used as one."""
    given = content.get("id")
    if type(given) is int:
        # As the SDK reads it.
        given = str(given)
    return given if isinstance(given, str) and len(given) <= MAX_ID_CHARS else ""


def _path(conversation_id: str, activity_id: str | None = None) -> str:
    path = f"/{quote(conversation_id, safe='')}/activities"
    return f"{path}/{quote(activity_id, safe='')}" if activity_id else path
