"""Addresses of messages in Slack, built without a call for each."""

import logging
from collections.abc import Callable

from bot.config import Secrets
from bot.slack.client import SlackClient
from bot.slack.errors import SlackCallError, field_of, translated_errors

log = logging.getLogger(__name__)

WORKSPACE_SECONDS = 3


async def link_builder() -> Callable[[str, str], str | None]:
    """Return a function that takes a channel and a message's time, and returns the message's address.

    Slack is asked once for the address of the workspace; without a bot token, or an answer, there are no addresses.
    """
    workspace = await _workspace_address()

    def link(channel: str, ts: str) -> str | None:
        # the form of Slack's permalinks, see chat.getPermalink
        return f"{workspace}/archives/{channel}/p{ts.replace('.', '')}" if workspace else None

    return link


async def _workspace_address() -> str:
    secrets = Secrets.from_environment()
    if not secrets.bot_token:
        return ""
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=WORKSPACE_SECONDS)
    try:
        with translated_errors():
            address = field_of(await client.auth_test(), "url", str).rstrip("/")
    except SlackCallError as error:
        log.info("no links to cards, for Slack does not tell the workspace: %s", error.detail)
        return ""
    return address if address.startswith(("https://", "http://")) else ""
