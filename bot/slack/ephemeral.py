"""Messages that one person alone sees."""

from collections.abc import Mapping

from slack_sdk.web.async_client import AsyncWebClient

from memalign.records import Json


async def post_ephemeral(
    client: AsyncWebClient,
    content: Mapping[str, Json],
    *,
    channel: str,
    person: str,
    thread_ts: str | None = None,
) -> None:
    """Show one person a message in a channel, or in a thread of it.

    Args:
        client: Slack.
        content: the message, as arguments of Slack's method.
        channel: where the person is a member.
        person: who sees it.
        thread_ts: the first message of the thread; None for the channel itself.

    Raises:
        SlackRefusedError: Slack does not take it.
        SlackUnreachableError: the connection failed, so that nobody knows.
    """
    await client.chat_postEphemeral(channel=channel, user=person, thread_ts=thread_ts, **content)
