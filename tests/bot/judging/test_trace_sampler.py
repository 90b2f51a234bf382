"""Sampling of arrivals: at once where few are expected, else by windows, in constant memory."""

import tracemalloc
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from bot.config import Settings
from bot.judging.day_planner import DayPlanner
from bot.judging.reservoir import Reservoir
from bot.judging.sampling import is_sampled, rank_of
from bot.judging.trace_sampler import SampledTrace, TraceSampler
from bot.judging.windows import day_bounds
from memalign.records import Json, Trace
from storage.candidate_pool import CANDIDATES_PER_WINDOW
from storage.database import Database
from storage.records import Candidate, JudgePause, LocalHour, UnsampledTrace
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import settings_for
from tests.storage.records import note, verdict

ZONE = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 20)
START_MS, END_MS = day_bounds(TODAY, ZONE)
HOUR_MS = 3_600_000
OFFICE_HOURS = range(9, 17)
JUDGE = "politeness"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms


class Arriving:
    """A sampler on a store whose judges had so many traces in each office hour of yesterday."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.clock = Clock()
        self.database = database
        self.settings = settings
        self.sampler = self.restarted()

    def restarted(self) -> TraceSampler:
        """Return a sampler that knows nothing yet."""
        planner = DayPlanner(self.settings, self.database, self.clock)
        return TraceSampler(self.settings, self.database, planner, self.clock)

    async def had(self, judge: str, an_hour: int, days_ago: int = 1) -> None:
        day = (TODAY - timedelta(days=days_ago)).isoformat()
        for hour in OFFICE_HOURS:
            # counted for the judge, and no work for anybody
            batch = [
                (UnsampledTrace(trace_id=f"{judge} {days_ago} {hour} {each}"), [judge])
                for each in range(an_hour)
            ]
            await self.database.traces.add(batch, 1, 10**6, hour=LocalHour(day=day, hour=hour))

    async def arrive(self, *trace_ids: str, ms: int) -> list[str]:
        """Let traces arrive; the kind of each: `job`, `candidate`, `seen` or `unsampled`."""
        self.clock.ms = ms
        moment = await self.sampler.moment()
        sampled = [moment.sample(a_trace(each)) for each in trace_ids]
        stored = [
            (a_trace(each) if decision.is_kept else UnsampledTrace(trace_id=each), decision.jobs)
            for each, decision in zip(trace_ids, sampled, strict=True)
        ]
        drawn = {place: each.candidates for place, each in enumerate(sampled)}
        await self.database.traces.add(stored, ms, 10**6, candidates=drawn, hour=moment.hour)
        self.sampler.note([each for decision in sampled if decision.is_kept for each in decision.candidates])
        return [kind_of(each) for each in sampled]

    async def candidates(self) -> list[list[str]]:
        """Return the candidates' traces, window by window."""
        windows = await self.database.candidates.due(END_MS)
        return [[trace.trace_id for trace, _ in await self.database.candidates.of_window(w)] for w in windows]


def kind_of(sampled: SampledTrace) -> str:
    if sampled.jobs:
        return "job"
    if sampled.is_kept:
        return "candidate"
    return "seen" if sampled.candidates else "unsampled"


def a_trace(trace_id: str) -> Trace:
    return Trace(trace_id=trace_id, inputs="question", outputs="answer")


def arriving(database: Database, folder: Path, **sections: Json) -> Arriving:
    sampling = {"rate": 1.0, "max_per_day": 4, **sections.pop("sampling", {})}
    settings = settings_for(folder, "C1", sampling=sampling, digest={"timezone": str(ZONE)}, **sections)
    return Arriving(database, settings)


def ids(count: int) -> list[str]:
    return [f"tr-{number}" for number in range(count)]


NOON_MS = START_MS + 12 * HOUR_MS


async def test_on_the_first_day_traces_are_judged_at_once(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path)
    assert set(await part.arrive(*ids(100), ms=NOON_MS)) == {"job"}
    assert await database.traces.waiting() == 100


@pytest.mark.parametrize(("an_hour", "kind"), [(0, "job"), (1, "candidate")])
async def test_where_more_is_expected_than_may_be_shown_traces_become_candidates(
    database: Database, tmp_path: Path, an_hour: int, kind: str
) -> None:
    part = arriving(database, tmp_path)
    await part.had(JUDGE, an_hour)
    assert await part.arrive("tr-1", ms=NOON_MS) == [kind]


async def test_without_spread_traces_are_judged_at_once(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path, sampling={"spread": False})
    await part.had(JUDGE, 10)
    assert await part.arrive("tr-1", ms=NOON_MS) == ["job"]


async def test_as_many_as_may_be_shown_are_judged_at_once(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path, sampling={"max_per_day": 8})
    await part.had(JUDGE, 1)
    assert await part.arrive("tr-1", ms=NOON_MS) == ["job"]


async def test_each_window_keeps_its_own_candidates(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path)
    await part.had(JUDGE, 100)
    for number in range(24):
        await part.arrive(*(f"{number}-{each}" for each in range(20)), ms=START_MS + number * HOUR_MS)
    kept = await part.candidates()
    assert [len(each) for each in kept] == [CANDIDATES_PER_WINDOW] * 4
    assert await database.traces.waiting() == 0


async def test_a_restart_goes_on_where_the_window_was(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path)
    await part.had(JUDGE, 100)
    await part.arrive(*ids(200), ms=NOON_MS)
    kept = await part.candidates()
    part.sampler = part.restarted()
    kinds = await part.arrive(*(f"new-{each}" for each in range(200)), ms=NOON_MS + 1)
    assert "seen" in kinds
    assert kinds.count("candidate") < 40
    key = await database.traces.sampling_key()
    everything = [*ids(200), *(f"new-{each}" for each in range(200))]
    assert await part.candidates() == [sorted(everything, key=lambda each: rank_of(each, JUDGE, key))[:8]]
    assert kept != await part.candidates()


async def test_a_trace_that_comes_again_takes_no_place(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path)
    await part.had(JUDGE, 100)
    for _ in range(20):
        await part.arrive("tr-1", ms=NOON_MS)
    kinds = await part.arrive(*(f"new-{each}" for each in range(7)), ms=NOON_MS)
    assert kinds == ["candidate"] * 7
    [kept] = await part.candidates()
    assert len(kept) == 8


async def test_the_rate_comes_before_windows(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path, sampling={"rate": 0.5})
    await part.had(JUDGE, 100)
    kinds = Counter(await part.arrive(*ids(400), ms=NOON_MS))
    assert 160 < kinds["unsampled"] < 240
    [window] = await database.candidates.due(END_MS)
    assert window.seen == 400 - kinds["unsampled"]


async def test_judges_have_shares_and_numbers_of_their_own(database: Database, tmp_path: Path) -> None:
    judges = [{"max_per_day": 2}, {"name": "brevity", "rate": 0.0}, {"name": "clarity", "channel": "C2"}]
    part = arriving(database, tmp_path, judges=judges, sampling={"max_per_day": 100})
    await part.had(JUDGE, 10)
    await part.had("brevity", 10)
    await part.had("clarity", 10)
    part.clock.ms = NOON_MS
    moment = await part.sampler.moment()
    assert moment.plan.judges[JUDGE].cards == len(moment.plan.judges[JUDGE].ends_ms) == 2
    sampled = moment.sample(a_trace("tr-1"))
    assert [each.judge for each in sampled.candidates] == [JUDGE]
    assert sampled.jobs == ("clarity",)


async def test_nothing_becomes_a_candidate_of_a_paused_judge(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path)
    await part.had(JUDGE, 100)
    await part.arrive(*ids(50), ms=NOON_MS)
    await database.preferences.pause(JUDGE, JudgePause(at_ms=1, person=None), note("paused"))
    await part.arrive("while-paused", ms=NOON_MS)
    assert await part.candidates() == []
    assert await database.traces.get("while-paused") is not None
    await database.preferences.resume(JUDGE, note("resumed"))
    assert await part.arrive("after", ms=NOON_MS) == ["candidate"]


async def test_a_channels_unanswered_cards_make_fewer_windows(database: Database, tmp_path: Path) -> None:
    part = arriving(database, tmp_path, sampling={"max_per_day": 30})
    await part.had(JUDGE, 100)
    for number in range(20):
        verdict_id = f"old-{number}"
        await show_card(database, verdict_id, START_MS - 3 * 24 * HOUR_MS + number * 1000)
    part.clock.ms = NOON_MS
    plan = (await part.sampler.moment()).plan
    assert (plan.caps["C1"], len(plan.judges[JUDGE].ends_ms)) == (1, 1)


async def show_card(database: Database, trace_id: str, posted_ms: int) -> None:
    """Let a card be posted then, which nobody answers."""
    await database.verdicts.keep(
        verdict(trace_id, JUDGE), channel="C1", judged_ms=posted_ms, day=TODAY.isoformat()
    )
    post_id = card_post_id_of(verdict_id_of(JUDGE, trace_id))
    await database.outbox.start(post_id)
    await database.outbox.done(post_id, f"{posted_ms / 1000:.6f}")


def arrival_times(count: int) -> np.ndarray:
    """Return arrival times over the day, nine of ten in office hours, in order."""
    random = np.random.default_rng(7)
    office = START_MS + (9 + 8 * random.random(count * 9 // 10)) * HOUR_MS
    other = START_MS + 24 * random.random(count - count * 9 // 10) * HOUR_MS
    return np.sort(np.concatenate((office, other)).astype(np.int64))


async def test_a_hundred_thousand_traces_leave_few_candidates_of_all_hours_in_constant_memory(
    database: Database, tmp_path: Path
) -> None:
    part = arriving(database, tmp_path, sampling={"max_per_day": 30})
    hours = [int(each) for each in np.histogram(arrival_times(2400), 24, (START_MS, END_MS))[0]]
    for hour, number in enumerate(hours):
        day = LocalHour(day=(TODAY - timedelta(days=1)).isoformat(), hour=hour)
        lost = [(UnsampledTrace(trace_id=f"{hour} {each}"), (JUDGE,)) for each in range(number)]
        await database.traces.add(lost, 1, 10**6, hour=day)
    times = arrival_times(100_000)
    kept: dict[int, list[Candidate]] = {}
    sizes = []
    tracemalloc.start()
    try:
        for begin in range(0, len(times), 500):
            part.clock.ms = int(times[begin])
            moment = await part.sampler.moment()
            winners = [
                candidate
                for number in range(begin, begin + 500)
                if (sampled := moment.sample(a_trace(f"tr-{number}"))).is_kept
                for candidate in sampled.candidates
            ]
            part.sampler.note(winners)
            for each in winners:
                kept.setdefault(each.window_end_ms, []).append(each)
                kept[each.window_end_ms] = sorted(kept[each.window_end_ms], key=lambda one: one.rank)[:8]
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(kept) == 30
    assert all(len(each) == CANDIDATES_PER_WINDOW for each in kept.values())
    # the test's own list of 240 candidates is all that grows
    assert sizes[-1] - sizes[20] < 1_000_000
    assert_hours_as_the_traffic(times, [each for window in kept.values() for each in window])


def assert_hours_as_the_traffic(times: np.ndarray, candidates: Sequence[Candidate]) -> None:
    """Assert that candidates come from all parts of the day as traffic does, by a chi-square test."""
    quarters = np.quantile(times, np.linspace(0, 1, 7))
    counts, _ = np.histogram([each.received_ms for each in candidates], quarters)
    assert stats.chisquare(counts).pvalue > 0.01


def test_ranks_are_uniform_and_do_not_depend_on_the_rate() -> None:
    sampled = [each for each in ids(20_000) if is_sampled(each, JUDGE, 0.1, b"key")]
    ranks = [rank_of(each, JUDGE, b"key") for each in sampled]
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
    assert (
        rank_of("tr-1", JUDGE, b"key") != rank_of("tr-1", "brevity", b"key") != rank_of("tr-1", JUDGE, b"k")
    )


def test_a_reservoir_holds_the_smallest_ranks_once() -> None:
    reservoir = Reservoir([0.5] * 20)
    assert reservoir.bound == 1.0
    for rank in (0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.2, 0.5):
        reservoir.add(rank)
    assert reservoir.bound == 0.9
    reservoir.add(0.95)
    assert reservoir.bound == 0.9
    reservoir.add(0.1)
    assert reservoir.bound == 0.8
