"""Addresses of cards in Slack, built without a call for each."""

import logging
from collections.abc import Mapping, Sequence

from bot.config import Secrets
from bot.reports.weekly_report_reader import LinksTo
from bot.slack.client import SlackClient
from bot.slack.errors import SlackCallError, field_of, translated_errors
from storage.records import StoredVerdict

log = logging.getLogger(__name__)

WORKSPACE_SECONDS = 3


async def card_links() -> LinksTo:
    """Return what looks up addresses of cards.

    Slack is asked once for the address of the workspace; without a bot token, or an answer, there are no addresses.
    """
    workspace = await _workspace_address()

    async def links_to(cards: Sequence[StoredVerdict]) -> Mapping[str, str]:
        # the form of Slack's permalinks, see chat.getPermalink
        return {
            card.verdict_id: f"{workspace}/archives/{card.channel}/p{card.message_ts.replace('.', '')}"
            for card in cards
            if workspace and card.message_ts
        }

    return links_to


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
