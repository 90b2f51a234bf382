"""Frozen records of what the store keeps besides the core's own: facts, waiting work, posts, deeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from memalign.records import Json, Verdict

Accepted = Literal["accepted", "duplicate", "forgotten", "full"]
"""What became of a trace that was handed in; only an accepted one was stored."""
PostKind = Literal["card", "lesson", "digest", "note", "void"]
"""`void`: it was forgotten while it was on its way, so that it is to be taken down where it arrived."""
PostState = Literal["due", "posting"]
"""Waiting its turn, or on its way to Slack; after a crash nobody knows whether the latter arrived."""
FactKind = Literal["reaction", "button", "correction", "reply"]
DigestState = Literal["intended", "posted"]
AuditAction = Literal[
    "guideline_learned",
    "guideline_retired",
    "forgotten",
    "digest_posted",
    "guideline_waiting",
    "person_forgotten",
    "expired",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamped:
    """A value that the latest event decides."""

    value: Json
    at: str
    """Slack's event time, seconds with a decimal part such as `1700000000.000100`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply in a card's thread as it reads now."""

    text: str | None
    """None once deleted, which is final."""
    at: str
    """Slack's event time of the last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFeedback:
    """All that one person did about one verdict. Vote and rationale follow from it elsewhere."""

    reactions: Mapping[str, Timestamped] = field(default_factory=dict)
    """Emoji name as Slack sends it -> whether it is there."""
    button: Timestamped | None = None
    """The vote of the buttons; its value is None once taken back."""
    correction: Timestamped | None = None
    """The value that the person holds right."""
    replies: Mapping[str, Reply] = field(default_factory=dict)
    """By the reply's own message ts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEvent:
    """One thing a person did about one message, as an event told it."""

    person: str
    kind: FactKind
    name: str = ""
    """The emoji of a reaction, the ts of a reply; else empty."""
    value: Json
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """A verdict with what the store knows of it."""

    verdict_id: str
    verdict: Verdict
    judged_ms: int
    channel: str
    message_ts: str | None = None
    """The card that shows it; None until it is posted."""
    revision: int = 0
    """Grows whenever people's facts about it change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A trace waiting to be judged by one judge."""

    trace_id: str
    judge: str
    received_ms: int
    attempts: int = 0
    """How often it was tried in vain."""
    not_before_ms: int = 0
    reason: str | None = None
    """Why it waits longer; None when nothing went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message for a channel, kept until Slack has it."""

    post_id: str
    channel: str
    kind: PostKind
    thread_ts: str | None = None
    verdict_id: str | None = None
    payload: Mapping[str, Json] = field(default_factory=dict)
    """What the message is made of; a lesson's has `guideline_ids`."""
    state: PostState = "due"
    attempts: int = 0
    """How often it was tried in vain."""
    not_before_ms: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFeedback:
    """A verdict whose facts changed since they were last learned."""

    verdict_id: str
    trace_id: str
    judge: str
    revision: int
    since_ms: int
    """Time of the last change, by Slack's clock."""
    attempts: int = 0
    not_before_ms: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPost:
    """What a verdict's thread was told: a lesson, or a note without guidelines."""

    message_ts: str
    guideline_ids: tuple[str, ...] = ()
    post_id: str = ""
    """The post that said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what, when, to which ids; never the words themselves."""

    at_ms: int
    what: AuditAction
    judge: str
    who: str | None = None
    ids: tuple[str, ...] = ()
