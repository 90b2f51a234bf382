"""App Home: what the judges know, and the cards that still wait for this person's thumb."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.blocks.card import card_line
from bot.blocks.home import home_view
from bot.feedback import votes_of
from bot.listeners.context import ListenerContext
from bot.slack.errors import CONNECTION_ERRORS
from memalign.records import Json

log = logging.getLogger(__name__)

LISTED = 10
"""Cards shown as still waiting for a thumb."""
LOOKED_AT = 50
"""How many of the newest verdicts of a judge are looked through for them."""


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Publish the tab anew each time it is opened."""

    @app.event("app_home_opened")
    async def opened(event: dict[str, Json]) -> None:
        if event.get("tab", "home") == "home":
            context.run_after_ack(_publish(context, str(event["user"])))


async def _publish(context: ListenerContext, user: str) -> None:
    judges = []
    for judge in context.settings.judges:
        rules = context.memories[judge.name].guidelines
        judges.append((judge.name, len(context.memories[judge.name].episodes), rules))
    view = home_view(judges, await _open_cards(context, user), await context.status.read())
    await context.client.views_publish(user_id=user, view=view)


async def _open_cards(context: ListenerContext, user: str) -> list[tuple[str, str]]:
    """What still waits for this person: (a line about the card, its link)."""
    found = []
    for judge in context.settings.judges:
        if not await context.members.includes(judge.channel, user):
            continue
        for stored in await context.database.verdicts.recent(judge.name, LOOKED_AT):
            facts = (await context.database.feedback.of(stored.verdict_id)).get(user)
            if stored.message_ts is None or (facts and votes_of(facts)):
                continue
            if link := await _link(context, stored.channel, stored.message_ts):
                found.append((card_line(stored), link))
            if len(found) == LISTED:
                return found
    return found


async def _link(context: ListenerContext, channel: str, ts: str) -> str | None:
    """A link to a message; None where Slack has none, as for a deleted one."""
    try:
        return str((await context.client.chat_getPermalink(channel=channel, message_ts=ts))["permalink"])
    except (SlackApiError, *CONNECTION_ERRORS) as error:
        log.info("no link to the card at %s: %s", ts, error)
        return None
