"""Gauges of agreement: the running week and the last four, with the number of verdicts."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import generate_latest

from bot.records import RecentAgreement, Status
from bot.reports.agreement import wilson_interval
from bot.reports.digest import read_digest
from bot.reports.recent_agreement import KEPT_SECONDS, RecentAgreementReader
from bot.web.metrics import registry_of
from memalign.records import Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import CardSelection, FeedbackEvent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import settings_for
from tests.storage.records import reaction_event

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 12, tzinfo=ZONE)
NOTHING = Status(
    connected=True, traces_waiting=0, feedback_waiting=0, posts_waiting=0, judges=(), troubles=()
)


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        return self.seconds


def reader(folder: Path, database: Database, clock: Clock) -> RecentAgreementReader:
    settings = settings_for(folder, "C1", digest={"timezone": "Europe/Berlin"})
    return RecentAgreementReader(settings, database, lambda: int(NOW.timestamp() * 1000), clock.read)


async def answered(
    database: Database, judge: str, number: int, day: str, thumb: str, chance: float = 1.0
) -> None:
    """A card with one person's vote, at noon of a day."""
    trace_id = f"tr-{number}"
    verdict = Verdict(judge=judge, trace_id=trace_id, value=True, rationale="so")
    selection = CardSelection(probability=chance)
    await database.verdicts.keep(verdict, channel="C1", judged_ms=number, day=day, selection=selection)
    post_id = card_post_id_of(verdict_id_of(judge, trace_id))
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZONE).timestamp()
    await database.outbox.start(post_id)
    await database.outbox.done(post_id, f"{noon + number:.6f}")
    await database.feedback.note(
        "C1", f"{noon + number:.6f}", reaction_event("ana", thumb, True, f"{noon + 100:.6f}")
    )


def agreement(judge: str, weeks: int, agreed: int, n: int) -> RecentAgreement:
    low, high = wilson_interval(agreed, n)
    return RecentAgreement(judge=judge, weeks=weeks, n=n, agreement=agreed / n, low=low, high=high)


async def test_agreement_is_told_of_the_running_week_and_of_the_last_four(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "store") as database:
        clock = Clock()
        figures = reader(tmp_path, database, clock)
        [judge] = {each.judge for each in await figures.read()}
        days = [
            ("2026-10-30", "-1"),  # before the four weeks
            ("2026-11-02", "+1"),
            ("2026-11-15", "-1"),
            ("2026-11-22", "+1"),
            ("2026-11-23", "+1"),
            ("2026-11-26", "-1"),
            ("2026-11-26", "shrug"),
        ]
        for number, (day, thumb) in enumerate(days):
            await answered(database, judge, number, day, thumb)
        assert [each.n for each in await figures.read()] == [0, 0]  # kept for a minute
        clock.seconds += KEPT_SECONDS
        assert await figures.read() == (agreement(judge, 1, 1, 2), agreement(judge, 4, 3, 5))
        week = await read_digest(database, judge, value_type_of(bool), "2026-W48", ZONE)
        assert (week.n, week.weighted_agreement, week.weighted_low) == (2, 0.5, wilson_interval(1, 2)[0])


async def test_gauges_weigh_cards_by_their_chance_of_being_picked(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "store") as database:
        judge = settings_for(tmp_path, "C1").judges[0].name
        await answered(database, judge, 1, "2026-11-23", "+1", chance=0.1)
        await answered(database, judge, 2, "2026-11-23", "-1", chance=0.5)
        running, _ = await reader(tmp_path, database, Clock()).read()
    assert running.agreement == pytest.approx(10 / 12)


@pytest.mark.parametrize("n", [0, 2])
def test_where_there_is_no_verdict_there_is_no_share(n: int) -> None:
    none = RecentAgreement(judge="polite", weeks=1, n=0, agreement=None, low=None, high=None)
    text = generate_latest(
        registry_of(NOTHING, {}, {}, [agreement("polite", 1, 1, 2) if n else none])
    ).decode()
    assert f'memalign_agreement_verdicts{{judge="polite",weeks="1"}} {n}.0' in text
    assert ('memalign_agreement{judge="polite",weeks="1"} 0.5' in text) == bool(n)
    assert ("memalign_agreement_low{" in text) == ("memalign_agreement_high{" in text) == bool(n)


async def test_a_vote_changed_on_a_later_day_is_read_once(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "store") as database:
        figures = reader(tmp_path, database, Clock())
        judge = settings_for(tmp_path, "C1").judges[0].name
        await answered(database, judge, 1, "2026-11-23", "+1")
        card = (await database.verdicts.recent(judge, 1))[0]
        later = datetime(2026, 11, 25, 9, tzinfo=ZONE).timestamp()
        changes = (
            FeedbackEvent(person="ana", kind="reaction", name="+1", value=False, at=f"{later:.6f}"),
            FeedbackEvent(person="ana", kind="reaction", name="-1", value=True, at=f"{later + 1:.6f}"),
        )
        for event in changes:
            await database.feedback.note("C1", card.message_ts or "", event)
        assert (await figures.read())[0] == agreement(judge, 1, 0, 1)
