"""Records for the store's tests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memalign.records import Json, Label, Trace, Verdict
from storage.database import Database
from storage.records import (
    CardContent,
    FeedbackEvent,
    LessonContent,
    NoteContent,
    Post,
    StatusContent,
    StoredVerdict,
)
from storage.thread_statuses import status_post_id_of
from storage.verdicts import card_post_id_of, verdict_id_of

DAY = "2023-11-14"
NOON_MS = 1_699_963_200_000
"""12:00 UTC on that day."""
FOREVER_MS = 9 * NOON_MS
"""After everything that a test puts off."""


def at(seconds: float = 0.0) -> str:
    """Slack's event time, so long after noon of the day."""
    return f"{NOON_MS / 1000 + seconds:.6f}"


def reaction_event(person: str, name: str, live: bool, at: str) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="reaction", name=name, value=live, at=at)


def button_event(person: str, vote: str | None, at: str) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="button", value=vote, at=at)


def correction_event(person: str, value: Label | None, at: str) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="correction", value=value, at=at)


def reply_event(person: str, reply_ts: str, text: str | None, at: str) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="reply", name=reply_ts, value=text, at=at)


def trace(trace_id: str = "tr-1", **fields: Json) -> Trace:
    return Trace(trace_id=trace_id, **fields)


def verdict(
    trace_id: str = "tr-1",
    judge: str = "polite",
    rationale: str = "It thanks.",
    guideline_ids: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        judge=judge, trace_id=trace_id, value=True, rationale=rationale, guideline_ids=guideline_ids
    )


def card(trace_id: str = "tr-1", judge: str = "polite", channel: str = "C1") -> Post:
    verdict_id = verdict_id_of(judge, trace_id)
    return Post(
        post_id=card_post_id_of(verdict_id),
        channel=channel,
        content=CardContent(trace_id=trace_id, judge=judge),
        verdict_id=verdict_id,
    )


def lesson(post_id: str, verdict_id: str, *guideline_ids: str, text: str = "Be kind.") -> Post:
    content = LessonContent(text=text, guideline_ids=guideline_ids)
    return Post(post_id=post_id, channel="C1", content=content, thread_ts="1.1", verdict_id=verdict_id)


def status_post(verdict_id: str) -> Post:
    """The post that brings a thread's status."""
    return Post(
        post_id=status_post_id_of(verdict_id),
        channel="C1",
        content=StatusContent(),
        thread_ts="1.1",
        verdict_id=verdict_id,
    )


async def stored(db: Database, verdict_id: str) -> StoredVerdict:
    """A verdict that there is."""
    verdict = await db.verdicts.get(verdict_id)
    assert verdict is not None
    return verdict


def note(post_id: str, channel: str = "C1") -> Post:
    return Post(post_id=post_id, channel=channel, content=NoteContent(text="hello"))


async def judged(
    db: Database,
    trace_id: str = "tr-1",
    judge: str = "polite",
    channel: str = "C1",
    judged_ms: int = NOON_MS,
    guideline_ids: tuple[str, ...] = (),
) -> str:
    """A trace with its verdict and the card still in the outbox; the verdict's id."""
    await db.traces.add([(trace(trace_id), [judge])], judged_ms, 1000)
    said = verdict(trace_id, judge, guideline_ids=guideline_ids)
    assert await db.verdicts.keep(said, channel=channel, judged_ms=judged_ms, day=DAY)
    return verdict_id_of(judge, trace_id)


async def posted(
    db: Database,
    trace_id: str = "tr-1",
    judge: str = "polite",
    channel: str = "C1",
    ts: str = "100.1",
    guideline_ids: tuple[str, ...] = (),
) -> str:
    """A trace whose verdict is shown by the message `ts`; the verdict's id."""
    verdict_id = await judged(db, trace_id, judge, channel, guideline_ids=guideline_ids)
    post_id = card_post_id_of(verdict_id)
    assert await db.outbox.start(post_id)
    assert await db.outbox.done(post_id, ts)
    return verdict_id


def places_of(needles: Sequence[bytes], folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files under the folder that hold any of the byte strings."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            yield from ((file.name, needle) for needle in needles if needle in content)
