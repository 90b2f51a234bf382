"""Records for the store's tests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memalign.records import Json, Trace, Verdict
from storage.database import Database
from storage.records import Post
from storage.verdicts import verdict_id_of

DAY = "2023-11-14"
NOON_MS = 1_699_963_200_000
"""12:00 UTC on that day."""


def at(seconds: float = 0.0) -> str:
    """Slack's event time, so long after noon of the day."""
    return f"{NOON_MS / 1000 + seconds:.6f}"


def trace(trace_id: str = "tr-1", **fields: Json) -> Trace:
    return Trace(trace_id=trace_id, **fields)


def verdict(trace_id: str = "tr-1", judge: str = "polite", rationale: str = "It thanks.") -> Verdict:
    return Verdict(judge=judge, trace_id=trace_id, value=True, rationale=rationale)


def card(trace_id: str = "tr-1", judge: str = "polite", channel: str = "C1") -> Post:
    verdict_id = verdict_id_of(judge, trace_id)
    return Post(post_id=f"card-{verdict_id}", channel=channel, kind="card", verdict_id=verdict_id)


def note(post_id: str, channel: str = "C1") -> Post:
    return Post(post_id=post_id, channel=channel, kind="note", payload={"text": "hello"})


async def judged(
    db: Database, trace_id: str = "tr-1", judge: str = "polite", channel: str = "C1", judged_ms: int = NOON_MS
) -> str:
    """A trace with its verdict and the card still in the outbox; the verdict's id."""
    await db.traces.add([(trace(trace_id), [judge])], judged_ms, 1000)
    said, post = verdict(trace_id, judge), card(trace_id, judge, channel)
    assert await db.verdicts.keep(said, channel=channel, judged_ms=judged_ms, post=post, day=DAY)
    return verdict_id_of(judge, trace_id)


async def posted(
    db: Database, trace_id: str = "tr-1", judge: str = "polite", channel: str = "C1", ts: str = "100.1"
) -> str:
    """A trace whose verdict is shown by the message `ts`; the verdict's id."""
    verdict_id = await judged(db, trace_id, judge, channel)
    post_id = card(trace_id, judge, channel).post_id
    assert await db.outbox.start(post_id)
    assert await db.outbox.done(post_id, ts)
    return verdict_id


def places_of(needles: Sequence[bytes], folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files under the folder that hold any of the byte strings."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            yield from ((file.name, needle) for needle in needles if needle in content)
