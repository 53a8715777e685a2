"""
What bots ask for besides: members, teams, new conversations, uploads, and users' tokens.

The paths are those of the SDK's clients (`metadata` in botframework.connector). The service that
keeps users' sign-ins is served beside the channel, under the same address: that is `OAUTH_URL`.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.end_to_end.channel import FakeChannel
from tests.end_to_end.treatment import Treatment

MAGIC_CODE = "123456"
"""What the sign-in page shows whoever signs in."""

EXCHANGEABLE = "a token of the client"
"""What the token service takes in exchange for a token of the bot's connection."""


INSPECTOR = ";inspector"
"""
Ends the id of a conversation in which nobody speaks, and the bot shows what it does elsewhere.

It shows that at once, and so before what it says in its turn: their order is not compared.
"""


@dataclass(frozen=True)
class Question:
    """A request of the bot that sends no activity."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any


class Services(FakeChannel):
    """A channel with all that bots ask their channel and the token service for."""

    def __init__(self, *, channel_id: str = "msteams") -> None:
        super().__init__(channel_id=channel_id)
        self.questions: list[Question] = []
        """All of them, in the order of arrival."""
        self.given_ids: list[str] = []
        """Of all that the bot sent, but to an inspector, in the order of arrival."""
        self.signed_in: set[tuple[str, str]] = set()
        """User and connection."""

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v3/conversations", self._create_conversation)
        router.add_get("/v3/conversations/{id}/members", self._members)
        router.add_get("/v3/conversations/{id}/pagedmembers", self._paged_members)
        router.add_get("/v3/conversations/{id}/members/{user}", self._member)
        router.add_post("/v3/conversations/{id}/attachments", self._upload)
        router.add_get("/v3/teams/{id}", self._team)
        router.add_get("/v3/teams/{id}/conversations", self._team_channels)
        router.add_get("/v1/meetings/{id}", self._meeting)
        router.add_get("/v1/meetings/{id}/participants/{user}", self._participant)
        router.add_get("/files/{name}", self._file)
        router.add_post("/log/{kind}", self._log)
        router.add_get("/api/usertoken/GetToken", self._get_token)
        router.add_post("/api/usertoken/exchange", self._exchange_token)
        router.add_delete("/api/usertoken/SignOut", self._sign_out)
        router.add_get("/api/usertoken/GetTokenStatus", self._token_status)
        router.add_post("/api/usertoken/GetAadTokens", self._aad_tokens)
        router.add_get("/api/botsignin/GetSignInResource", self._sign_in_resource)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            # The SDK takes 201 for a deletion that has failed.
            self.treats_next(Treatment(status=200), conversation=request.match_info["conversation"])
        response = await super()._take(request)
        is_shown = request.match_info["conversation"].endswith(INSPECTOR)
        is_sent = request.method == "POST" and not is_shown
        if is_sent and isinstance(response, web.Response) and response.text:
            self.given_ids.append(json.loads(response.text)["id"])
        return response

    async def _note(self, request: web.Request) -> Any:
        """Remember a request; returns its body."""
        if "Authorization" in request.headers:
            self.bot_tokens.add(request.headers["Authorization"])
        body = await request.json() if request.can_read_body else None
        query: dict[str, Any] = dict(request.query)
        if "state" in query:
            # Whom the page signs in, and where to: the SDK's TokenExchangeState.
            query["state"] = json.loads(b64decode(query["state"]))
            query["state"].pop("msAppId")
        self.questions.append(Question(request.method, request.path, query, body))
        return body

    # The channel.

    async def _create_conversation(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        created = {"id": f"{body.get('topicName') or 'thread'}-1", "activityId": "first"}
        return web.json_response(created, status=201)

    async def _members(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.json_response([self._account("ada"), self._account("bob")])

    async def _paged_members(self, request: web.Request) -> web.Response:
        await self._note(request)
        if "continuationToken" in request.query:
            return web.json_response({"members": [self._account("bob")]})
        page = {"members": [self._account("ada")], "continuationToken": "next"}
        return web.json_response(page)

    async def _member(self, request: web.Request) -> web.Response:
        await self._note(request)
        user = request.match_info["user"]
        if user == "stranger":
            error = {"error": {"code": "MemberNotFoundInConversation", "message": "Not here."}}
            return web.json_response(error, status=404)
        return web.json_response(self._account(user))

    async def _upload(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.json_response({"id": "upload-1"}, status=201)

    async def _team(self, request: web.Request) -> web.Response:
        await self._note(request)
        team = {"id": request.match_info["id"], "name": "Engineers", "aadGroupId": "group"}
        return web.json_response(team)

    async def _team_channels(self, request: web.Request) -> web.Response:
        await self._note(request)
        channels = [{"id": "19:general", "name": "General"}, {"id": "19:news", "name": "News"}]
        return web.json_response({"conversations": channels})

    async def _meeting(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.json_response({"details": {"id": request.match_info["id"], "title": "Stand-up"}})

    async def _participant(self, request: web.Request) -> web.Response:
        await self._note(request)
        participant = {"user": self._account("ada"), "meeting": {"role": "Organizer"}}
        return web.json_response(participant)

    async def _file(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.Response(body=f"the bytes of {request.match_info['name']}".encode())

    async def _log(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.Response()

    def _account(self, user: str) -> dict[str, Any]:
        return {
            "id": user,
            "name": user.title(),
            "givenName": user.title(),
            "userPrincipalName": f"{user}@example.com",
            "tenantId": "tenant",
        }

    # The token service.

    async def _get_token(self, request: web.Request) -> web.Response:
        await self._note(request)
        who = (request.query["userId"], request.query["connectionName"])
        if request.query.get("code") == MAGIC_CODE:
            self.signed_in.add(who)
        if who not in self.signed_in:
            return web.json_response({}, status=404)
        return web.json_response(_token(*who))

    async def _exchange_token(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        who = (request.query["userId"], request.query["connectionName"])
        if body.get("token") != EXCHANGEABLE:
            # The SDK's prompt fails at 400, which the SDK's client takes for an answer as well.
            return web.json_response({}, status=404)
        self.signed_in.add(who)
        return web.json_response(_token(*who))

    async def _sign_out(self, request: web.Request) -> web.Response:
        await self._note(request)
        user, connection = request.query["userId"], request.query.get("connectionName")
        self.signed_in.discard((user, connection or ""))
        return web.json_response({})

    async def _token_status(self, request: web.Request) -> web.Response:
        await self._note(request)
        user = request.query["userId"]
        statuses = [
            {
                "channelId": request.query["channelId"],
                "connectionName": connection,
                "hasToken": (user, connection) in self.signed_in,
                "serviceProviderDisplayName": "Directory",
            }
            for connection in ("graph", "github")
        ]
        return web.json_response(statuses)

    async def _aad_tokens(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        who = (request.query["userId"], request.query["connectionName"])
        return web.json_response({url: _token(*who) for url in body["resourceUrls"]})

    async def _sign_in_resource(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.json_response(
            {
                "signInLink": "https://token.example/sign-in",
                "tokenExchangeResource": {
                    "id": "exchange-1",
                    "uri": "api://bot",
                    "providerId": "directory",
                },
                "tokenPostResource": {"sasUrl": "https://token.example/post"},
            }
        )


def _token(user: str, connection: str) -> dict[str, str]:
    return {
        "connectionName": connection,
        "token": f"{connection} token of {user}",
        "expiration": "2030-01-01T00:00:00Z",
    }
