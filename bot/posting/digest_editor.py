"""Edits a weekly digest that tells of what was forgotten since."""

from collections.abc import Awaitable, Callable

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.primitives import SlackMessage
from bot.posting.chart_fallback import send_with_charts
from bot.slack.chart_support import ChartSupport

RenderShownDigest = Callable[[str, str], Awaitable[SlackMessage | None]]
"""Makes the digest anew that a channel shows at a time; None where there is nothing left to tell."""


class DigestEditor:
    """Puts what is so now in the place of a digest."""

    def __init__(self, client: AsyncWebClient, render: RenderShownDigest, charts: ChartSupport) -> None:
        self._client = client
        self._render = render
        self._charts = charts

    async def edit(self, channel: str, ts: str) -> None:
        """Make a digest anew; one of which nothing is left is deleted.

        Raises:
            SlackRefusedError: Slack does not take the edit now.
            SlackUnreachableError: Slack cannot be reached.
            StorageError: the store cannot be read.
        """
        message = await self._render(channel, ts)
        if message is None:
            await self._client.chat_delete(channel=channel, ts=ts)
            return

        async def update(content: SlackMessage) -> None:
            await self._client.chat_update(channel=channel, ts=ts, **content.arguments())

        await send_with_charts(update, message, self._charts)
