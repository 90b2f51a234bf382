"""A store with verdicts and votes of which a test knows everything, as a bot would have left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from memalign.records import Json, Label, Trace, Verdict
from storage.database import Database
from storage.records import (
    SHOWN_AS_ALL,
    CardSelection,
    FeedbackEvent,
    ShadowVerdict,
    StoredVerdict,
)

CHANNEL = "C0000000001"
MONDAY_MS = int(datetime(2026, 8, 3, 8, tzinfo=UTC).timestamp() * 1000)
"""The first card of week 32."""
HOUR_MS = 3_600_000
WEEK_MS = 7 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class FedVote:
    """One person's vote: `+1`, `-1` or `shrug`, and the value that a 👎 names; of a blind card, the value alone."""

    emoji: str
    value: Label | None = None
    hours: float = 1.0
    """After the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FedCard:
    """A card with its votes, by person."""

    trace_id: str
    value: Label
    week: int = 0
    """After the first one."""
    votes: Mapping[str, FedVote] = field(default_factory=dict)
    question: Json = "Where is my parcel?"
    rationale: str = "It names no place."
    model: str = "local:/cases"
    selection: CardSelection = SHOWN_AS_ALL
    shadows: tuple[ShadowVerdict, ...] = ()
    resembles_case: bool = False
    is_blind: bool = False


async def feed(database: Database, judge: str, cards: Sequence[FedCard]) -> None:
    """Put cards and votes into a store, card after card a minute apart in their weeks."""

    def write() -> None:
        for number, card in enumerate(cards):
            _put(database, judge, card, MONDAY_MS + card.week * WEEK_MS + number * 60_000)

    await database.traces.add(
        [(Trace(trace_id=card.trace_id, inputs=card.question, outputs="Soon."), ()) for card in cards],
        MONDAY_MS,
        100,
    )
    await database.store.write(write)


def _put(database: Database, judge: str, card: FedCard, at_ms: int) -> None:
    ts = event_time(at_ms)
    verdict = Verdict(
        judge=judge,
        trace_id=card.trace_id,
        value=card.value,
        rationale=card.rationale,
        model=card.model,
    )
    database.verdicts.put(
        StoredVerdict(
            verdict_id=f"v-{card.trace_id}",
            verdict=verdict,
            judged_ms=at_ms,
            channel=CHANNEL,
            message_ts=ts,
            selection=card.selection,
            shadows=card.shadows,
            resembles_case=card.resembles_case,
            is_blind=card.is_blind,
        )
    )
    for person, vote in card.votes.items():
        at = event_time(at_ms + int(vote.hours * HOUR_MS))
        if not card.is_blind:
            reaction = FeedbackEvent(person=person, kind="reaction", name=vote.emoji, value=True, at=at)
            database.feedback.take_in(CHANNEL, ts, reaction)
        if vote.value is not None:
            said = FeedbackEvent(
                person=person, kind="answer" if card.is_blind else "correction", value=vote.value, at=at
            )
            database.feedback.take_in(CHANNEL, ts, said)


def event_time(at_ms: int) -> str:
    """Slack's form of a time."""
    return f"{at_ms / 1000:.6f}"
