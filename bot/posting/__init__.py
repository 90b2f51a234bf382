"""From the outbox to Slack: cards and replies posted, messages redacted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.posting.card_editor import CardEditor
from bot.posting.digest_editor import DigestEditor, RenderShownDigest
from bot.posting.message_edits import MessageEdits
from bot.posting.redaction import MessageRedactor
from bot.posting.rendering import PostRenderer, RenderDigest, RenderStatus, RenderWorsening
from bot.posting.sending import PostSender
from bot.posting.worker import PostingWorker
from bot.resources import Resources
from bot.runtime.supervisor import Background


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingFlow:
    """The parts of posting that other flows reach."""

    wake: Callable[[], None]
    redact_now: Callable[[], Awaitable[None]]
    cards: CardEditor
    background: Background


def build(
    resources: Resources,
    render_status: RenderStatus,
    render_digest: RenderDigest,
    render_shown_digest: RenderShownDigest,
    render_worsening: RenderWorsening,
    *,
    pace_seconds: float,
    settle_seconds: float,
) -> PostingFlow:
    """Build what posts, with the pauses that `PostingWorker` takes, and what redacts."""
    database, slack, health = resources.database, resources.slack, resources.health
    renderer = PostRenderer(
        resources.settings,
        database,
        resources.memories,
        slack.people,
        render_status,
        render_digest,
        render_worsening,
    )
    sender = PostSender(slack.posting_client, database, renderer.render, health, slack.charts)
    worker = PostingWorker(database, sender, health, pace_seconds=pace_seconds, settle_seconds=settle_seconds)
    edits = MessageEdits()
    digests = DigestEditor(slack.client, render_shown_digest, slack.charts)
    redactor = MessageRedactor(
        slack.client, database, health, slack.people, resources.settings.digest.zone, edits, digests
    )
    return PostingFlow(
        wake=worker.wake,
        redact_now=redactor.redact_now,
        cards=CardEditor(slack.client, database, resources.memories, resources.settings.titles, edits),
        background={"posting": worker.run, "redacting messages": redactor.run},
    )
