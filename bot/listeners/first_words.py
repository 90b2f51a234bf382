"""First words: the bot joins a channel, is mentioned, or is written to directly."""

import logging
from collections.abc import Callable

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.help import help_in_channel, help_in_direct_message, help_in_thread
from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.listeners.after_ack import AfterAck
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.responses import show_ephemeral
from bot.replies.addressing import calls_for_help
from bot.slack.errors import SlackCallError
from bot.slack.identity import IdentityLookup
from memalign.records import Json
from storage.database import Database
from storage.records import NoticeContent, Post

log = logging.getLogger(__name__)

Event = dict[str, Json]


class FirstWords:
    """Greets a channel once for each join, and helps where somebody turns to the bot."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        identity: IdentityLookup,
        client: AsyncWebClient,
        access: JudgeAccess,
        wake_posting: Callable[[], None],
        after_ack: AfterAck,
    ) -> None:
        self._settings = settings
        self._database = database
        self._identity = identity
        self._client = client
        self._access = access
        self._wake_posting = wake_posting
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners; that of direct messages before the one of replies, which takes all others."""
        app.event("member_joined_channel")(self.joined)
        app.event("app_mention")(self.mentioned)
        app.event("message", matchers=[is_direct_message])(self.written_to)

    async def joined(self, event: Event) -> None:
        """Put a greeting into the outbox when it is the bot that joined."""
        # where Slack does not say who the bot is, the event is not acknowledged, and comes again
        if event["user"] != (await self._identity.read()).user_id:
            return
        channel, joined_at = str(event["channel"]), str(event["event_ts"])
        post = Post(
            post_id=f"joined:{channel}:{joined_at}", channel=channel, content=NoticeContent(notice="joined")
        )
        if await self._database.outbox.add_greeting(joined_at, post):
            self._wake_posting()

    async def mentioned(self, event: Event) -> None:
        """Help whoever mentioned the bot, and nobody else; a reply to a card is answered as a reply."""
        if event.get("user") and not event.get("bot_id"):
            self._after_ack.run(self._help_in_channel(event))

    async def written_to(self, event: Event) -> None:
        """Answer a direct message of a person."""
        if event.get("subtype") is None and event.get("user") and not event.get("bot_id"):
            self._after_ack.run(self._help_directly(str(event["channel"]), str(event["user"])))

    async def _help_in_channel(self, event: Event) -> None:
        channel, person = str(event["channel"]), str(event["user"])
        thread_ts = event.get("thread_ts")
        if thread_ts and (stored := await self._database.verdicts.by_card(channel, str(thread_ts))):
            if calls_for_help(str(event.get("text") or "")):
                message = help_in_thread(stored)
                await show_ephemeral(self._client, channel, person, message, thread_ts=str(thread_ts))
            return
        judges = [judge.title for judge in self._settings.judges if judge.channel == channel]
        await show_ephemeral(
            self._client,
            channel,
            person,
            help_in_channel(judges, channel, self._settings.storage.keep_days),
            thread_ts=str(thread_ts) if thread_ts else None,
        )

    async def _help_directly(self, channel: str, person: str) -> None:
        judges = [judge.title for judge in await self._access.judges_of(person)]
        message: SlackMessage = help_in_direct_message(judges, self._settings.storage.keep_days)
        try:
            await self._client.chat_postMessage(channel=channel, **message.arguments())
        except SlackCallError as error:
            log.warning("%s could not be answered directly: %s", person, error.detail)


async def is_direct_message(event: Event) -> bool:
    """Return whether a message was written in the direct message with the bot."""
    return event.get("channel_type") == "im"
