"""Answers given before the verdict is seen, beside those with it in sight."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.records import EstimatedShare
from bot.reports.agreement import newcombe_interval, wilson_interval
from bot.reports.blind_agreement import FirstAnswer, compare_blind
from bot.reports.blind_weeks import with_blind_of_weeks
from bot.reports.digest import read_digest
from bot.reports.weighted_agreement import WeightedCase
from memalign.records import Label, Verdict
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import FeedbackEvent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import JUDGE, settings_for

ZONE = ZoneInfo("UTC")
AGREEMENT = 0.76
"""Share of verdicts that people agree with if they have not seen them."""
BLIND, SHOWN = 60, 240
RUNS = 1000


def answers(agreed: int, n: int, *, is_blind: bool, probability: float = 1.0) -> list[FirstAnswer]:
    return [
        FirstAnswer(case=WeightedCase(agreed=number < agreed, probability=probability), is_blind=is_blind)
        for number in range(n)
    ]


def estimated(agreed: int, n: int) -> EstimatedShare:
    low, high = wilson_interval(agreed, n)
    return EstimatedShare(share=agreed / n, low=low, high=high)


@given(st.integers(1, 400), st.integers(1, 400), st.data())
@settings(deadline=None)
def test_the_interval_of_a_difference_is_statsmodels(n: int, other: int, data: st.DataObject) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    agreed, other_agreed = data.draw(st.integers(0, n)), data.draw(st.integers(0, other))
    expected = proportion.confint_proportions_2indep(
        agreed, n, other_agreed, other, method="newcomb", compare="diff"
    )
    interval = newcombe_interval(estimated(agreed, n), estimated(other_agreed, other))
    assert interval == pytest.approx(expected, abs=1e-12)


def test_the_anchoring_effect_is_the_difference_with_its_interval() -> None:
    # the example of Newcombe's table II, (a): 56 of 70 and 48 of 80
    blind = compare_blind([*answers(48, 80, is_blind=True), *answers(56, 70, is_blind=False)])
    assert blind is not None
    assert (blind.agreed, blind.n, blind.anchored_agreed, blind.anchored_n) == (48, 80, 56, 70)
    assert blind.effect == pytest.approx(0.2)
    assert (blind.effect_low, blind.effect_high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert (blind.low, blind.high) == wilson_interval(48, 80)


def test_without_answers_of_the_one_or_other_kind_there_is_no_effect() -> None:
    assert compare_blind(answers(5, 9, is_blind=False)) is None
    blind = compare_blind(answers(5, 9, is_blind=True))
    assert blind is not None
    assert (blind.n, blind.agreed, blind.effect, blind.effect_low, blind.effect_high) == (
        9,
        5,
        None,
        None,
        None,
    )


def test_cards_are_weighed_by_their_chance_of_being_picked() -> None:
    blind = compare_blind(
        [
            *answers(2, 6, is_blind=True, probability=0.5),
            *answers(6, 6, is_blind=True, probability=0.1),
            *answers(9, 10, is_blind=False),
        ]
    )
    assert blind is not None
    assert blind.agreement == pytest.approx((2 * 2 + 6 * 10) / (6 * 2 + 6 * 10))
    assert blind.effect == pytest.approx(0.9 - blind.agreement)


async def a_card(
    database: Database, number: int, day: str, *events: FeedbackEvent, is_blind: bool, judged: Label = True
) -> None:
    """A card posted at 9:00 of a day, and what people do about it; a blind one shows the verdict after the first."""
    trace_id = f"tr-{number}"
    verdict = Verdict(judge=JUDGE, trace_id=trace_id, value=judged, rationale="so")
    await database.verdicts.keep(verdict, channel="C1", judged_ms=number, day=day, is_blind=is_blind)
    verdict_id = verdict_id_of(JUDGE, trace_id)
    post_id, ts = card_post_id_of(verdict_id), at(day, number / 1e6)
    await database.outbox.start(post_id)
    await database.outbox.done(post_id, ts)
    for event in events:
        await database.feedback.note("C1", ts, event)
        await database.feedback.reveal(verdict_id, event.at, 1)


def at(day: str, seconds: float) -> str:
    return f"{datetime.fromisoformat(f'{day}T09:00').replace(tzinfo=UTC).timestamp() + seconds:.6f}"


def says(person: str, value: Label, day: str, seconds: float) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="answer", value=value, at=at(day, seconds))


def votes(person: str, vote: str, day: str, seconds: float) -> FeedbackEvent:
    return FeedbackEvent(person=person, kind="button", value=vote, at=at(day, seconds))


MONDAY = "2026-11-23"


@pytest.mark.parametrize(
    ("events", "is_blind", "counts"),
    [
        ([says("ana", True, MONDAY, 60)], True, (1, 1, 0, 0)),
        ([says("ana", False, MONDAY, 60)], True, (1, 0, 0, 0)),
        # whoever gives way once the verdict is seen said otherwise before
        ([says("ana", False, MONDAY, 60), votes("ana", "up", MONDAY, 90)], True, (1, 0, 0, 0)),
        # those who answer later have seen it
        ([says("ana", False, MONDAY, 60), votes("ben", "up", MONDAY, 90)], True, (1, 0, 0, 0)),
        ([votes("ana", "unsure", MONDAY, 60), votes("ben", "up", MONDAY, 90)], True, None),
        ([votes("ana", "down", MONDAY, 60), votes("ben", "up", MONDAY, 90)], False, None),
    ],
)
async def test_answers_count_as_blind_while_the_verdict_was_not_shown(
    tmp_path: Path, events: list[FeedbackEvent], is_blind: bool, counts: tuple[int, ...] | None
) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database, 1, MONDAY, *events, is_blind=is_blind)
        blind = (await read_digest(database, JUDGE, value_type_of(bool), "2026-W48", ZONE)).blind
    if counts is None:
        assert blind is None
    else:
        assert blind is not None
        assert (blind.n, blind.agreed, blind.anchored_n, blind.anchored_agreed) == counts


async def test_of_a_card_that_shows_the_verdict_the_first_answer_counts(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await a_card(database, 1, MONDAY, says("ana", 4, MONDAY, 60), is_blind=True, judged=4)
        shown = [votes("ben", "up", MONDAY, 60), votes("cleo", "down", MONDAY, 90)]
        await a_card(database, 2, MONDAY, *shown, is_blind=False, judged=3)
        await a_card(database, 3, MONDAY, votes("ben", "unsure", MONDAY, 60), is_blind=False, judged=3)
        blind = (await read_digest(database, JUDGE, value_type_of(int), "2026-W48", ZONE)).blind
    assert blind is not None
    assert (blind.n, blind.agreed, blind.anchored_n, blind.anchored_agreed) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("own", "earlier", "share", "expected"),
    [
        (10, 5, 0.1, (10, 1)),  # enough in the week itself
        (4, 5, 0.1, (9, 12)),
        (4, 5, 0.0, (9, 12)),  # switched off in the meantime
        (4, 0, 0.1, (4, 1)),
        (0, 5, 0.1, (5, 12)),
        (0, 5, 0.0, None),
        (0, 0, 0.1, None),
    ],
)
async def test_where_a_week_has_too_few_blind_answers_those_of_twelve_weeks_are_told(
    tmp_path: Path, own: int, earlier: int, share: float, expected: tuple[int, int] | None
) -> None:
    configured = settings_for(tmp_path, "C1", sampling={"blind": share}, digest={"timezone": "UTC"})
    async with await Database.open(tmp_path / "store") as database:
        # the first is older than twelve weeks
        days = ["2026-09-06", *["2026-09-07"] * earlier, *[MONDAY] * own]
        for number, day in enumerate(days):
            await a_card(database, number, day, says("ana", True, day, 60 + number), is_blind=True)
        figures = await read_digest(database, JUDGE, value_type_of(bool), "2026-W48", ZONE)
        told = (await with_blind_of_weeks(database, figures, value_type_of(bool), configured)).blind
    assert (told and (told.n, told.weeks)) == expected


@pytest.mark.parametrize("anchoring", [0.2, 0.4])
def test_blind_cards_tell_agreement_and_anchoring_within_their_intervals(anchoring: float) -> None:
    """People who see a wrong verdict wave a part of them through."""
    chance = np.random.default_rng(round(anchoring * 10))
    effect = anchoring * (1 - AGREEMENT)
    agreed_blind = chance.binomial(BLIND, AGREEMENT, RUNS)
    agreed_shown = chance.binomial(SHOWN, AGREEMENT + effect, RUNS)
    share_held, effect_held, effects = [], [], []
    for blind_count, shown_count in zip(agreed_blind.tolist(), agreed_shown.tolist(), strict=True):
        blind = compare_blind(
            [*answers(blind_count, BLIND, is_blind=True), *answers(shown_count, SHOWN, is_blind=False)]
        )
        assert blind is not None
        assert blind.effect is not None
        assert blind.effect_low is not None
        assert blind.effect_high is not None
        share_held.append(blind.low <= AGREEMENT <= blind.high)
        effect_held.append(blind.effect_low <= effect <= blind.effect_high)
        effects.append(blind.effect)
    assert 0.93 <= np.mean(share_held) <= 0.98
    assert 0.93 <= np.mean(effect_held) <= 0.98
    assert abs(np.mean(effects) - effect) <= 0.01
