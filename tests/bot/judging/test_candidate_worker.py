"""The end of a window: one card, the other candidates go; what fails waits, and the cap of the day holds."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.config import Settings
from bot.judging.blind_cards import BlindCards
from bot.judging.candidate_worker import CandidateWorker
from bot.judging.chosen_card import CandidateTrace, CardChoice, ChosenCard
from bot.judging.daily_cap import DailyCap
from bot.judging.day_planner import DayPlanner
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.runtime.metrics import Metrics
from memalign.errors import (
    ContentRefusedError,
    InputError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.judge_memory import JudgeMemory
from memalign.optimizer import make_judge
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Json, Verdict
from storage.database import Database
from storage.records import (
    Candidate,
    CandidateWindow,
    CardSelection,
    JudgePause,
    NoticeContent,
    Post,
    ShadowVerdict,
    StoredVerdict,
)
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import Wakes, running, until
from tests.bot.judging.choosers import a_chooser
from tests.bot.judging.test_worker import ScriptedJudgeModel
from tests.factories import POLITENESS, a_judge, a_memory, a_trace
from tests.fakes import FakeJudgeModel

JUDGE = "politeness"
LLM = "openai:/gpt-5-mini"
DOWN = ModelUnavailableError("fake:/model is overloaded or down.")
NOTICE = Post(post_id="p", channel="C1", content=NoticeContent(notice="paused", judge=JUDGE))


class ChoosingCards:
    """A worker on a store."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        choose: CardChoice,
        renamed_perhaps: Sequence[str] = (),
    ) -> None:
        self.database = database
        self.health = HealthRegistry()
        self.posting = Wakes()
        self.worker = CandidateWorker(
            settings,
            database,
            choose,
            self.health,
            Metrics(),
            self.posting,
            DailyCap(database, DayPlanner(settings, database)),
            CircuitBreaker(),
            BlindCards(settings, database),
            lambda _: 0,
            renamed_perhaps=renamed_perhaps,
        )

    async def arrive(
        self, *trace_ids: str, judge: str = JUDGE, ended_ms: int = 1000, rate: float = 1.0
    ) -> CandidateWindow:
        """Let traces become candidates of a window that ended so long ago."""
        end_ms = now_ms() - ended_ms
        drawn = [
            Candidate(
                trace_id=trace_id,
                judge=judge,
                window_start_ms=end_ms - 60_000,
                window_end_ms=end_ms,
                rank=place / 10,
                received_ms=end_ms - 30_000,
                rate=rate,
            )
            for place, trace_id in enumerate(trace_ids)
        ]
        batch = [(a_trace(each), ()) for each in trace_ids]
        candidates = {place: [each] for place, each in enumerate(drawn)}
        await self.database.traces.add(batch, now_ms(), 1000, candidates=candidates)
        return CandidateWindow(judge=judge, start_ms=end_ms - 60_000, end_ms=end_ms)

    async def run(self) -> None:
        """Run until no window that has ended is left."""
        async with running(self.worker.run) as part:
            await until(self.is_done, part)

    async def run_until_reported(self) -> None:
        async with running(self.worker.run) as part:
            await until(lambda: self.health.problems() != (), part)

    async def is_done(self) -> bool:
        return not await self.database.candidates.oldest_ended(now_ms())

    async def shown(self, judge: str = JUDGE) -> list[StoredVerdict]:
        return await self.database.verdicts.recent(judge, 100)

    async def shown_ids(self, judge: str = JUDGE) -> list[str]:
        return [each.verdict.trace_id for each in await self.shown(judge)]

    async def known(self, *trace_ids: str) -> list[str]:
        return [each for each in trace_ids if await self.database.traces.get(each)]


async def choosing(
    database: Database, folder: Path, model: FakeJudgeModel | None = None, **sections: Json
) -> ChoosingCards:
    settings = settings_for(folder, "C1", **sections)
    memories: dict[str, JudgeMemory] = {
        JUDGE: await a_memory(a_judge(model=LLM), judge_model=model or FakeJudgeModel())
    }
    return ChoosingCards(database, settings, a_chooser(database, memories).choose)


async def test_a_window_that_has_ended_gets_one_card(database: Database, tmp_path: Path) -> None:
    part = await choosing(database, tmp_path, sampling={"rate": 1.0, "max_per_day": 5})
    await part.arrive("a", "b", "c", "d", rate=0.5)
    await part.run()
    [shown] = await part.shown()
    assert await part.known("a", "b", "c", "d") == [shown.verdict.trace_id]
    # a rate of one half, and one of four
    assert (shown.selection.probability, shown.selection.reason) == (0.125, "random")
    [post] = await database.outbox.next_due(now_ms())
    assert (post.channel, post.verdict_id) == ("C1", shown.verdict_id)
    assert part.posting.count == 1


async def test_what_the_choice_knows_is_stored_with_the_verdict(database: Database, tmp_path: Path) -> None:
    asked: list[tuple[str, list[str], int]] = []
    chosen = ChosenCard(
        verdict=Verdict(judge=JUDGE, trace_id="b", value=True, rationale="because"),
        selection=CardSelection(probability=0.25, reason="unlike", features=(1.0, 0.5)),
        shadows=(ShadowVerdict(kind="base", value=False),),
        resembles_case=True,
    )

    async def choose(judge: str, candidates: Sequence[CandidateTrace], seen: int) -> ChosenCard:
        asked.append((judge, [each.trace.trace_id for each in candidates], seen))
        return chosen

    part = ChoosingCards(database, settings_for(tmp_path, "C1"), choose)
    await part.arrive(*"abcdefghijklm")
    await part.run()
    assert asked == [(JUDGE, list("abcdefgh"), 13)]
    [shown] = await part.shown()
    assert (shown.verdict, shown.selection, shown.shadows, shown.resembles_case) == (
        chosen.verdict,
        chosen.selection,
        chosen.shadows,
        True,
    )


async def test_a_window_that_is_open_waits(database: Database, tmp_path: Path) -> None:
    part = await choosing(database, tmp_path)
    await part.arrive("open", ended_ms=-3_600_000)
    await part.arrive("ended")
    await part.run()
    assert await part.shown_ids() == ["ended"]
    assert await part.known("open") == ["open"]


async def test_windows_that_ended_while_nobody_worked_are_done_at_the_start(
    database: Database, tmp_path: Path
) -> None:
    part = await choosing(database, tmp_path)
    for days in range(3):
        await part.arrive(f"a{days}", f"b{days}", ended_ms=days * 24 * 3_600_000 + 1000)
    await part.run()
    assert len(await part.shown()) == 3


async def test_the_cap_of_the_day_holds_over_windows(database: Database, tmp_path: Path) -> None:
    part = await choosing(database, tmp_path, sampling={"rate": 1.0, "max_per_day": 2})
    for number in range(4):
        await part.arrive(f"a{number}", f"b{number}", ended_ms=1000 * (number + 1))
    await part.run()
    assert len(await part.shown()) == 2
    assert len(await part.known(*(f"{name}{number}" for name in "ab" for number in range(4)))) == 2


async def test_a_judges_own_number_of_cards_holds(database: Database, tmp_path: Path) -> None:
    part = await choosing(
        database, tmp_path, sampling={"rate": 1.0, "max_per_day": 20}, judge={"max_per_day": 1}
    )
    await part.arrive("a", ended_ms=2000)
    await part.arrive("b", ended_ms=1000)
    await part.run()
    [shown] = await part.shown()
    # one of two windows, of one trace each
    assert (shown.selection.probability, shown.selection.reason) == (0.5, "random")


async def test_more_windows_than_cards_have_the_same_chance_of_one(
    database: Database, tmp_path: Path
) -> None:
    part = await choosing(database, tmp_path, sampling={"rate": 1.0, "max_per_day": 5})
    for number in range(60):
        await part.arrive(f"{number}", ended_ms=1000 * (20 - number))
    await part.run()
    shown = await part.shown()
    assert len(shown) == 5
    # not the first five
    assert max(int(each.verdict.trace_id) for each in shown) >= 10
    assert all(0.05 < each.selection.probability <= 1 for each in shown)


@pytest.mark.parametrize("rate", [0.0, 0.5])
async def test_a_rate_changed_meanwhile_counts_from_then_on(
    database: Database, tmp_path: Path, rate: float
) -> None:
    part = await choosing(database, tmp_path, sampling={"rate": rate, "max_per_day": 5})
    await part.arrive("a", "b", rate=0.25)
    await part.run()
    [shown] = await part.shown()
    assert shown.selection.probability == 0.125


async def test_a_model_that_is_down_lets_the_window_wait(database: Database, tmp_path: Path) -> None:
    model = ScriptedJudgeModel(DOWN)
    part = await choosing(database, tmp_path, model)
    await part.arrive("a", "b")
    await part.run_until_reported()
    assert [problem.reason for problem in part.health.problems()] == [str(DOWN)]
    assert await part.known("a", "b") == ["a", "b"]
    await part.run()
    assert len(await part.shown()) == 1
    assert part.health.problems() == ()


async def test_a_judge_that_is_down_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "C1", judges=[{}, {"name": "brevity", "channel": "C2"}])
    memories = {
        JUDGE: await a_memory(judge_model=ScriptedJudgeModel(*[DOWN] * 1000)),
        "brevity": await a_memory(
            make_judge(name="brevity", instructions=POLITENESS, feedback_value_type=bool)
        ),
    }
    part = ChoosingCards(database, settings, a_chooser(database, memories).choose)
    await part.arrive("a")
    await part.arrive("b", judge="brevity")
    async with running(part.worker.run) as task:
        await until(lambda: part.shown_ids("brevity"), task)
    assert (await part.shown_ids(), await part.shown_ids("brevity")) == ([], ["b"])


@pytest.mark.parametrize("error", [InputError("no output"), ContentRefusedError("content filter")])
async def test_a_candidate_that_fails_alone_is_left_out(
    database: Database, tmp_path: Path, error: Exception
) -> None:
    model = ScriptedJudgeModel(error)
    part = await choosing(database, tmp_path, model)
    await part.arrive("a", "b", "c")
    await part.run()
    assert len(await part.shown()) == 1
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    "error",
    [InputError("no output"), ContentRefusedError("content filter"), RequestRefusedError("too long")],
)
async def test_a_window_of_which_no_candidate_can_be_judged_gets_no_card(
    database: Database, tmp_path: Path, error: Exception
) -> None:
    part = await choosing(database, tmp_path, ScriptedJudgeModel(*[error] * 100))
    await part.arrive("a", "b")
    await part.run()
    assert (await part.shown(), await part.known("a", "b")) == ([], [])
    assert part.health.problems() == ()


class FailsAtOneTrace(FakeJudgeModel):
    """Its service stumbles over one trace, whenever it is asked."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        stumble = RequestFailedError("It does not answer now.", blame="It fails at this trace.")
        self.error = stumble if request.trace_id == "poison" else None
        return await super().decide(request)


async def test_a_window_at_which_the_service_alone_fails_is_given_up_and_holds_up_no_other(
    database: Database, tmp_path: Path
) -> None:
    part = await choosing(database, tmp_path, FailsAtOneTrace())
    await part.arrive("poison", ended_ms=9000)
    for number in range(3):
        await part.arrive(f"{number}", ended_ms=1000 + number)
    async with running(part.worker.run) as task:
        for number in range(60):
            await until(part.shown_ids, task)
            await part.arrive(f"later-{number}", ended_ms=1000)
            await asyncio.sleep(0.3)
            if not await part.known("poison"):
                break
    assert await part.known("poison") == []
    assert "poison" not in await part.shown_ids()
    assert len(await part.shown_ids()) >= 3


async def test_windows_wait_for_a_service_that_fails_at_all(database: Database, tmp_path: Path) -> None:
    stumble = RequestFailedError("It does not answer now.", blame="It fails at this trace.")
    part = await choosing(database, tmp_path, ScriptedJudgeModel(*[stumble] * 4))
    await part.arrive("a", ended_ms=3000)
    await part.arrive("b", ended_ms=2000)
    await part.run()
    assert sorted(await part.shown_ids()) == ["a", "b"]


async def test_a_bug_at_one_window_stops_no_other(database: Database, tmp_path: Path) -> None:
    part = await choosing(database, tmp_path, ScriptedJudgeModel(KeyError("a bug")))
    await part.arrive("a", ended_ms=5000)
    await part.arrive("b", ended_ms=1000)
    await part.run()
    assert sorted(await part.shown_ids()) == ["a", "b"]


async def test_a_judge_that_the_settings_no_longer_name_shows_nothing(
    database: Database, tmp_path: Path
) -> None:
    part = await choosing(database, tmp_path)
    await part.arrive("a", judge="gone")
    await part.run()
    assert await part.known("a") == []


async def test_a_judge_that_may_have_another_name_goes_on_waiting(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "C1")
    choice = a_chooser(database, {JUDGE: await a_memory()})
    part = ChoosingCards(database, settings, choice.choose, renamed_perhaps=["old"])
    await part.arrive("a", judge="old", ended_ms=5000)
    await part.arrive("b")
    async with running(part.worker.run) as task:
        await until(part.shown_ids, task)
    assert await part.known("a") == ["a"]


async def test_a_judge_paused_meanwhile_shows_nothing(database: Database, tmp_path: Path) -> None:
    part = await choosing(database, tmp_path)
    await database.preferences.pause(JUDGE, JudgePause(at_ms=1, person=None), NOTICE)
    await part.arrive("a")
    await part.run()
    assert await part.shown() == []


async def test_a_trace_forgotten_while_it_is_judged_gets_no_card(database: Database, tmp_path: Path) -> None:
    chosen = ChosenCard(
        verdict=Verdict(judge=JUDGE, trace_id="a", value=True, rationale="because"),
        selection=CardSelection(probability=1.0, reason="random"),
    )

    async def choose(_judge: str, _candidates: Sequence[CandidateTrace], _seen: int) -> ChosenCard:
        await database.forgetting.delete_traces(["a"])
        return chosen

    part = ChoosingCards(database, settings_for(tmp_path, "C1"), choose)
    await part.arrive("a", "b")
    await part.run()
    assert await part.shown() == []
    assert await database.outbox.waiting() == 0


async def test_a_judge_paused_while_a_card_is_chosen_gets_none(database: Database, tmp_path: Path) -> None:
    async def choose(judge: str, candidates: Sequence[CandidateTrace], _seen: int) -> ChosenCard:
        await database.preferences.pause(JUDGE, JudgePause(at_ms=1, person=None), NOTICE)
        trace_id = candidates[0].trace.trace_id
        return ChosenCard(
            verdict=Verdict(judge=judge, trace_id=trace_id, value=True, rationale="because"),
            selection=CardSelection(probability=1.0, reason="random"),
        )

    part = ChoosingCards(database, settings_for(tmp_path, "C1"), choose)
    await part.arrive("a", "b")
    await part.run()
    assert (await part.shown(), await part.known("a", "b")) == ([], [])


async def test_a_trace_that_a_pause_let_go_gets_no_card_though_another_judge_may_see_it(
    database: Database, tmp_path: Path
) -> None:
    async def choose(judge: str, candidates: Sequence[CandidateTrace], _seen: int) -> ChosenCard:
        await database.preferences.pause(JUDGE, JudgePause(at_ms=1, person=None), NOTICE)
        trace_id = candidates[0].trace.trace_id
        return ChosenCard(
            verdict=Verdict(judge=judge, trace_id=trace_id, value=True, rationale="because"),
            selection=CardSelection(probability=1.0, reason="random"),
        )

    part = ChoosingCards(database, settings_for(tmp_path, "C1"), choose)
    end_ms = now_ms() - 1000
    drawn = [
        Candidate(
            trace_id="a",
            judge=judge,
            window_start_ms=0,
            window_end_ms=end_ms + place * 3_600_000,
            rank=0.5,
            received_ms=1,
        )
        for place, judge in enumerate([JUDGE, "brevity"])
    ]
    await database.traces.add([(a_trace("a"), ())], now_ms(), 1000, candidates={0: drawn})
    await part.run()
    assert await part.known("a") == ["a"], "it waits for the other judge"
    assert await part.shown() == []


async def test_work_in_hand_counts_as_shown_for_the_cap(database: Database, tmp_path: Path) -> None:
    judges = [{}, {"name": "brevity"}]
    settings = settings_for(tmp_path, "C1", judges=judges, sampling={"rate": 1.0, "max_per_day": 1})
    begun, go_on = asyncio.Event(), asyncio.Event()
    choices: list[str] = []

    async def choose(judge: str, candidates: Sequence[CandidateTrace], _seen: int) -> ChosenCard:
        choices.append(judge)
        begun.set()
        await go_on.wait()
        trace_id = candidates[0].trace.trace_id
        return ChosenCard(
            verdict=Verdict(judge=judge, trace_id=trace_id, value=True, rationale="because"),
            selection=CardSelection(probability=1.0, reason="random"),
        )

    part = ChoosingCards(database, settings, choose)
    await part.arrive("a")
    await part.arrive("b", judge="brevity")
    async with running(part.worker.run) as task:
        await until(begun.is_set, task)

        async def one_is_left() -> bool:
            return len(await database.candidates.oldest_ended(now_ms())) == 1

        await until(one_is_left, task)
        go_on.set()
        await until(part.is_done, task)
    assert len(choices) == 1
