"""The way to Slack: clients, tokens, and the connection by which events come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Secrets
from bot.runtime.clock import backoff_ms
from bot.slack.errors import LOST, app_token_remedy, is_undecided, remedy, status_of
from memalign.errors import SettingsError

log = logging.getLogger(__name__)


def build_slack(secrets: Secrets) -> AsyncApp:
    """The bolt app; an event is acknowledged when its listener has stored it, not before."""
    if not secrets.bot_token:
        raise SettingsError("SLACK_BOT_TOKEN is not set; copy the bot token (xoxb-…) of the installed app.")
    if not secrets.app_token and not secrets.signing_secret:
        raise SettingsError(
            "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode."
        )
    # Bolt looks for SLACK_BOT_TOKEN too, and warns that the client, which has it already, comes first
    logging.getLogger("slack_bolt.AsyncApp").addFilter(lambda record: "will be unused" not in str(record.msg))
    client = AsyncWebClient(
        token=secrets.bot_token,
        base_url=secrets.api_url,
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )
    return AsyncApp(
        client=client,
        signing_secret=secrets.signing_secret or None,
        process_before_response=True,
        request_verification_enabled=not secrets.app_token,
    )


def build_plain_client(secrets: Secrets) -> AsyncWebClient:
    """A client that never repeats a call by itself: a repeated post could be a second card."""
    return AsyncWebClient(token=secrets.bot_token, base_url=secrets.api_url, retry_handlers=[])


async def check_tokens(slack: AsyncApp, secrets: Secrets) -> None:
    """Refused tokens stop the start; a Slack that cannot be reached does not."""
    client = slack.client
    try:
        await _accepted(client.auth_test(), remedy)
        if secrets.app_token:
            await _accepted(client.apps_connections_open(app_token=secrets.app_token), app_token_remedy)
    except LOST as error:
        log.warning("Slack cannot be reached at %s (%s); trying again", secrets.api_url, error)


async def _accepted(call: Awaitable[object], in_words: Callable[[SlackApiError], str]) -> None:
    """Make a call that only a wrong token makes fail for good. Raises `SettingsError`."""
    try:
        await call
    except SlackApiError as error:
        if not is_undecided(error) and status_of(error) != 429:
            raise SettingsError(f"Slack refuses the start: {in_words(error)}.") from error
        log.warning("the tokens cannot be tried yet: %s", in_words(error))


class Connection:
    """The way by which Slack's events come."""

    def __init__(self, slack: AsyncApp, secrets: Secrets) -> None:
        self._slack = slack
        self._handler = (
            AsyncSocketModeHandler(slack, secrets.app_token, web_client=slack.client)
            if secrets.app_token
            else None
        )
        self._reached = False

    async def run(self) -> None:
        """Connect, for as long as it takes; slack_sdk keeps the connection from then on."""
        attempt = 0
        while not self._reached:
            try:
                async with asyncio.timeout(20):
                    await self._connect()
                self._reached = True
            except (SlackApiError, *LOST) as error:
                attempt += 1
                log.warning("not connected to Slack yet: %s", error)
                await asyncio.sleep(backoff_ms(attempt, 60_000) / 1000)

    async def _connect(self) -> None:
        if self._handler:
            await self._handler.connect_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here
        else:
            await self._slack.client.auth_test()

    async def is_up(self) -> bool:
        """Whether events can come at the moment."""
        if not self._reached or self._handler is None:
            return self._reached
        return bool(await self._handler.client.is_connected())

    async def session(self) -> object | None:
        """The connection that stands at the moment, another one after each gap, however short; None: there is none."""
        if not await self.is_up():
            return None
        return self._handler.client.current_session if self._handler else self._slack

    async def close(self) -> None:
        """Take no more events; again: nothing happens."""
        if self._handler and not self._handler.client.closed:
            await self._handler.close_async()  # type: ignore[no-untyped-call] # nor here
