"""
What a bot has around it in a simulated history besides its channel: as in the app, and watched.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

from botbuilder.core import Middleware, Storage, TurnContext
from botbuilder.schema import Activity
from botframework.connector.auth import UserTokenClient
from botframework.connector.token_api.models import (
    SignInUrlResponse,
    TokenExchangeRequest,
    TokenExchangeResource,
    TokenResponse,
    TokenStatus,
)

from tests.simulation.copies import Product

MAGIC_CODE = "123456"
"""What the sign-in page shows whoever signs in."""

EXCHANGEABLE = "a token of the client"
"""What the token service takes in exchange for a token of the bot's connection."""


class Tokens(UserTokenClient):
    """
    A token service that keeps no sign-in: what it answers depends on the question alone.

    What a bot asks it happens at once, and again if its turn runs again. So one that remembers
    would be in another state than in a serial run, and the bot no less right.
    """

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> TokenResponse | None:
        return await self._token(user_id, connection_name, is_given=magic_code == MAGIC_CODE)

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> SignInUrlResponse:
        await _travel()
        return SignInUrlResponse(
            sign_in_link="https://token.example/sign-in",
            token_exchange_resource=TokenExchangeResource(id="exchange-1", uri="api://bot"),
        )

    async def sign_out_user(self, user_id: str, connection_name: str, channel_id: str) -> None:
        await _travel()

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> list[TokenStatus]:
        await _travel()
        return [TokenStatus(connection_name="graph", has_token=False)]

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> dict[str, TokenResponse]:
        await _travel()
        return {}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> TokenResponse | None:
        is_given = exchange_request.token == EXCHANGEABLE
        return await self._token(user_id, connection_name, is_given=is_given)

    async def _token(
        self, user_id: str, connection_name: str, *, is_given: bool
    ) -> TokenResponse | None:
        await _travel()
        if not is_given:
            return None
        token = f"{connection_name} token of {user_id}"
        return TokenResponse(connection_name=connection_name, token=token)


async def _travel() -> None:
    await asyncio.sleep(0.02)


def add_services(context: TurnContext) -> TurnContext:
    """Give a turn context what the app's adapter gives one besides the channel."""
    context.turn_state[UserTokenClient.__name__] = Tokens()
    return context


class Watcher(Protocol):
    """Whoever is told of each run of the bot."""

    def begins(self) -> None:
        """It begins, perhaps again."""
        ...

    def raises(self, error: Exception) -> None:
        """The bot, or middleware of its own, has raised."""
        ...

    def takes(self) -> None:
        """Its `on_error` has made something of that."""
        ...

    def answers(self, context: TurnContext) -> None:
        """A request is answered with success."""
        ...


@dataclass(frozen=True)
class OwnProduct(Product):
    """The product with a bot's own module in it, as the app has it."""

    module: Any = None
    watcher: Any = None

    @property
    def transactional_bot(self) -> Callable[..., Any]:
        def made(_create_bot: object, storage: Storage, *, contexts: Any, **options: Any) -> Any:
            module = _watched(self.module, self.watcher)
            signed_in = SimpleNamespace(
                run=lambda accepted, logic: contexts.run(
                    accepted, lambda context: logic(add_services(context))
                )
            )
            bot = self.turns.bot_in(module, storage, contexts=signed_in, **options)
            handle = bot.on_turn

            async def on_turn(context: TurnContext) -> None:
                await handle(add_services(context))
                self.watcher.answers(context)

            bot.on_turn = on_turn
            return bot

        return made


def _watched(module: ModuleType, watcher: Watcher) -> Any:
    """The module, with somebody who sees what its bot and its middleware raise."""
    own_middleware: Callable[[Storage], Iterable[Middleware]] = getattr(
        module, "create_middleware", lambda _storage: ()
    )
    own_on_error = getattr(module, "on_error", None)

    async def on_error(context: TurnContext, error: Exception) -> None:
        assert own_on_error is not None
        try:
            await own_on_error(context, error)
        except Exception as another:
            watcher.raises(another)
            raise
        watcher.takes()

    watched = SimpleNamespace(
        __name__=module.__name__,
        STATE_TYPES=module.STATE_TYPES,
        APOLOGIES=getattr(module, "APOLOGIES", None),
        create_bot=module.create_bot,
        create_middleware=lambda storage: [_Watching(watcher), *own_middleware(storage)],
    )
    if own_on_error is not None:
        watched.on_error = on_error
    return watched


class _Watching(Middleware):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[Any]]) -> None:
        self._watcher.begins()
        try:
            await logic()
        except Exception as error:
            self._watcher.raises(error)
            raise
