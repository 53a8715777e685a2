"""Without a key, the bot's managed identity opens the door."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.errors import StateForbidden
from shared.storage.codec import DocumentCodec
from shared.storage.cosmos import CosmosStorage
from tests.unit.storage.fake_cosmos import FakeCosmos

CLIENT_ID = "11111111-2222-3333-4444-555555555555"


class FunctionApp:
    """The part of Azure Functions that hands out tokens to the app (its IDENTITY_ENDPOINT)."""

    def __init__(self) -> None:
        self.attached = True
        self.requests: list[dict[str, str]] = []
        """The query of each."""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(dict(request.query))
        if not self.attached:
            return web.json_response({"message": "No User Assigned identity found"}, status=400)
        expires_on = str(int(time.time()) + 3600)
        return web.json_response(
            {
                "access_token": "the-token",
                "expires_on": expires_on,
                "resource": request.query["resource"],
                "token_type": "Bearer",
            }
        )


@pytest.fixture
async def function_app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FunctionApp]:
    fake = FunctionApp()
    application = web.Application()
    application.router.add_get("/token", fake.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    # A name, so that it has to be looked up.
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://localhost:{port}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret")
    yield fake
    await runner.cleanup()


@pytest.fixture
async def cosmos(tmp_path: Path) -> AsyncIterator[FakeCosmos]:
    """Over TLS: azure-core sends no token without."""
    fake = FakeCosmos()
    async with fake.serve(self_signed(tmp_path / "server.pem")):
        fake.settings = replace(fake.settings, key="")
        yield fake


def self_signed(file: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_requests_carry_the_identitys_token(
    cosmos: FakeCosmos, function_app: FunctionApp
) -> None:
    """The token is asked for once, by the identity's client id, and used again."""
    storage = CosmosStorage(cosmos.settings, DocumentCodec([]), identity_client_id=CLIENT_ID)
    await storage.read(["one"])
    await storage.read(["two"])
    await storage.close()
    assert [CLIENT_ID] == [request["client_id"] for request in function_app.requests]
    assert ["type=aad&ver=1.0&sig=the-token"] * 2 == [
        headers["Authorization"] for headers in cosmos.headers
    ]


async def test_an_identity_that_is_not_attached_is_named(
    cosmos: FakeCosmos, function_app: FunctionApp
) -> None:
    """The error says what to attach where, and nothing is sent to Cosmos DB."""
    function_app.attached = False
    storage = CosmosStorage(cosmos.settings, DocumentCodec([]), identity_client_id=CLIENT_ID)
    with pytest.raises(StateForbidden, match="attach its managed identity to the function app"):
        await storage.read(["one"])
    await storage.close()
    assert [] == cosmos.requests


async def test_the_store_is_reached_while_the_bot_occupies_all_threads(
    busy_bot: None, cosmos: FakeCosmos, function_app: FunctionApp
) -> None:
    """Neither hosts nor proxies nor tokens are looked up in the threads of the event loop."""
    endpoint = cosmos.settings.endpoint.replace("127.0.0.1", "localhost")
    settings = replace(cosmos.settings, endpoint=endpoint)
    storage = CosmosStorage(settings, DocumentCodec([]), identity_client_id=CLIENT_ID)
    found = await storage.read(["one"])
    await storage.close()
    assert {} == found


async def test_each_event_loop_gets_a_token(cosmos: FakeCosmos, function_app: FunctionApp) -> None:
    """At the same time, and with several requests that wait for it."""
    storage = CosmosStorage(cosmos.settings, DocumentCodec([]), identity_client_id=CLIENT_ID)
    keys = [str(n) for n in range(5)]

    def read_elsewhere(_: int) -> object:
        return asyncio.run(storage.read(keys))

    with ThreadPoolExecutor(2) as threads:
        loop = asyncio.get_running_loop()
        elsewhere = [loop.run_in_executor(threads, read_elsewhere, n) for n in range(4)]
        found = await asyncio.gather(storage.read(keys), *elsewhere)
    await storage.close()
    assert [{}] * 5 == found
    assert 5 == len(function_app.requests)
