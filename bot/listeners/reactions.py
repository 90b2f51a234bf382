"""Thumbs on cards, as reactions."""

from slack_bolt.app.async_app import AsyncApp

from bot.feedback import vote_of_reaction
from bot.listeners.context import ListenerContext
from memalign.records import Json


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Store each thumb that comes or goes; Slack gets its ack when it is on disk."""

    async def note(event: dict[str, Json], live: bool) -> None:
        item = event.get("item") or {}
        name = str(event.get("reaction", ""))
        if item.get("type") != "message" or vote_of_reaction(name) is None:
            return
        at = str(event.get("event_ts") or "0")
        await context.database.feedback.note_reaction(
            item["channel"], item["ts"], event["user"], name, live=live, at=at
        )
        context.learning.wake()

    @app.event("reaction_added")
    async def added(event: dict[str, Json]) -> None:
        await note(event, live=True)

    @app.event("reaction_removed")
    async def removed(event: dict[str, Json]) -> None:
        await note(event, live=False)
