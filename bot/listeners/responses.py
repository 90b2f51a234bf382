"""Responses that only the person who asked, or clicked, can see."""

import logging
from collections.abc import Awaitable, Sequence
from typing import Literal

from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.chart import has_chart, without_charts
from bot.blocks.commands import apology
from bot.blocks.primitives import SlackMessage, pack_messages, plain_message
from bot.runtime.health import log_bug
from bot.slack.chart_support import ChartSupport
from bot.slack.ephemeral import post_ephemeral
from bot.slack.errors import BLOCKS_REFUSED, SlackCallError, SlackUnreachableError, translated_errors
from memalign.errors import MemAlignError
from memalign.records import Json

log = logging.getLogger(__name__)


async def respond_ephemeral(respond: AsyncRespond, messages: Sequence[SlackMessage]) -> None:
    """Answer one person; a failure is logged, since nothing depends on the answer being read."""
    for message in pack_messages(messages):
        await _send(respond, message, replace=False)


async def respond_with_charts(
    respond: AsyncRespond, messages: Sequence[SlackMessage], charts: ChartSupport
) -> None:
    """Answer one person; a chart that the workspace refuses is sent once more as words."""
    for message in pack_messages(messages):
        if not has_chart(message) or charts.is_refused:
            await _send(respond, without_charts(message), replace=False)
        elif await _send(respond, message, replace=False) == "refused":
            await _send(respond, without_charts(message), replace=False)
            charts.note_refusal()


async def replace_original(respond: AsyncRespond, message: SlackMessage) -> None:
    """Put the message in the place of the one that was clicked; what does not fit in one is left out."""
    await _send(respond, pack_messages([message])[0], replace=True)


async def or_error_message(work: Awaitable[list[SlackMessage]], doing: str) -> list[SlackMessage]:
    """Return the work's messages; if it fails, the remedy where there is one, else an apology with an error id."""
    try:
        return await work
    except MemAlignError as error:
        return [plain_message(str(error))]
    except Exception:
        return [apology(log_bug(doing))]


async def show_ephemeral(
    client: AsyncWebClient, channel: str, person: str, message: SlackMessage, thread_ts: str | None = None
) -> None:
    """Tell one person something in a channel, or in a thread there; a failure is logged."""
    page = pack_messages([message])[0]
    try:
        await post_ephemeral(client, page.arguments(), channel=channel, person=person, thread_ts=thread_ts)
    except SlackCallError as error:
        log.warning("%s could not be told something: %s", person, error.detail)


async def update_message(client: AsyncWebClient, channel: str, ts: str, message: SlackMessage) -> None:
    """Put another content in the place of one of the bot's messages, for all to see; a failure is logged."""
    try:
        await client.chat_update(channel=channel, ts=ts, **message.arguments())
    except SlackCallError as error:
        log.warning("the message at %s could not be changed: %s", ts, error.detail)


async def open_view(client: AsyncWebClient, trigger_id: str, view: Json) -> None:
    """Open a modal; a failure is logged, and what was clicked stands all the same."""
    await _opened(client.views_open(trigger_id=trigger_id, view=view))


async def open_view_from(client: AsyncWebClient, body: Json, view: Json) -> None:
    """Open a modal for a click, on top of the modal that holds the button, if one does; a failure is logged."""
    is_in_modal = (body.get("view") or {}).get("type") == "modal"
    open_or_push = client.views_push if is_in_modal else client.views_open
    await _opened(open_or_push(trigger_id=body["trigger_id"], view=view))


async def update_view(client: AsyncWebClient, view_id: str, view: Json) -> None:
    """Put another view in the place of an open modal; a failure is logged."""
    await _opened(client.views_update(view_id=view_id, view=view))


async def _opened(opening: Awaitable[object]) -> None:
    try:
        await opening
    except SlackCallError as error:
        log.warning("a modal could not be shown: %s", error.detail)


async def _send(
    respond: AsyncRespond, message: SlackMessage, *, replace: bool
) -> Literal["sent", "refused", "lost"]:
    """Hand a message to Slack; it may be refused for its blocks alone."""
    if respond.response_url is None:
        log.warning("an answer could not be sent, since Slack gave no address for it")
        return "lost"
    try:
        # Bolt's call takes neither parse nor link_names; the blocks are verbatim in themselves
        with translated_errors():
            answer = await respond(
                text=message.text,
                blocks=list(message.blocks),
                response_type="ephemeral",
                replace_original=replace,
            )
    except SlackUnreachableError as error:
        log.warning("an answer could not be sent: %s", error.detail)
        return "lost"
    # Slack's documents do not say with which status it refuses blocks here
    if any(code in answer.body for code in BLOCKS_REFUSED):
        log.warning("Slack refused the blocks of an answer")
        return "refused"
    if answer.status_code != 200:
        log.warning("Slack did not take an answer: status %s", answer.status_code)
        return "lost"
    return "sent"
