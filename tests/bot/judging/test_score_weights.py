"""The weekly fit of the score: from the cards that people answered, as the store has them."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.judging.recent_cards import RecentCards
from bot.judging.score_weights import ScoreWeights
from bot.judging.wrong_score import STARTING_WEIGHTS
from bot.runtime.clock import DAY_MS
from memalign.records import Verdict
from storage.database import Database
from storage.records import CardSelection, FeedbackEvent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.factories import a_judge, a_trace

JUDGE = a_judge().definition
NOW_MS = 1_800_000_000_000
DIFFERS = (1.0, *[0.0] * 6)
AGREES = (-0.4, *[0.0] * 6)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "store") as opened:
        yield opened


async def add_card(
    database: Database, number: int, votes: Sequence[str], features: tuple[float, ...] = DIFFERS
) -> None:
    """Show a card on which each person in turn votes up, down or unsure."""
    trace_id, ts = f"tr-{number}", f"{1_700_000_000 + number}.000100"
    verdict_id = verdict_id_of(JUDGE.name, trace_id)
    await database.traces.add([(a_trace(trace_id), [JUDGE.name])], 1, 10_000)
    await database.verdicts.keep(
        Verdict(judge=JUDGE.name, trace_id=trace_id, value=True, rationale="so"),
        channel="C1",
        judged_ms=number,
        day="2026-11-20",
        selection=CardSelection(probability=0.1, reason="random", features=features),
    )
    await database.outbox.start(card_post_id_of(verdict_id))
    await database.outbox.done(card_post_id_of(verdict_id), ts)
    for person, vote in enumerate(votes):
        event = FeedbackEvent(
            person=f"U{person}", kind="button", value=vote, at=f"{1_700_100_000 + person}.0"
        )
        await database.feedback.note("C1", ts, event)


async def add_answered(database: Database, start: int = 0) -> None:
    """Show 60 cards: a second opinion that differs is a sure sign of a wrong verdict."""
    for number in range(start, start + 60):
        is_wrong = number % 3 == 0
        await add_card(database, number, ["down" if is_wrong else "up"], DIFFERS if is_wrong else AGREES)


@pytest.mark.parametrize(
    ("votes", "is_wrong"),
    [
        (["up"], False),
        (["down"], True),
        (["down", "down", "up"], True),
        (["up", "unsure"], False),
        (["up", "down"], None),
        (["unsure"], None),
        ([], None),
    ],
)
async def test_most_of_the_people_say_whether_a_verdict_is_wrong(
    database: Database, votes: Sequence[str], is_wrong: bool | None
) -> None:
    await add_card(database, 1, votes)
    answered = await RecentCards(database).answered(JUDGE.name, JUDGE.value_type)
    assert [card.is_wrong for card in answered] == ([] if is_wrong is None else [is_wrong])
    assert all(card.features == DIFFERS for card in answered)


async def test_cards_that_went_at_once_say_nothing_of_the_score(database: Database) -> None:
    await add_card(database, 1, ["up"], features=())
    assert await RecentCards(database).answered(JUDGE.name, JUDGE.value_type) == []


async def test_weights_are_fitted_once_a_week(database: Database) -> None:
    weights = ScoreWeights(RecentCards(database))
    assert await weights.of(JUDGE, NOW_MS) is STARTING_WEIGHTS
    await add_answered(database)
    assert await weights.of(JUDGE, NOW_MS + 6 * DAY_MS) is STARTING_WEIGHTS
    fitted = await weights.of(JUDGE, NOW_MS + 7 * DAY_MS)
    assert fitted.features[0] > STARTING_WEIGHTS.features[0]


async def test_a_restart_fits_the_same_weights(database: Database) -> None:
    await add_answered(database)
    before = await ScoreWeights(RecentCards(database)).of(JUDGE, NOW_MS)
    assert await ScoreWeights(RecentCards(database)).of(JUDGE, NOW_MS + 1) == before != STARTING_WEIGHTS
