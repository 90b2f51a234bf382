"""Labels given in a tracing tool on traces that no card shows."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.call_budget import DailyCallBudget
from bot.judging.label_worker import COMPONENT, LabelWorker
from bot.runtime.circuit_breaker import CircuitBreaker
from bot.runtime.clock import DAY_MS, now_ms
from bot.runtime.health import HealthRegistry
from memalign.errors import ContentRefusedError, ModelUnavailableError
from memalign.records import PersonTarget, TraceTarget
from storage.database import Database
from storage.label_jobs import LabelledTrace
from storage.records import TraceOrigin
from tests.bot.bot_in_workspace import settings_for
from tests.bot.connectors.both_ways import connected, opinions
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import TRACES, MlflowClient
from tests.factories import a_judge, a_memory, a_trace
from tests.fakes import FakeJudgeModel

UNSAMPLED = {"sampling": {"rate": 0.0}}
JUDGE = "politeness"


async def test_a_server_that_cannot_search_feedback_is_walked_through(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    fake_mlflow.can_search_feedback = False
    start = now_ms() - DAY_MS
    # the label is on the oldest one, which the newest page does not hold
    trace_ids = [await small.trace(number, start_ms=start + number) for number in range(1, 251)]
    await small.assess(trace_ids[0], False, by="zoe", rationale="Cold.")
    async with connected(tmp_path, small, sections=UNSAMPLED) as team:
        await team.until(lambda: team.labels() == {trace_ids[0]: False}, 60)


async def test_a_label_on_a_trace_that_the_cap_left_out_teaches(tmp_path: Path, small: MlflowClient) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    capped = {"sampling": {"rate": 1.0, "max_per_day": 0}}
    async with connected(tmp_path, small, sections=capped) as team:
        await team.until_async(lambda: _is_read(team.bot.database, trace_id), 30)
        await small.assess(trace_id, False, by="zoe", rationale="Cold.")
        await team.until(lambda: team.labels() == {trace_id: False}, 60)
        assert team.shown(trace_id) is None


async def _is_read(database: Database, trace_id: str) -> bool:
    return await database.traces.count() == 1 and not await database.traces.contains(trace_id)


async def test_one_trace_labelled_for_two_judges_teaches_both(tmp_path: Path, small: MlflowClient) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    sections = {**UNSAMPLED, "judges": [{}, {"name": "brevity"}, {"name": "safety"}]}
    async with connected(tmp_path, small, sections=sections) as team:
        await small.assess(trace_id, False, by="zoe")
        await small.assess(trace_id, True, by="zoe", name="brevity")
        await small.assess(trace_id, "neither", by="zoe", name="safety")
        await team.until(lambda: team.labels() == {trace_id: False}, 60)
        await team.until(lambda: team.labels("brevity") == {trace_id: True}, 60)
        judges = {each.verdict.judge for each in await team.bot.database.verdicts.of_trace(trace_id)}
        assert judges == {"politeness", "brevity"}


async def test_labels_on_what_was_forgotten_or_of_before_since_teach_nothing(
    tmp_path: Path, small: MlflowClient
) -> None:
    gone = await small.trace(1, start_ms=now_ms() - 5_000)
    early = await small.trace(2, start_ms=1_700_000_000_000)
    async with connected(tmp_path, small, sections=UNSAMPLED) as team:
        await small.assess(gone, False, by="zoe")
        await small.assess(early, False, by="zoe")
        await team.until(lambda: team.labels() == {gone: False}, 60)
        await team.bot.forgetting.forget(TraceTarget(trace_id=gone), team.ana.id)
        marker = await small.trace(3, start_ms=now_ms())
        await small.assess(marker, True, by="kim", rationale="Fine.")
        await team.until(lambda: team.labels() == {marker: True}, 60)
        await team.bot.forgetting.forget(PersonTarget(person="mlflow:kim"), None)
        again = await small.trace(4, start_ms=now_ms())
        await small.assess(again, True, by="zoe")
        await team.until(lambda: team.labels() == {again: True}, 60)
        assert opinions(team) == {("mlflow:zoe", "")}


async def test_the_labels_of_a_paused_judge_wait_in_the_tool(tmp_path: Path, small: MlflowClient) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small, sections=UNSAMPLED) as team:
        await team.asked(team.ana, "pause")
        await small.assess(trace_id, False, by="zoe")
        await team.until_async(lambda: _is_read(team.bot.database, trace_id), 30)
        assert await team.bot.database.label_jobs.count() == 0
        await team.asked(team.ana, "resume")
        await team.until(lambda: team.labels() == {trace_id: False}, 60)


async def test_a_trace_without_content_is_read_a_few_times_since_a_part_may_come_late(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    empty, late = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in (1, 2)]
    attributes = fake_mlflow.traces[late]["spans"][0]["attributes"]
    for trace_id in (empty, late):
        fake_mlflow.traces[trace_id]["spans"][0]["attributes"] = []
    await small.assess(empty, False, by="zoe")
    async with connected(tmp_path, small, sections={"sampling": {"rate": 1.0}}) as team:
        await team.until(lambda: f"GET {TRACES}/get" in fake_mlflow.calls, 30)
        fake_mlflow.traces[late]["spans"][0]["attributes"] = attributes
        await team.card(late)
        searches = len([call for call in fake_mlflow.calls if call.endswith("/search")])
        await team.until(lambda: len([c for c in fake_mlflow.calls if "search" in c]) >= searches + 20, 60)
        assert team.labels() == {}
    # five times as any trace, five times for its label, and the other one
    assert fake_mlflow.calls.count(f"GET {TRACES}/get") <= 15


class Labels:
    """A worker on a store, with a judge whose model costs calls."""

    def __init__(self, folder: Path, database: Database, *, calls: int) -> None:
        self.model = FakeJudgeModel()
        self.health = HealthRegistry()
        self._database = database
        self._folder = folder
        self._budget = DailyCallBudget(
            database.model_calls, "labelled_traces", total=calls, zone=ZoneInfo("UTC")
        )

    async def work_off(self) -> None:
        """Judge what is due, once."""
        memory = await a_memory(
            a_judge(model="openai:/gpt-5-mini"), judge_model=self.model, store=self._database.memories
        )
        settings = settings_for(self._folder, "C1", judge={"model": "openai:/gpt-5-mini"})
        worker = LabelWorker(
            settings, self._database, {JUDGE: memory}, self._budget, CircuitBreaker(), self.health
        )
        await worker.work_off()

    async def label(self, *trace_ids: str) -> None:
        """Let traces wait to be judged."""
        await self._database.label_jobs.add(
            [
                LabelledTrace(
                    trace=replace(a_trace(trace_id), judges=(JUDGE,)),
                    origin=TraceOrigin(
                        trace_id=trace_id, connector="mlflow:1", reference=trace_id, read_ms=1
                    ),
                )
                for trace_id in trace_ids
            ],
            now_ms(),
        )

    async def judged(self, *trace_ids: str) -> list[str]:
        """Return those of the traces that have a verdict."""
        return [each for each in trace_ids if await self._database.verdicts.of_trace(each)]


async def test_labels_are_judged_within_the_model_calls_of_the_day_and_say_that_they_wait(
    tmp_path: Path, database: Database
) -> None:
    labels = Labels(tmp_path, database, calls=2)
    await labels.label("tr-1", "tr-2", "tr-3")
    await labels.work_off()
    assert await labels.judged("tr-1", "tr-2", "tr-3") == ["tr-1", "tr-2"]
    assert "max_model_calls_per_day" in (labels.health.reason(COMPONENT, JUDGE) or "")
    assert (await database.verdicts.recent(JUDGE, 10), await database.outbox.waiting()) == ([], 0)


@pytest.mark.parametrize(
    ("error", "is_given_up"), [(ModelUnavailableError("down"), False), (ContentRefusedError("no"), True)]
)
async def test_a_model_that_fails_or_refuses_is_asked_again_later_or_at_the_next_start(
    tmp_path: Path, database: Database, error: Exception, is_given_up: bool
) -> None:
    labels = Labels(tmp_path, database, calls=10)
    await labels.label("tr-1")
    labels.model.error = error
    await labels.work_off()
    assert (await labels.judged("tr-1"), await database.label_jobs.count()) == ([], 1)
    assert (await database.label_jobs.unjudged({"tr-1": [JUDGE]})) == {}
    labels.model.error = None
    if is_given_up:
        await labels.work_off()
        assert await labels.judged("tr-1") == []
        await database.label_jobs.retry_refused()
    else:
        [job] = await database.label_jobs.due(now_ms() + DAY_MS, 10)
        assert job.reason == "down"
    await labels.work_off()
    assert (await labels.judged("tr-1"), await database.label_jobs.count()) == (["tr-1"], 0)


async def test_what_waits_for_its_label_goes_with_its_trace(tmp_path: Path, database: Database) -> None:
    labels = Labels(tmp_path, database, calls=10)
    await labels.label("tr-1")
    await database.forgetting.delete_traces(["tr-1"])
    assert await database.label_jobs.count() == 0
    await labels.label("tr-1")
    await labels.work_off()
    assert (await labels.judged("tr-1"), await database.traces.contains("tr-1")) == ([], False)
