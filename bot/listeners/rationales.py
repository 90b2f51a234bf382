"""Replies in a card's thread: written, edited, deleted."""

from collections.abc import Callable
from dataclasses import dataclass

from slack_bolt.app.async_app import AsyncApp

from bot.feedback import REPLY_SUBTYPES
from memalign.records import Json
from storage.database import Database
from storage.records import FeedbackEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEvent:
    """One thing a person did in a thread."""

    channel: str
    card_ts: str
    event: FeedbackEvent


def listen(
    app: AsyncApp,
    database: Database,
    redact: Callable[[FeedbackEvent], FeedbackEvent],
    wake_learning: Callable[[], None],
) -> None:
    """Store each reply, redacted; Slack gets its ack when it is on disk."""

    @app.event("message")
    async def message(event: dict[str, Json]) -> None:
        reply = reply_of(event)
        if reply is not None:
            await database.feedback.note(reply.channel, reply.card_ts, redact(reply.event))
            wake_learning()


def reply_of(event: dict[str, Json]) -> ThreadEvent | None:
    """Return what a message event says of a reply in a thread; None if it says nothing of a person's words."""
    match event.get("subtype"):
        case "message_changed":
            return _changed(event)
        case "message_deleted":
            return _deleted(event)
        case subtype if subtype in REPLY_SUBTYPES:
            return _reply(event, event, str(event.get("text") or ""), str(event["ts"]))
        case _:
            return None


def _changed(event: dict[str, Json]) -> ThreadEvent | None:
    """Read an edit; Slack sends the same event for link previews and counters, where the text has stayed."""
    message = event.get("message") or {}
    previous = event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return _reply(event, {**previous, **message, "user": previous.get("user")}, None, _event_ts(event))
    if message.get("text") == previous.get("text") and "edited" not in message:
        return None
    at = str((message.get("edited") or {}).get("ts") or _event_ts(event))
    return _reply(event, message, str(message.get("text") or ""), at)


def _deleted(event: dict[str, Json]) -> ThreadEvent | None:
    previous = event.get("previous_message") or {}
    return _reply(event, {**previous, "ts": event.get("deleted_ts")}, None, _event_ts(event))


def _event_ts(event: dict[str, Json]) -> str:
    return str(event.get("event_ts") or event.get("ts") or "0")


def _reply(event: dict[str, Json], message: dict[str, Json], text: str | None, at: str) -> ThreadEvent | None:
    thread_ts, ts, person = message.get("thread_ts"), message.get("ts"), message.get("user")
    if not (thread_ts and ts and person) or thread_ts == ts or message.get("bot_id"):
        return None
    reply = FeedbackEvent(person=str(person), kind="reply", name=str(ts), value=text, at=at)
    return ThreadEvent(channel=str(event["channel"]), card_ts=str(thread_ts), event=reply)
