"""A tracking server that is down, slow or closed to us: the bot works on, tells it, and catches up."""

from pathlib import Path

from aiohttp import web

from bot.runtime.clock import DAY_MS, now_ms
from memalign.records import TraceTarget
from storage.database import Database
from tests.bot.bot_in_workspace import BotInWorkspace
from tests.bot.connectors.both_ways import MODEL, connected, until_at
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import MlflowClient


async def test_after_days_without_the_server_every_trace_has_one_card(
    tmp_path: Path, small: MlflowClient
) -> None:
    first = await small.trace(1, start_ms=now_ms() - 4 * DAY_MS)
    async with connected(tmp_path, small) as team:
        await team.card(first)
        workspace = team.workspace
    late = [await small.trace(number, start_ms=now_ms() - 3 * DAY_MS + number) for number in range(2, 242)]
    async with connected(tmp_path, small, workspace=workspace) as team:
        await team.until_async(lambda: _all_judged(team.bot.database, [first, *late]))
        assert await team.bot.database.verdicts.count_of_judge("politeness") == 241


async def _all_judged(database: Database, trace_ids: list[str]) -> bool:
    return await database.verdicts.count_of_judge("politeness") >= len(trace_ids)


async def test_a_server_that_is_down_is_told_and_stops_nothing_else(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small) as team:
        card = await team.card(trace_id)
        stored = await team.bot.database.verdicts.recent("politeness", 1)
        await until_at(team, small, trace_id, {MODEL: stored[0].verdict.value})
        await fake_mlflow.stop()
        await team.until_async(lambda: team.tells("MLflow cannot be reached"), 30)
        status, body = await team.get("/readyz")
        assert (status, "mlflow support (reading): MLflow cannot be reached" in body) == (200, True)
        other = await team.show("sent-otherwise")
        team.react(other, "thumbsdown")
        await team.until(lambda: "sent-otherwise" in team.labels(), 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)
        await team.until_async(lambda: team.tells("1 assessment waits to be deleted there"), 30)
        await fake_mlflow.start()
        await until_at(team, small, trace_id, {})
        assert card.channel == other.channel
        await team.until_async(lambda: _is_well(team), 60)
        assert await team.bot.database.connectors.origin(trace_id) is None


async def test_a_vote_that_could_not_be_written_is_told_until_it_is_written(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small) as team:
        card = await team.card(trace_id)
        [stored] = await team.bot.database.verdicts.of_trace(trace_id)
        await until_at(team, small, trace_id, {MODEL: stored.verdict.value})
        fake_mlflow.failing = lambda request: (
            web.Response(status=503) if request.path.endswith("/assessments") else None
        )
        team.react(card, "thumbsup")
        told = "MLflow fails (503); 1 assessment waits to be written there"
        await team.until_async(lambda: team.tells(told), 30)
        fake_mlflow.failing = lambda _: None
        both = {MODEL: stored.verdict.value, f"HUMAN {team.ana.id}": stored.verdict.value}
        await until_at(team, small, trace_id, both)
        await team.until_async(lambda: _is_well(team), 60)


async def _is_well(team: BotInWorkspace) -> bool:
    return not (await team.bot.status.read()).troubles


async def test_a_rate_limit_is_waited_for_as_long_as_it_says(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    limited = [web.Response(status=429, headers={"Retry-After": "3"})]
    refused_at: list[int] = []
    asked_at: list[int] = []

    def limit(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/search"):
            return None
        asked_at.append(now_ms())
        if limited:
            refused_at.append(now_ms())
            return limited.pop()
        return None

    fake_mlflow.failing = limit
    async with connected(tmp_path, small) as team:
        await team.card(trace_id)
    assert asked_at[1] - refused_at[0] >= 3_000


async def test_a_key_that_is_missing_is_told_with_its_remedy(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    fake_mlflow.key = "Bearer other"
    async with connected(tmp_path, small) as team:
        await team.until_async(lambda: team.tells("MLflow asks for a key (401); name its variable by"), 30)


async def test_more_traces_than_may_wait_are_read_once_there_is_room(
    tmp_path: Path, small: MlflowClient
) -> None:
    start = now_ms() - 60_000
    trace_ids = [await small.trace(number, start_ms=start + number) for number in range(1, 61)]
    sections = {"ingest": {"port": 0, "max_pending": 5}}
    async with connected(tmp_path, small, sections=sections) as team:
        await team.until_async(lambda: _all_judged(team.bot.database, trace_ids))
        assert await team.bot.database.verdicts.count_of_judge("politeness") == 60
