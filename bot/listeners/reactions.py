"""Thumbs on cards, as reactions."""

from collections.abc import Callable

from slack_bolt.app.async_app import AsyncApp

from bot.runtime.metrics import Metrics
from bot.vote_marks import vote_of_reaction
from memalign.records import Json
from storage.database import Database
from storage.records import FeedbackEvent


def listen(app: AsyncApp, database: Database, metrics: Metrics, wake_learning: Callable[[], None]) -> None:
    """Store each thumb that comes or goes; Slack gets its ack when it is on disk."""

    async def note(event: dict[str, Json], live: bool) -> None:
        item = event.get("item") or {}
        name = str(event.get("reaction", ""))
        vote = vote_of_reaction(name)
        if item.get("type") != "message" or vote is None:
            return
        at = str(event.get("event_ts") or "0")
        reaction = FeedbackEvent(person=event["user"], kind="reaction", name=name, value=live, at=at)
        verdict_id = await database.feedback.note(item["channel"], item["ts"], reaction)
        if live and verdict_id is not None:
            metrics.count_vote(vote, "reaction")
        wake_learning()

    @app.event("reaction_added")
    async def added(event: dict[str, Json]) -> None:
        await note(event, live=True)

    @app.event("reaction_removed")
    async def removed(event: dict[str, Json]) -> None:
        await note(event, live=False)
