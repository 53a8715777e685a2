"""
The requests of a turn and nothing else: the floor under any bot that keeps its state in Cosmos DB.

Two reads at once, a write, three replies in order, another write.
"""

import asyncio
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import aiohttp
import azure.functions as func

from benchmarks.stacks.cosmos import CONTAINER_ID, DATABASE_ID, ENDPOINT

_DOCUMENTS = f"{ENDPOINT}dbs/{DATABASE_ID}/colls/{CONTAINER_ID}/docs"


@cache
def session() -> aiohttp.ClientSession:
    """Return the worker's one session, made when the event loop runs."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=False))


async def main(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one activity."""
    activity = json.loads(req.get_body())
    conversation_id = activity["conversation"]["id"]
    conversation, user = await asyncio.gather(
        read(f"{activity['channelId']}/conversations/{conversation_id}"),
        read(f"{activity['channelId']}/users/{activity['from']['id']}"),
    )
    data = conversation["document"].setdefault("ConversationData", {})
    if user["document"].get("name"):
        data["timestamp"] = str(datetime.now(UTC))
        data["channel_id"] = activity["channelId"]
        replies = [
            f"{user['document']['name']} sent: {activity['text']}",
            f"Message received at: {data['timestamp']}",
            f"Message received from: {data['channel_id']}",
        ]
    elif data.get("prompted_for_user_name"):
        data["prompted_for_user_name"] = False
        user["document"]["name"] = activity["text"]
        await write(user)
        replies = [f"Thanks {activity['text']}."]
    else:
        data["prompted_for_user_name"] = True
        replies = ["What is your name?"]
    await write(conversation)
    for text in replies:
        await send(activity, text)
    await write(conversation)
    return func.HttpResponse(status_code=200)


async def read(key: str) -> dict[str, Any]:
    """Return a state document, an empty one if there is none yet."""
    item_id = key.replace("/", "*47")
    headers = {"x-ms-documentdb-partitionkey": json.dumps([item_id])}
    async with session().get(f"{_DOCUMENTS}/{item_id}", headers=headers) as response:
        if response.status == 404:
            return {"id": item_id, "realId": key, "document": {}}
        document: dict[str, Any] = await response.json()
        return document


async def write(item: dict[str, Any]) -> None:
    """Store a state document, whoever else has written it."""
    headers = {
        "x-ms-documentdb-partitionkey": json.dumps([item["id"]]),
        "x-ms-documentdb-is-upsert": "True",
    }
    async with session().post(_DOCUMENTS, headers=headers, json=item) as response:
        response.raise_for_status()
        await response.read()


async def send(activity: dict[str, Any], text: str) -> None:
    """Reply to an activity."""
    reply = {
        "type": "message",
        "text": text,
        "from": activity["recipient"],
        "recipient": activity["from"],
        "conversation": activity["conversation"],
        "channelId": activity["channelId"],
        "replyToId": activity["id"],
    }
    path = f"v3/conversations/{activity['conversation']['id']}/activities/{activity['id']}"
    async with session().post(f"{activity['serviceUrl']}/{path}", json=reply) as response:
        response.raise_for_status()
        await response.read()
