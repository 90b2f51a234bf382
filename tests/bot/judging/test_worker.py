"""The judging worker: traces become verdicts with cards; a model that is down is spared."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.config import Settings
from bot.judging.blind_cards import BlindCards
from bot.judging.daily_cap import DailyCap
from bot.judging.day_planner import DayPlanner
from bot.judging.shadow_judges import ShadowJudges
from bot.judging.worker import JudgingWorker
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from memalign.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ModelRefusedError,
    ModelUnavailableError,
    RequestFailedError,
    RequestRefusedError,
)
from memalign.judge_memory import JudgeMemory
from memalign.optimizer import make_judge
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.trial.call_budget import FixedBudget
from storage.database import Database
from storage.records import CardContent, RefusedTraces
from tests.bot.bot_in_workspace import settings_for
from tests.bot.fakes import Wakes, running, until
from tests.bot.judging.shadows import shadow_judges
from tests.factories import POLITENESS, a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeJudgeModel

DOWN = ModelUnavailableError("fake:/model is overloaded or down.")


class ScriptedJudgeModel(FakeJudgeModel):
    """Fails with each of its errors, one a request, then judges."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self._errors = list(errors)
        self.before = self._next

    def _next(self) -> None:
        self.error = self._errors.pop(0) if self._errors else None


class HangingJudgeModel(FakeJudgeModel):
    """Takes requests and never answers."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        await asyncio.Event().wait()
        raise AssertionError("nobody waits that long")


class LateSpansJudgeModel(FakeJudgeModel):
    """Answers its first request after late spans of the trace have come."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        if not self.requests:
            assert await self._database.open_traces.extend(
                a_trace("tr-1", outputs="a longer answer"), (), None
            )
        return await super().decide(request)


class Judging:
    """A worker on a store, with judges of fake models."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        memories: dict[str, JudgeMemory],
        *,
        concurrency: int = 2,
        shadows: ShadowJudges | None = None,
    ) -> None:
        self.database = database
        self.health = HealthRegistry()
        self.posting = Wakes()
        self.worker = JudgingWorker(
            settings,
            database,
            memories,
            shadows or shadow_judges(database, memories),
            self.health,
            self.posting,
            DailyCap(database, DayPlanner(settings, database)),
            CircuitBreaker(),
            BlindCards(settings, database),
            concurrency=concurrency,
        )

    async def add(self, *trace_ids: str, judges: Sequence[str] = ("politeness",)) -> None:
        batch = [(a_trace(trace_id), judges) for trace_id in trace_ids]
        await self.database.traces.add(batch, now_ms(), 1000)

    async def run(self) -> None:
        """Run until no trace waits."""
        async with running(self.worker.run) as part:
            await until(self._is_done, part)

    async def run_until_reported(self) -> None:
        async with running(self.worker.run) as part:
            await until(self._is_reported, part)

    async def _is_done(self) -> bool:
        return not await self.database.traces.waiting()

    async def _is_reported(self) -> bool:
        return self.health.problems() != ()

    async def cards(self) -> list[tuple[str, str, str]]:
        """Channel, judge and trace of the cards in the outbox, channel by channel the first."""
        posts = await self.database.outbox.next_due(now_ms())
        contents = [(post.channel, post.content) for post in posts]
        return [
            (channel, card.judge, card.trace_id)
            for channel, card in contents
            if isinstance(card, CardContent)
        ]

    async def judged(self, judge: str = "politeness") -> list[str]:
        """Traces that a judge has judged, oldest first."""
        verdicts = await self.database.verdicts.recent(judge, 100)
        return [verdict.verdict.trace_id for verdict in reversed(verdicts)]


async def judging(database: Database, folder: Path, model: FakeJudgeModel, **sections: object) -> Judging:
    settings = settings_for(folder, "C1", **sections)
    return Judging(database, settings, {"politeness": await a_memory(judge_model=model)})


async def test_a_verdict_is_stored_with_its_card_and_posting_is_woken(
    database: Database, tmp_path: Path
) -> None:
    judge = await judging(database, tmp_path, FakeJudgeModel())
    await judge.add("tr-1")
    await judge.run()
    assert await judge.judged() == ["tr-1"]
    assert await judge.cards() == [("C1", "politeness", "tr-1")]
    assert judge.posting.count == 1


async def test_a_trace_that_grows_while_its_judge_is_asked_is_judged_again_and_shown_once(
    database: Database, tmp_path: Path
) -> None:
    model = LateSpansJudgeModel(database)
    judge = await judging(database, tmp_path, model)
    await judge.add("tr-1")
    await judge.run()
    assert len(model.requests) == 2
    assert await judge.cards() == [("C1", "politeness", "tr-1")]
    judged = await database.traces.get("tr-1")
    assert judged is not None
    assert judged.outputs == "a longer answer"
    assert not await database.open_traces.extend(a_trace("tr-1", outputs="too late"), (), None)


@pytest.mark.parametrize(
    "error",
    [MalformedAnswerError("no JSON"), RequestRefusedError("too long"), KeyError("a bug")],
    ids=["unreadable answer", "refused request", "bug"],
)
async def test_what_fails_on_one_trace_makes_it_wait_and_stops_no_other(
    database: Database, tmp_path: Path, error: Exception
) -> None:
    judge = await judging(database, tmp_path, ScriptedJudgeModel(error))
    await judge.add("tr-1", "tr-2", "tr-3")
    await judge.run()
    assert sorted(await judge.judged()) == ["tr-1", "tr-2", "tr-3"]
    assert judge.health.problems() == ()


@pytest.mark.parametrize("error", [DOWN, ModelRefusedError("wrong key")])
async def test_a_model_that_is_down_is_not_asked_for_every_trace(
    database: Database, tmp_path: Path, error: Exception
) -> None:
    model = ScriptedJudgeModel(*[error] * 1000)
    judge = await judging(database, tmp_path, model)
    await judge.add(*(f"tr-{number}" for number in range(40)))
    await judge.run_until_reported()
    assert len(model.requests) <= 2  # as many as are judged at a time
    assert judge.health.reason("judging", "politeness") == str(error)
    assert await database.traces.waiting() == 40


@pytest.mark.parametrize("failures", [3, 4])
async def test_probes_of_a_model_that_is_down_use_up_no_calls_for_shadows(
    database: Database, tmp_path: Path, failures: int
) -> None:
    model = FakeJudgeModel()
    memory = await a_memory(a_judge(model="openai:/gpt-5-mini"), judge_model=model, store=database.memories)
    await memory.learn([a_trace("old", a_vote(False, "Curt answers are rude."))])
    budget = FixedBudget(1000)
    memories = {"politeness": memory}
    judge = Judging(
        database,
        settings_for(tmp_path, "C1"),
        memories,
        concurrency=1,
        shadows=shadow_judges(database, memories, budget=budget),
    )

    def fail_first() -> None:
        model.error = DOWN if len(model.requests) <= failures else None

    model.before = fail_first
    await judge.add("tr-1")
    await judge.run()
    [stored] = await database.verdicts.recent("politeness", 10)
    assert {each.kind for each in stored.shadows} >= {"base"}
    # one for the first attempt, when nobody knew that the model was down, and one for the verdict shown
    assert 1000 - budget.left <= 2


async def test_when_one_trace_shows_that_the_model_is_back_the_others_follow(
    database: Database, tmp_path: Path
) -> None:
    judge = await judging(database, tmp_path, ScriptedJudgeModel(DOWN, DOWN))
    await judge.add(*(f"tr-{number}" for number in range(6)))
    await judge.run()
    assert len(await judge.judged()) == 6
    assert judge.health.problems() == ()


async def test_a_judge_that_is_down_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "C1", judges=[{}, {"name": "brevity", "channel": "C2"}])
    memories = {
        "politeness": await a_memory(judge_model=ScriptedJudgeModel(*[DOWN] * 1000)),
        "brevity": await a_memory(),
    }
    judge = Judging(database, settings, memories)
    await judge.add("tr-1", "tr-2", judges=("politeness",))
    await judge.add("tr-3", judges=("brevity",))
    async with running(judge.worker.run) as part:
        await until(judge.cards, part)
    assert [trace_id for _, _, trace_id in await judge.cards()] == ["tr-3"]


async def test_no_more_cards_a_day_than_the_cap(database: Database, tmp_path: Path) -> None:
    sampling = {"rate": 1.0, "max_per_day": 3}
    judge = await judging(database, tmp_path, FakeJudgeModel(), sampling=sampling)
    await judge.add(*(f"tr-{number}" for number in range(10)))
    await judge.run()
    assert len(await judge.judged()) == 3


async def test_a_judge_that_the_settings_no_longer_name_judges_nothing(
    database: Database, tmp_path: Path
) -> None:
    judge = await judging(database, tmp_path, FakeJudgeModel())
    await judge.add("tr-1", judges=("gone",))
    await judge.run()
    assert (await judge.judged(), await judge.cards()) == ([], [])


@pytest.mark.parametrize(("concurrency", "at_most"), [(8, 4), (3, 1), (2, 1)])
async def test_a_judge_whose_model_hangs_takes_half_of_the_workers_and_holds_up_no_other(
    database: Database, tmp_path: Path, concurrency: int, at_most: int
) -> None:
    settings = settings_for(tmp_path, "C1", judges=[{}, {"name": "brevity", "channel": "C2"}])
    hanging, swift = HangingJudgeModel(), FakeJudgeModel()
    memories = {
        "politeness": await a_memory(judge_model=hanging),
        "brevity": await a_memory(
            make_judge(name="brevity", instructions=POLITENESS, feedback_value_type=bool), judge_model=swift
        ),
    }
    judge = Judging(database, settings, memories, concurrency=concurrency)
    await judge.add(*(f"tr-{number}" for number in range(30)), judges=("politeness",))
    await judge.add(*(f"tr-{number}" for number in range(30, 50)), judges=("brevity",))
    async with running(judge.worker.run) as part:
        await until(lambda: len(swift.requests) == 20, part)
    assert len(hanging.requests) == at_most


async def test_a_judge_alone_has_all_workers(database: Database, tmp_path: Path) -> None:
    hanging = HangingJudgeModel()
    judge = Judging(
        database,
        settings_for(tmp_path, "C1"),
        {"politeness": await a_memory(judge_model=hanging)},
        concurrency=4,
    )
    await judge.add(*(f"tr-{number}" for number in range(10)))
    async with running(judge.worker.run) as part:
        await until(lambda: len(hanging.requests) == 4, part)


async def test_what_waits_for_a_model_that_is_down_is_not_written_anew(
    database: Database, tmp_path: Path
) -> None:
    model = ScriptedJudgeModel(*[DOWN] * 1000)
    judge = await judging(database, tmp_path, model)
    await judge.add(*(f"tr-{number}" for number in range(40)))
    async with running(judge.worker.run) as part:
        await until(lambda: len(model.requests) >= 3, part)
    jobs = await database.traces.next_jobs(now_ms() + 3_600_000, 100)
    assert len(jobs) == 40
    assert sum(job.attempts for job in jobs) <= len(model.requests)


async def test_a_pause_that_a_model_asks_for_is_kept(database: Database, tmp_path: Path) -> None:
    limited = ModelUnavailableError("busy", retry_after=1800)
    judge = await judging(database, tmp_path, ScriptedJudgeModel(limited, limited))
    await judge.add("tr-1")

    async def is_put_off() -> bool:
        return await database.traces.next_jobs(now_ms() + 1_700_000, 10) == []

    async with running(judge.worker.run) as part:
        await until(is_put_off, part)
    assert await database.traces.waiting() == 1


async def test_work_that_takes_long_is_known_with_its_model(database: Database, tmp_path: Path) -> None:
    hanging = HangingJudgeModel()
    judge = await judging(database, tmp_path, hanging)
    await judge.add("tr-1")
    async with running(judge.worker.run) as part:
        await until(lambda: hanging.requests, part)
        (work,) = judge.health.work.long(seconds=0)
    assert (work.component, work.subject, work.doing) == (
        "judging",
        "politeness",
        "judging a trace with local:/cases",
    )
    assert judge.health.work.long(seconds=0) == ()


class ChoosyJudgeModel(FakeJudgeModel):
    """Fails at traces by their ids, and judges the others."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__()
        self.errors = errors

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        if error := self.errors.get(request.trace_id or ""):
            raise error
        self.requests.pop()
        return await super().decide(request)

    def asked_about(self, trace_id: str) -> int:
        return [request.trace_id for request in self.requests].count(trace_id)


FAILED = RequestFailedError("fake:/m is overloaded or down (500).", blame="fake:/m fails at this one (500).")


@pytest.mark.parametrize("number", [1, 2])
async def test_a_trace_whose_content_is_refused_is_given_up_after_two_tries(
    database: Database, tmp_path: Path, number: int
) -> None:
    names = [f"bad-{n}" for n in range(number)]
    refused = ContentRefusedError("fake:/m refuses what this request says.")
    model = ChoosyJudgeModel(dict.fromkeys(names, refused))
    judge = await judging(database, tmp_path, model)
    await judge.add(*names, "tr-1", "tr-2")
    await judge.run()

    assert sorted(await judge.judged()) == ["tr-1", "tr-2"]
    assert [model.asked_about(name) for name in names] == [2] * number
    assert judge.health.problems() == ()
    refusals = await database.traces.refused()
    assert refusals == {"politeness": RefusedTraces(number=number, reason=str(refused))}


async def test_a_start_tries_refused_traces_again(database: Database, tmp_path: Path) -> None:
    model = ChoosyJudgeModel({"tr-1": ContentRefusedError("refused")})
    judge = await judging(database, tmp_path, model)
    await judge.add("tr-1")
    await judge.run()
    assert await judge.judged() == []

    again = await judging(database, tmp_path, FakeJudgeModel())
    async with running(again.worker.run) as part:
        await until(again.judged, part)
    assert await again.judged() == ["tr-1"]
    assert await database.traces.refused() == {}


async def test_a_refused_trace_that_is_forgotten_is_not_told_any_more(
    database: Database, tmp_path: Path
) -> None:
    judge = await judging(database, tmp_path, ChoosyJudgeModel({"tr-1": ContentRefusedError("refused")}))
    await judge.add("tr-1")
    await judge.run()
    await database.forgetting.delete_traces(["tr-1"])
    assert await database.traces.refused() == {}


async def test_a_request_that_is_refused_is_given_up_only_where_the_model_answers_others(
    database: Database, tmp_path: Path
) -> None:
    model = ChoosyJudgeModel(dict.fromkeys(("tr-1", "tr-2"), RequestRefusedError("no such option")))
    judge = await judging(database, tmp_path, model)
    await judge.add("tr-1", "tr-2")
    async with running(judge.worker.run) as part:
        await until(lambda: len(model.requests) >= 5, part)
    assert await database.traces.refused() == {}
    assert await database.traces.waiting() == 2

    model.errors.pop("tr-2")
    await judge.run()
    assert await judge.judged() == ["tr-2"]
    assert (await database.traces.refused())["politeness"].number == 1


async def test_a_trace_at_which_the_model_fails_waits_alone_and_others_are_judged(
    database: Database, tmp_path: Path
) -> None:
    model = ChoosyJudgeModel({"bad": FAILED})
    judge = await judging(database, tmp_path, model)
    await judge.add("bad")
    async with running(judge.worker.run) as part:
        await until(lambda: model.asked_about("bad") >= 2, part)
        names = [f"tr-{number}" for number in range(30)]
        await judge.add(*names)

        async def others_are_judged() -> bool:
            return len(await judge.judged()) == 30

        await until(others_are_judged, part)
        before = model.asked_about("bad")
        await judge.add(*(f"later-{number}" for number in range(30)))

        async def all_are_judged() -> bool:
            return len(await judge.judged()) == 60

        await until(all_are_judged, part)
    assert model.asked_about("bad") - before <= 1
    assert await database.traces.waiting() == 1


async def test_the_sentence_on_a_trace_at_fault_says_that_the_model_answers_others(
    database: Database, tmp_path: Path
) -> None:
    judge = await judging(database, tmp_path, ChoosyJudgeModel({"bad": FAILED}))
    await judge.add("bad", "tr-1")

    async def reason() -> str | None:
        jobs = await database.traces.next_jobs(now_ms() + 3_600_000, 10)
        return next((job.reason for job in jobs if job.own_failures), None)

    async with running(judge.worker.run) as part:
        await until(reason, part)
    assert await reason() == FAILED.blame
