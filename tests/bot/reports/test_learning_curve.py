"""The learning curve over the weeks, read from the store."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.records import AgreementShare, CurvePoint
from bot.reports.agreement import wilson_interval
from bot.reports.learning_curve import read_learning_curve
from memalign.records import Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import ShadowVerdict
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.factories import a_trace
from tests.storage.records import reaction_event

JUDGE = "politeness"
BERLIN = ZoneInfo("Europe/Berlin")


async def voted(database: Database, number: int, day: datetime, vote: str, base: bool | None) -> None:
    """A card that says pass, judged and voted on at a time."""
    trace_id, seconds = f"tr-{number}", day.timestamp()
    await database.traces.add([(a_trace(trace_id), (JUDGE,))], 0, 1000)
    await database.verdicts.keep(
        Verdict(judge=JUDGE, trace_id=trace_id, value=True, rationale="so"),
        channel="C1",
        judged_ms=int(seconds * 1000),
        day="2026-11-20",
        shadows=() if base is None else (ShadowVerdict(kind="base", value=base),),
    )
    post_id = card_post_id_of(verdict_id_of(JUDGE, trace_id))
    assert await database.outbox.start(post_id)
    assert await database.outbox.done(post_id, f"{number}.1")
    event = reaction_event("UANA", vote, True, f"{seconds:.6f}")
    await database.feedback.note("C1", f"{number}.1", event)


def share(agreed: int, n: int) -> AgreementShare:
    low, high = wilson_interval(agreed, n)
    return AgreementShare(agreed=agreed, n=n, low=low, high=high)


async def curve(database: Database, last_week: str, weeks: int = 52) -> tuple[CurvePoint, ...]:
    return await read_learning_curve(database, JUDGE, value_type_of(bool), BERLIN, last_week, weeks)


async def test_each_week_has_the_judges_share_and_that_without_memory_on_the_same_cards(
    database: Database,
) -> None:
    late_on_sunday = datetime(2026, 11, 15, 23, 59, tzinfo=BERLIN)
    early_on_monday = datetime(2026, 11, 16, 0, 1, tzinfo=BERLIN)
    await voted(database, 1, late_on_sunday, "+1", base=True)
    await voted(database, 2, late_on_sunday, "-1", base=True)
    await voted(database, 3, early_on_monday, "+1", base=False)
    await voted(database, 4, early_on_monday, "+1", base=True)
    await voted(database, 5, early_on_monday, "+1", base=None)
    await voted(database, 6, early_on_monday, "shrug", base=True)
    points = await curve(database, "2026-W47")
    assert [(point.week, point.shown, point.beside_base, point.base) for point in points] == [
        ("2026-W46", share(1, 2), share(1, 2), share(1, 2)),
        ("2026-W47", share(3, 3), share(2, 2), share(1, 2)),
    ]


async def test_weeks_without_labels_and_those_outside_have_no_point(database: Database) -> None:
    await voted(database, 1, datetime(2026, 1, 1, 12, tzinfo=BERLIN), "+1", base=None)
    await voted(database, 2, datetime(2026, 1, 20, 12, tzinfo=BERLIN), "-1", base=None)
    assert [point.week for point in await curve(database, "2026-W05")] == ["2026-W01", "2026-W04"]
    assert [point.week for point in await curve(database, "2026-W05", weeks=2)] == ["2026-W04"]
    (point,) = await curve(database, "2026-W01", weeks=1)
    assert (point.week, point.shown, point.base) == ("2026-W01", share(1, 1), None)


async def test_there_is_no_curve_up_to_a_week_that_does_not_exist(database: Database) -> None:
    with pytest.raises(ValueError, match="no week"):
        await curve(database, "2026-47")
