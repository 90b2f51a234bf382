"""Questions to every repository about the store in `fixtures`, and the answers as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from memalign.ports import VectorKey
from memalign.records import Json
from memalign.serialization import to_document
from storage.database import Database
from storage.records import DigestContent, Post
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.storage.records import DAY, FOREVER_MS, NOON_MS

HOUR_MS = 3_600_000
LATE_MS = NOON_MS + 100 * 24 * HOUR_MS
JUDGES = ("polite", "useful")
PEOPLE = ("U1", "U2", "U3", "U9")
TRACES = (
    *("tr-shown", "tr-learned", "tr-postponed", "tr-ready", "tr-later", "tr-flight", "tr-due", "tr-retry"),
    *("tr-held", "tr-forgotten", "tr-cancelled", "tr-old", "odd\x00id\x01\ud83d <x> & y"),
    *("tr-second", "tr-gone", "tr-unknown"),
)
CARDS = ("100.1", "100.2", "100.4", "100.5", "100.9", "9.9")
CHANNELS = ("C1", "C2", "C3", "C4", "C5", "C6", "C9")
VERDICTS = tuple(verdict_id_of(judge, trace_id) for judge in JUDGES for trace_id in TRACES)
NEW_FIELDS: tuple[tuple[str, Json], ...] = (
    ("error", None),
    ("left_out", {"guidelines": 0, "cases": 0, "tokens": 0}),
    ("model", ""),
    ("memory", {"guidelines": 0, "cases": 0}),
    ("guideline_wordings", []),
    ("asked_for_evidence", False),
    ("forgotten_cases", 0),
    ("forgotten_cited_cases", 0),
    ("selection", {"probability": 1.0, "reason": "all", "features": []}),
    ("shadows", []),
    ("resembles_case", False),
    ("is_blind", False),
    ("revealed_at", None),
    ("card_revision", 0),
    ("has_card", True),
    ("own_failures", 0),
    ("refusals", 0),
    ("kept_vote", None),
    ("supports", None),
    ("supports", []),
    ("past", []),
    ("answer", None),
    ("lessons", []),
)
"""Fields of records since 0.1.0, with the default that a record of 0.1.0 has there."""


def plain(value: Any) -> Json:
    """Return a value of records as JSON, leaving out default values of fields that 0.1.0 did not have."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        fields = {str(name): plain(each) for name, each in value.items()}
        if "shown_guideline_ids" in fields:
            fields = verdict_in_0_1_0(fields)
        if "source_type" in fields and not fields.get("guideline_ids"):
            fields.pop("guideline_ids", None)  # an assessment of 0.1.0 has none
        return {name: each for name, each in fields.items() if (name, each) not in NEW_FIELDS}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def verdict_in_0_1_0(fields: Mapping[str, Json]) -> dict[str, Json]:
    """Return a verdict that names nothing that led it, with the names of 0.1.0."""
    assert (fields["guideline_ids"], fields["cited_trace_ids"]) == ([], [])
    shown = {**fields, "guideline_ids": fields["shown_guideline_ids"]}
    return {
        name: each for name, each in shown.items() if name not in ("shown_guideline_ids", "cited_trace_ids")
    }


async def answers(db: Database) -> Json:
    """Ask first what changes nothing, then what takes work back into the order, then let the posts arrive."""
    return plain({**await lasting(db), **await due(db), **await delivered(db)})


async def lasting(db: Database) -> dict[str, Any]:
    """Answers that a second asking finds unchanged."""
    return {
        **await about_verdicts(db),
        **await about_people(db),
        "traces": {each: await db.traces.get(each) for each in TRACES},
        "forgotten traces": [each for each in TRACES if await db.traces.is_forgotten(each)],
        "jobs waiting": await db.traces.waiting(),
        "in flight": [post_in_0_1_0(post) for post in await db.outbox.in_flight()],
        "posts waiting": await db.outbox.waiting(),
        "expecting": sorted(await db.outbox.expecting(CHANNELS)),
        "memories": {each: await memory(db, each) for each in (*JUDGES, "nobody")},
        "vectors": await vectors(db),
        "audit": [line_in_0_1_0(line) for line in plain(await db.audit.between(0, LATE_MS))],
        "requests": await requests(db),
        "redactions": await redactions(db),
    }


async def about_verdicts(db: Database) -> dict[str, Any]:
    voted = {each: await db.feedback.voted_between(each, NOON_MS, NOON_MS + HOUR_MS) for each in JUDGES}
    later = await db.feedback.voted_between("polite", NOON_MS + 12 * HOUR_MS, LATE_MS)
    recent = {each: await db.verdicts.recent(each, 5) for each in JUDGES}
    return {
        "verdicts": {each: await db.verdicts.of_trace(each) for each in TRACES},
        "cards": {ts: await db.verdicts.by_card("C1", ts) for ts in CARDS},
        "shown": {each: await db.verdicts.shown_on(each, DAY) for each in CHANNELS if each != "C6"},
        "recent": {judge: [each.verdict_id for each in verdicts] for judge, verdicts in recent.items()},
        "all verdicts": [each.verdict_id for each in await db.verdicts.page(None, 100)],
        "voted": {
            judge: {each.verdict_id: given for each, given in verdicts} for judge, verdicts in voted.items()
        },
        "voted a day later": [each.verdict_id for each, _ in later],
    }


async def about_people(db: Database) -> dict[str, Any]:
    of_person = {each: await db.feedback.of_person(each) for each in PEOPLE}
    return {
        "feedback": {each: await db.feedback.of(each) for each in VERDICTS},
        "told": {each: await db.feedback.thread_posts(each) for each in VERDICTS},
        "of person": {
            person: [each.verdict_id for each in verdicts] for person, verdicts in of_person.items()
        },
        "forgotten people": {each: await db.feedback.forgotten_ms(each) for each in PEOPLE},
        "feedback waiting": await db.feedback.waiting(),
    }


async def due(db: Database) -> dict[str, Any]:
    """Answers by a transaction that may write: it takes back into the order what has waited long enough."""
    return {
        "first start": await db.audit.first_start_ms(LATE_MS),
        "jobs now": await db.traces.next_jobs(NOON_MS + 10, 100),
        "jobs later": [[each.trace_id, each.judge] for each in await db.traces.next_jobs(LATE_MS, 100)],
        "pending later": [each.verdict_id for each in await db.feedback.pending(LATE_MS, 2000)],
        "posts now": [post_in_0_1_0(post) for post in await db.outbox.next_due(NOON_MS)],
        "posts later": [post.post_id for post in await db.outbox.next_due(LATE_MS)],
    }


async def delivered(db: Database) -> dict[str, Any]:
    """Answers once a card for which events had come early, and one cancelled on its way, have arrived."""
    in_flight, cancelled = (verdict_id_of("polite", each) for each in ("tr-flight", "tr-cancelled"))
    digest = Post(post_id="d", channel="C6", content=DigestContent(text="again"))
    return {
        "delivered": await db.outbox.done(card_post_id_of(in_flight), "200.1"),
        "early events applied": await db.feedback.of(in_flight),
        "cancelled delivered": await db.outbox.done(card_post_id_of(cancelled), "500.1"),
        "redactions at last": await redactions(db),
        "digest again": await db.outbox.add_digest("C6:polite", "2023-W46", digest),
    }


async def memory(db: Database, judge: str) -> Json:
    """Return a judge's memory without its version, which 0.1.0 did not have."""
    snapshot = await db.memories.load(judge)
    return {
        "episodes": {trace_id: to_document(episode) for trace_id, episode in snapshot.episodes.items()},
        "guidelines": [to_document(guideline) for guideline in snapshot.guidelines],
        "undistilled": sorted(snapshot.undistilled),
    }


async def vectors(db: Database) -> dict[str, Any]:
    keys = [VectorKey(model="local:/m", dimension=3, digest=each) for each in ("aa", "bb", "cc")]
    return {each.digest: row for each, row in (await db.memories.vectors(keys)).items()}


async def requests(db: Database) -> list[Json]:
    stored_requests: list[dict[str, Json]] = plain(await db.forgetting.requests())
    return [{**each, "notes": [line_in_0_1_0(line) for line in each["notes"]]} for each in stored_requests]


async def redactions(db: Database) -> list[Json]:
    """Return the redactions as 0.1.0 named their fields."""
    stored: list[dict[str, Json]] = plain(await db.forgetting.redactions_due(FOREVER_MS))
    return [{name: value for name, value in each.items() if name != "created_ms"} for each in stored]


def line_in_0_1_0(line: Mapping[str, Json]) -> Json:
    """Return an audit line as 0.1.0 named its fields."""
    return {("who" if name == "person" else name): value for name, value in line.items()}


def post_in_0_1_0(post: Post) -> Json:
    """Return a post as 0.1.0 named its fields."""
    fields: dict[str, Json] = plain(post)
    content = fields.pop("content")
    for name in ("nonce", "created_ms"):  # in no post of that version
        del fields[name]
    kind = "void" if post.content is None else post.content.kind
    return {**fields, "kind": kind, "payload": content or {}}
