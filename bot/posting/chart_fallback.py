"""Messages with charts for workspaces that may not know them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.blocks.chart import has_chart, without_charts
from bot.blocks.primitives import SlackMessage
from bot.slack.chart_support import ChartSupport
from bot.slack.errors import BLOCKS_REFUSED, SlackRefusedError

T = TypeVar("T")


async def send_with_charts(
    send: Callable[[SlackMessage], Awaitable[T]], message: SlackMessage, charts: ChartSupport
) -> T:
    """Send a message; one whose chart is refused is sent once more with the figures in words.

    Args:
        send: hands a message to Slack.
        message: the message.
        charts: the memory of refusals.

    Raises:
        SlackRefusedError: Slack refuses the message, the second time as well.
        SlackUnreachableError: Slack cannot be reached.
    """
    if not has_chart(message):
        return await send(message)
    if charts.is_refused:
        return await send(without_charts(message))
    try:
        return await send(message)
    except SlackRefusedError as error:
        if error.code not in BLOCKS_REFUSED:
            raise
    answer = await send(without_charts(message))
    charts.note_refusal()
    return answer
