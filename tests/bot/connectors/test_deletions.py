"""Deletions: at the source, which are followed here, and of ours there, after a connector has left the settings."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from bot.cli.check import findings
from bot.config import Secrets
from bot.connectors.removed import removed_connectors
from bot.runtime.clock import now_ms
from memalign.records import TraceTarget
from storage.database import Database
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.connectors.both_ways import MODEL, connected, until_at
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import MlflowClient


def infos_are_missing(request: web.Request) -> web.Response | None:
    """Answer as if no trace were there."""
    return web.json_response({"trace_infos": []}) if request.path.endswith("/batchGetInfos") else None


def without_permission(request: web.Request) -> web.Response | None:
    """Show no trace, and refuse the experiment: as after a permission was taken away."""
    if request.path.endswith("/get-by-name"):
        return web.json_response({"error_code": "PERMISSION_DENIED"}, status=403)
    return infos_are_missing(request)


def without_experiment(request: web.Request) -> web.Response | None:
    """Show no trace and no experiment: as at another address."""
    if request.path.endswith("/get-by-name"):
        return web.json_response({"error_code": "RESOURCE_DOES_NOT_EXIST"}, status=404)
    return infos_are_missing(request)


def another_experiment(request: web.Request) -> web.Response | None:
    """Show no trace, and an experiment that was made anew: as after a move to another server."""
    if request.path.endswith("/get-by-name"):
        return web.json_response({"experiment": {"experiment_id": "77", "name": "support"}})
    return infos_are_missing(request)


def down(_: web.Request) -> web.Response:
    """Answer nothing useful."""
    return web.Response(status=503)


def part_of_a_page(request: web.Request) -> web.Response | None:
    """Leave traces out of long lists only."""
    return (
        None
        if request.content_length is not None and request.content_length < 80
        else infos_are_missing(request)
    )


@pytest.mark.parametrize(
    "failing", [without_permission, without_experiment, another_experiment, down, part_of_a_page]
)
async def test_what_a_tool_does_not_show_for_another_reason_is_not_forgotten(
    tmp_path: Path,
    fake_mlflow: FakeMlflow,
    small: MlflowClient,
    failing: Callable[[web.Request], web.Response | None],
) -> None:
    trace_ids = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in (1, 2)]
    async with connected(tmp_path, small, follow_deletions=True) as team:
        for trace_id in trace_ids:
            await team.card(trace_id)
        fake_mlflow.calls.clear()
        fake_mlflow.failing = failing
        await team.until(lambda: len(fake_mlflow.calls) >= 6, 30)
        fake_mlflow.failing = lambda _: None
        fake_mlflow.calls.clear()
        await team.until(lambda: len(fake_mlflow.calls) >= 6, 30)
        assert all([await team.bot.database.traces.contains(each) for each in trace_ids])


async def test_a_deletion_at_the_source_is_followed_for_a_trace_that_came_under_another_name(
    tmp_path: Path, small: MlflowClient
) -> None:
    sent = f"{1:032x}"
    async with connected(tmp_path, small, follow_deletions=True) as team:
        await team.show(sent)
        listed = await small.trace(1, start_ms=now_ms() - 5_000)
        [stored] = await team.bot.database.verdicts.of_trace(sent)
        await until_at(team, small, listed, {MODEL: stored.verdict.value})
        await small.delete(listed)
        await team.until_async(lambda: team.bot.database.traces.is_forgotten(sent), 30)
        assert await team.bot.database.connectors.origin(sent) is None


async def test_deletions_wait_for_a_connector_that_left_the_settings_and_are_told(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small) as team:
        await team.card(trace_id)
        [stored] = await team.bot.database.verdicts.of_trace(trace_id)
        await until_at(team, small, trace_id, {MODEL: stored.verdict.value})
        await fake_mlflow.stop()
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)
        workspace = team.workspace
    await fake_mlflow.start()

    told = "mlflow support: it left the settings, and 1 assessment waits to be deleted there"
    async with bot_in_workspace(tmp_path, workspace=workspace) as team:
        await team.until_async(lambda: team.tells(told), 30)
        assert "put its [[connectors]] table back" in (await team.get("/readyz"))[1]
        settings = team.bot.resources.settings
        lines = {each.what: each async for each in findings(settings, Secrets())}
        assert (
            lines["connector mlflow support"].fine,
            "table back" in lines["connector mlflow support"].words,
        ) == (
            False,
            True,
        )
        assert len(await small.assessments(trace_id)) == 1

    async with connected(tmp_path, small, workspace=workspace) as team:
        await until_at(team, small, trace_id, {})
        assert not await team.tells(told)
        await team.until_async(lambda: _is_done(team), 30)


async def _is_done(team: BotInWorkspace) -> bool:
    database: Database = team.bot.database
    return await removed_connectors(team.bot.resources.settings, database) == [] and not (
        await database.connectors.waiting_deletions()
    )
