"""Windows keep the traces of the smallest ranks as candidates, and leave hashes of those that get no card."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from memalign.records import Trace
from storage.candidate_pool import CANDIDATES_PER_WINDOW
from storage.database import Database
from storage.records import (
    Accepted,
    Candidate,
    CandidateWindow,
    CardSelection,
    JudgePause,
    LocalHour,
    NewCard,
    ShadowVerdict,
    UnsampledTrace,
)
from tests.storage.records import DAY, FOREVER_MS, NOON_MS, button_event, note, posted, stored, trace, verdict

HOUR = LocalHour(day=DAY, hour=12)
WINDOW = CandidateWindow(judge="polite", start_ms=NOON_MS - 1000, end_ms=NOON_MS + 1000)


def candidate(trace_id: str, rank: float, window: CandidateWindow = WINDOW) -> Candidate:
    return Candidate(
        trace_id=trace_id,
        judge=window.judge,
        window_start_ms=window.start_ms,
        window_end_ms=window.end_ms,
        rank=rank,
        received_ms=NOON_MS,
    )


async def arrive(
    db: Database, candidates: Sequence[Candidate], max_waiting: int = 1000, jobs: Sequence[str] = ()
) -> list[Accepted]:
    """Let a trace arrive for each of the candidates."""
    batch = [(trace(each.trace_id, outputs=f"words of {each.trace_id}"), jobs) for each in candidates]
    drawn = {place: [each] for place, each in enumerate(candidates)}
    return await db.traces.add(batch, NOON_MS, max_waiting, candidates=drawn, hour=HOUR)


async def ids_in(db: Database, window: CandidateWindow = WINDOW) -> list[str]:
    return [each.trace_id for each, _ in await db.candidates.of_window(window)]


async def due(db: Database, now_ms: int = WINDOW.end_ms) -> list[CandidateWindow]:
    return await db.candidates.due(now_ms)


def card_ts(number: int) -> str:
    return f"{NOON_MS / 1000 + number:.6f}"


async def show(db: Database, trace_id: str, judge: str, number: int) -> str:
    """Let a card be posted so many seconds after noon; the verdict's id."""
    return await posted(db, trace_id, judge, ts=card_ts(number))


def card(trace_id: str, judge: str = "polite") -> NewCard:
    return NewCard(verdict=verdict(trace_id, judge), channel="C1", judged_ms=NOON_MS, day=DAY)


@pytest.mark.parametrize("batch", [1, 7, 100])
async def test_a_window_keeps_the_smallest_ranks_and_only_hashes_of_the_others(
    db: Database, batch: int
) -> None:
    ranks = random.Random(5).sample(range(1000), 100)
    candidates = [candidate(f"tr-{rank}", rank / 1000) for rank in ranks]
    for begin in range(0, 100, batch):
        assert set(await arrive(db, candidates[begin : begin + batch])) == {"accepted"}
    expected = [f"tr-{rank}" for rank in sorted(ranks)[:CANDIDATES_PER_WINDOW]]
    assert await ids_in(db) == expected
    known = [each.trace_id for each in candidates if await db.traces.get(each.trace_id)]
    assert sorted(known) == sorted(expected)
    assert set(await arrive(db, candidates)) == {"duplicate"}
    [window] = await due(db)
    assert window == replace(WINDOW, seen=100)
    assert await db.candidates.ranks(WINDOW) == [rank / 1000 for rank in sorted(ranks)[:8]]


async def test_a_trace_that_is_no_candidate_for_good_is_counted_as_seen(db: Database) -> None:
    await arrive(db, [candidate("a", 0.1)])
    lost: list[tuple[Trace | UnsampledTrace, Sequence[str]]] = [(UnsampledTrace(trace_id="b"), ())]
    drawn = {0: [candidate("b", 0.9)]}
    assert await db.traces.add(lost, NOON_MS, 10, candidates=drawn, hour=HOUR) == ["accepted"]
    assert await db.traces.add(lost, NOON_MS, 10, candidates=drawn, hour=HOUR) == ["duplicate"]
    assert await ids_in(db) == ["a"]
    assert (await due(db))[0].seen == 2
    assert await db.traffic.of_judge("polite") == {DAY: (*[0] * 12, 2, *[0] * 11)}


async def test_a_trace_stays_while_any_judge_holds_it(db: Database) -> None:
    other = replace(WINDOW, judge="useful")
    drawn = {0: [candidate("t", 0.1), candidate("t", 0.2, other)]}
    await db.traces.add([(trace("t"), ["brief"])], NOON_MS, 10, candidates=drawn, hour=HOUR)
    await db.candidates.close(WINDOW)
    assert (await ids_in(db), await ids_in(db, other)) == ([], ["t"])
    await db.candidates.close(other)
    assert await db.traces.get("t") is not None
    await db.verdicts.drop_job("t", "brief")
    assert await db.traces.get("t") is None


async def test_a_trace_that_another_judge_has_judged_outlasts_its_eviction(db: Database) -> None:
    await arrive(db, [candidate("shown", 0.99)], jobs=["useful"])
    await db.verdicts.keep(verdict("shown", "useful"), channel="C1", judged_ms=NOON_MS, day=DAY)
    await arrive(db, [candidate(f"tr-{number}", number / 100) for number in range(CANDIDATES_PER_WINDOW)])
    assert "shown" not in await ids_in(db)
    assert await db.traces.get("shown") is not None


async def test_a_window_is_closed_with_its_card_in_one_step(db: Database) -> None:
    await arrive(db, [candidate(each, rank) for each, rank in (("a", 0.1), ("b", 0.2), ("c", 0.3))])
    selection = CardSelection(probability=0.125, reason="unlike", features=(1.0,))
    shadow = ShadowVerdict(kind="base", value=False)
    chosen = replace(card("b"), selection=selection, shadows=(shadow,), resembles_case=True, is_blind=True)
    assert await db.candidates.close(WINDOW, [chosen]) == 1
    [kept] = await db.verdicts.of_trace("b")
    assert (kept.selection, kept.shadows, kept.resembles_case, kept.is_blind) == (
        selection,
        (shadow,),
        True,
        True,
    )
    assert [post.verdict_id for post in await db.outbox.next_due(NOON_MS)] == [kept.verdict_id]
    assert await db.verdicts.shown_on("C1", DAY) == 1
    assert (await due(db), await ids_in(db)) == ([], [])
    assert [each for each in "abc" if await db.traces.get(each)] == ["b"]
    assert await db.candidates.close(WINDOW, [chosen]) == 0


async def test_a_card_of_a_trace_that_was_forgotten_meanwhile_is_not_stored(db: Database) -> None:
    await arrive(db, [candidate("a", 0.1), candidate("b", 0.2)])
    await db.forgetting.delete_traces(["a"])
    assert await ids_in(db) == ["b"]
    assert await db.candidates.close(WINDOW, [card("a")]) == 0
    assert await db.verdicts.of_trace("a") == []


async def test_windows_are_due_at_their_end_and_wait_after_a_failure(db: Database) -> None:
    later = replace(WINDOW, start_ms=WINDOW.end_ms, end_ms=WINDOW.end_ms + 1000)
    await arrive(db, [candidate("b", 0.5, later)])
    await arrive(db, [candidate("a", 0.5)])
    assert await due(db, WINDOW.end_ms - 1) == []
    [window] = await due(db)
    await db.candidates.postpone(window, later.end_ms + 1, "The model is down.")
    assert [each.start_ms for each in await due(db, later.end_ms)] == [later.start_ms]
    [failed, _] = await due(db, later.end_ms + 1)
    assert (failed.attempts, failed.reason, failed.seen) == (1, "The model is down.", 1)
    assert await db.candidates.oldest_ended(later.end_ms) == [failed]
    # the clock was ahead when it was put off
    await db.candidates.postpone(failed, later.end_ms + 10 * 3_600_000, "The model is down.")
    assert len(await due(db, later.end_ms)) == 2


async def test_a_window_keeps_the_chance_it_was_drawn_with_over_failures(db: Database) -> None:
    await arrive(db, [candidate("a", 0.1)])
    assert await db.candidates.number_undrawn("polite", WINDOW.end_ms) == 1
    await db.candidates.draw(WINDOW, DAY, 0.25, is_drawn=True)
    await db.candidates.postpone(WINDOW, WINDOW.end_ms + 1, "The model is down.")
    [drawn] = await db.candidates.due(WINDOW.end_ms + 1)
    assert (drawn.chance, drawn.attempts) == (0.25, 1)
    assert await db.candidates.number_undrawn("polite", WINDOW.end_ms) == 0
    assert await db.candidates.chances("polite", DAY) == 0.25


async def test_a_window_that_is_not_drawn_is_let_go_and_its_chance_counts(db: Database) -> None:
    await arrive(db, [candidate("a", 0.1)])
    await db.candidates.draw(WINDOW, DAY, 0.25, is_drawn=False)
    assert await db.candidates.due(FOREVER_MS) == []
    assert await db.traces.get("a") is None
    assert await db.candidates.chances("polite", DAY) == 0.25
    assert await db.candidates.chances("polite", "2023-11-15") == 0


async def test_candidates_count_as_waiting_where_room_is_short(db: Database) -> None:
    assert await arrive(db, [candidate("a", 0.1)], max_waiting=1) == ["accepted"]
    assert await arrive(db, [candidate("b", 0.2)], max_waiting=1) == ["full"]
    lost: list[tuple[Trace | UnsampledTrace, Sequence[str]]] = [(UnsampledTrace(trace_id="c"), ())]
    assert await db.traces.add(lost, NOON_MS, 1, candidates={0: [candidate("c", 0.9)]}) == ["accepted"]
    assert await db.traces.add([(trace("d"), ["polite"])], NOON_MS, 1) == ["full"]


async def test_a_pause_drops_the_judges_candidates(db: Database) -> None:
    other = replace(WINDOW, judge="useful")
    await arrive(db, [candidate("a", 0.1)])
    await arrive(db, [candidate("b", 0.1, other)])
    await db.preferences.pause("polite", JudgePause(at_ms=1, person="U1"), note("paused"))
    assert (await ids_in(db), await ids_in(db, other)) == ([], ["b"])
    assert await db.traces.get("a") is None
    assert [window.judge for window in await due(db)] == ["useful"]


async def test_a_candidate_does_not_expire_and_is_forgotten_wholly(db: Database) -> None:
    await arrive(db, [candidate("a", 0.1)])
    assert await db.forgetting.delete_expired(NOON_MS + 1, 10, NOON_MS) == 0
    await db.forgetting.delete_traces(["a"])
    assert await ids_in(db) == []
    assert await arrive(db, [candidate("a", 0.1)]) == ["forgotten"]


async def test_traffic_is_known_for_eight_days(db: Database) -> None:
    for day in range(1, 13):
        hour = LocalHour(day=f"2026-11-{day:02}", hour=day)
        await db.traces.add([(trace(f"tr-{day}"), ["polite"])], NOON_MS, 1000, hour=hour)
    known = await db.traffic.of_judge("polite")
    assert list(known) == [f"2026-11-{day:02}" for day in range(5, 13)]
    assert all(sum(hours) == hours[int(day[-2:])] == 1 for day, hours in known.items())
    assert await db.traffic.of_judge("useful") == {}


async def test_the_answered_share_is_that_of_a_channels_last_cards(db: Database) -> None:
    for number in range(6):
        verdict_id = await show(db, f"tr-{number}", "polite" if number % 2 else "useful", number)
        if number in (0, 4, 5):
            event_at = f"{NOON_MS / 1000 + 100:.6f}"
            await db.feedback.note("C1", card_ts(number), button_event("U1", "up", event_at))
        assert (await stored(db, verdict_id)).message_ts == card_ts(number)
    judges = ("polite", "useful")
    assert await db.feedback.answered_of_last("C1", judges, NOON_MS + 10_000, 50) == (6, 3)
    assert await db.feedback.answered_of_last("C1", judges, NOON_MS + 10_000, 3) == (3, 2)
    assert await db.feedback.answered_of_last("C1", judges, NOON_MS + 5000, 50) == (5, 2)
    assert await db.feedback.answered_of_last("C1", ("polite",), NOON_MS + 10_000, 50) == (3, 1)
    assert await db.feedback.answered_of_last("C2", judges, NOON_MS + 10_000, 50) == (0, 0)
