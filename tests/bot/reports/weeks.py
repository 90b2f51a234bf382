"""Weeks of cards and votes in a store, for tests of what is told of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from memalign.records import Label, Trace, Verdict
from storage.database import Database
from storage.records import FeedbackEvent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import JUDGE
from tests.storage.records import correction_event, reaction_event

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEK, WEEK_BEFORE = "2026-W48", "2026-W47"
REACTIONS = {"up": "+1", "down": "-1", "unsure": "shrug"}


class Cards:
    """Posts cards, and lets people vote on them."""

    def __init__(self, database: Database, judge: str = JUDGE, channel: str = "C1") -> None:
        self._database = database
        self._judge = judge
        self._channel = channel
        self._number = 0

    async def add(
        self,
        votes: Sequence[tuple[str, str]] = (),
        *,
        at: datetime = MONDAY,
        value: Label = True,
        question: str = "",
        right_value: Label | None = None,
    ) -> str:
        """Post a card and vote on it: a person and `up`, `down` or `unsure` each; returns its verdict's id.

        Whoever disagrees names the right value, if there is one.
        """
        self._number += 1
        trace_id = f"{self._channel}-tr-{self._number}"
        verdict_id = verdict_id_of(self._judge, trace_id)
        ts = f"{at.timestamp() + self._number:.6f}"
        trace = Trace(trace_id=trace_id, inputs=question or f"Question {self._number}?", outputs="An answer.")
        await self._database.traces.add([(trace, [self._judge])], 1, 10_000)
        verdict = Verdict(judge=self._judge, trace_id=trace_id, value=value, rationale="so")
        await self._database.verdicts.keep(
            verdict, channel=self._channel, judged_ms=self._number, day=at.date().isoformat()
        )
        await self._database.outbox.start(card_post_id_of(verdict_id))
        await self._database.outbox.done(card_post_id_of(verdict_id), ts)
        for minute, (person, vote) in enumerate(votes):
            voted_at = f"{(at + timedelta(minutes=1 + minute)).timestamp():.6f}"
            await self.event(ts, reaction_event(person, REACTIONS[vote], True, voted_at))
            if vote == "down" and right_value is not None:
                await self.event(ts, correction_event(person, right_value, voted_at))
        return verdict_id

    async def add_week(self, right: int, wrong: int, at: datetime = MONDAY, person: str = "U1") -> None:
        """Post so many cards with which the person agrees, and so many with which they do not."""
        for number in range(right + wrong):
            await self.add([(person, "up" if number < right else "down")], at=at)

    async def event(self, ts: str, event: FeedbackEvent) -> None:
        """Note what somebody did about a card."""
        await self._database.feedback.note(self._channel, ts, event)
