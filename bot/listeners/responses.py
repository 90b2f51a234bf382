"""Answers that only the person who asked, or clicked, can see."""

import logging
from collections.abc import Sequence

from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.primitives import SlackMessage
from bot.slack.errors import CONNECTION_ERRORS

log = logging.getLogger(__name__)


async def tell(respond: AsyncRespond, messages: Sequence[SlackMessage]) -> None:
    """Say something to one person; a failure is logged, since nothing rests on having been read."""
    for message in messages:
        await _send(respond, message, replace=False)


async def replace_original(respond: AsyncRespond, message: SlackMessage) -> None:
    """Put the message in the place of the one that was clicked."""
    await _send(respond, message, replace=True)


async def _send(respond: AsyncRespond, message: SlackMessage, *, replace: bool) -> None:
    try:
        answer = await respond(
            text=message.text,
            blocks=list(message.blocks),
            response_type="ephemeral",
            replace_original=replace,
        )
    except CONNECTION_ERRORS as error:
        log.warning("an answer could not be sent: %s %s", type(error).__name__, error)
        return
    if answer.status_code != 200:
        log.warning("Slack did not take an answer: %s %s", answer.status_code, answer.body)
