"""The Bolt app, the check of its tokens, and the connection by which events come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import TraceConfig
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.config import Secrets
from bot.slack.client import SlackClient, socket_mode_client
from bot.slack.dispatch import SlackDispatcher
from bot.slack.errors import (
    SlackCallError,
    SlackRefusedError,
    SlackUnavailableError,
    SlackUnreachableError,
    app_token_remedy,
    remedy,
    translated_errors,
)
from bot.slack.socket_mode import SocketModeReceiver
from memalign.errors import SettingsError
from memalign.records import Json
from memalign.surrogates import replace_surrogates

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0


def build_app(secrets: Secrets, client: SlackClient) -> AsyncApp:
    """Return the Bolt app; an event is acknowledged when its listener has stored it, not before."""
    if not secrets.bot_token:
        raise SettingsError("SLACK_BOT_TOKEN is not set; copy the bot token (xoxb-…) of the installed app.")
    if not secrets.app_token and not secrets.signing_secret:
        raise SettingsError(
            "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode."
        )
    logging.getLogger("slack_bolt.AsyncApp").addFilter(_is_no_advice_on_the_token)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # by itself Bolt asks auth.test at the first event, and acknowledges an event that it could not authorize
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=secrets.bot_token)

    app = AsyncApp(
        client=client,
        authorize=authorize,
        signing_secret=secrets.signing_secret or None,
        process_before_response=True,
        # signatures are checked over the raw bytes, before anything is parsed (bot.web.slack_events)
        request_verification_enabled=False,
    )
    app.middleware(_replace_surrogates)
    return app


async def _replace_surrogates(body: dict[str, Json], next_: Callable[[], Awaitable[None]]) -> None:
    """Clean what Slack sends of half surrogate pairs, before any listener sees it."""
    body.update(replace_surrogates(body))
    await next_()


def _is_no_advice_on_the_token(record: logging.LogRecord) -> bool:
    """Return False for Bolt's warnings that it uses neither the token in the environment nor the client's."""
    return not str(record.msg).endswith(("`token` will be unused.", "env variable) will be ignored."))


async def check_tokens(slack: AsyncApp, secrets: Secrets) -> None:
    """Try the tokens; a Slack that cannot be reached is no error. Raises `SettingsError` for a refused one."""
    client = slack.client
    try:
        await _accepted(client.auth_test(), remedy)
        if secrets.app_token:
            await _accepted(client.apps_connections_open(app_token=secrets.app_token), app_token_remedy)
    except SlackUnreachableError as error:
        log.warning("Slack cannot be reached at %s (%s); trying again", secrets.api_url, error.detail)


async def _accepted(call: Awaitable[object], in_words: Callable[[SlackRefusedError], str]) -> None:
    """Wait for a call that only a wrong token makes fail for good. Raises `SettingsError`."""
    try:
        await call
    except SlackRefusedError as error:
        if not error.is_undecided and not error.is_rate_limit:
            raise SettingsError(f"Slack refuses the start: {in_words(error)}.") from error
        log.warning("the tokens cannot be tried yet: %s", in_words(error))


class Connection:
    """The connection by which Slack's events come: Socket Mode, or none of its own in HTTP mode."""

    def __init__(
        self,
        slack: AsyncApp,
        secrets: Secrets,
        dispatcher: SlackDispatcher,
        *,
        trace_configs: Sequence[TraceConfig] = (),
    ) -> None:
        """Trace the requests for a connection as `trace_configs` say."""
        self._slack = slack
        self._handler = (
            SocketModeReceiver(
                slack, secrets.app_token, socket_mode_client(secrets, trace_configs), dispatcher
            )
            if secrets.app_token
            else None
        )
        self._reached = False

    async def connect(self) -> None:
        """Connect once; slack_sdk keeps the connection from then on.

        Raises:
            SlackUnavailableError: Slack does not answer, or refuses for now.
        """
        try:
            with translated_errors():
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._connect()
        except SlackCallError as error:
            raise SlackUnavailableError(str(error)) from error
        self._reached = True

    async def _connect(self) -> None:
        if self._handler:
            await self._handler.connect_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here
        else:
            await self._slack.client.auth_test()

    async def is_up(self) -> bool:
        """Return whether events can come at the moment."""
        if not self._reached or self._handler is None:
            return self._reached
        return bool(await self._handler.client.is_connected())

    async def session(self) -> object | None:
        """Return the present connection, another one after each gap, however short; None while there is none."""
        if not await self.is_up():
            return None
        return self._handler.client.current_session if self._handler else self._slack

    async def close(self) -> None:
        """Take no more events; a second call does nothing."""
        if self._handler and not self._handler.client.closed:
            await self._handler.close_async()  # type: ignore[no-untyped-call] # slack_sdk gives no types here
