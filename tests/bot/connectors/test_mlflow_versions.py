"""Servers of MLflow 3 that lack a call of the newest ones, or answer one otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from bot.connectors.mlflow import MlflowTool
from bot.runtime.clock import now_ms
from tests.bot.connectors.both_ways import MODEL, connected, opinions, until_at
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import EXPERIMENT, MlflowClient


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_infos_are_read_one_by_one_where_no_call_reads_many(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient, status: int
) -> None:
    fake_mlflow.failing = _without_batches(fake_mlflow, status)
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    gone = await small.trace(2, start_ms=now_ms() - 4_000)
    async with connected(tmp_path, small) as team:
        card = await team.card(trace_id)
        await team.card(gone)
        fake_mlflow.traces.pop(gone)
        verdict = (await team.bot.database.verdicts.of_trace(trace_id))[0].verdict
        team.react(card, "thumbsup")
        fake_mlflow.traces[trace_id]["assessments"].append(_assessment_of_zoe())

        def both_stand() -> bool:
            kinds = {each["source"]["source_id"] for each in fake_mlflow.traces[trace_id]["assessments"]}
            return {team.ana.id, "zoe"} <= kinds and ("mlflow:zoe", "Cold.") in opinions(team)

        await team.until(both_stand, 30)
        fake_mlflow.failing = lambda _: None
        wanted = {MODEL: verdict.value, f"HUMAN {team.ana.id}": verdict.value, "HUMAN zoe": False}
        await until_at(team, small, trace_id, wanted)


@pytest.mark.parametrize("location", [None, "TRACKING_STORE", "ARTIFACT_REPO"])
@pytest.mark.parametrize("path", ["/api/3.0/mlflow/traces/get", "/ajax-api/3.0/mlflow/get-trace-artifact"])
async def test_spans_are_read_from_the_place_that_has_them_whatever_the_tag_says(
    fake_mlflow: FakeMlflow, small: MlflowClient, location: str | None, path: str
) -> None:
    trace_id = await small.trace(1, "No.", start_ms=now_ms() - 5_000)
    info = fake_mlflow.traces[trace_id]
    spans = {"spans": info["spans"]}

    def only_place(request: web.Request) -> web.Response | None:
        if request.path == path:
            return web.json_response({"trace": {"trace_info": {}, **spans}, **spans})
        is_other = request.path.endswith(("/traces/get", "/get-trace-artifact"))
        return web.Response(status=404, text="<h1>Not Found</h1>") if is_other else None

    info["tags"] = {} if location is None else {"mlflow.trace.spansLocation": location}
    fake_mlflow.failing = only_place
    tool = MlflowTool(small.url, "", EXPERIMENT)
    try:
        [trace] = await tool.read_traces((await tool.list_traces(0)).heads)
    finally:
        await tool.close()
    assert (trace.inputs, trace.outputs) == ("Can you help me?", "No.")


@pytest.mark.parametrize("status", [400, 500])
async def test_answers_are_found_where_a_search_for_them_is_refused_or_fails(
    fake_mlflow: FakeMlflow, small: MlflowClient, status: int
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    await small.assess(trace_id, False, by="zoe")
    tool = MlflowTool(small.url, "", EXPERIMENT)
    searches: list[str] = []

    def first_fails(request: web.Request) -> web.Response | None:
        if not request.path.endswith("/search"):
            return None
        searches.append(request.path)
        return web.json_response({"message": "no"}, status=status) if len(searches) == 1 else None

    fake_mlflow.failing = first_fails
    try:
        listing = await tool.list_answers(["politeness"], 0)
    finally:
        await tool.close()
    assert [each.head.trace_id for each in listing.traces] == [trace_id]


def _assessment_of_zoe() -> dict[str, object]:
    return {
        "assessment_id": "a-zoe",
        "assessment_name": "politeness",
        "source": {"source_type": "HUMAN", "source_id": "zoe"},
        "feedback": {"value": False},
        "rationale": "Cold.",
    }


def _without_batches(server: FakeMlflow, status: int) -> Callable[[web.Request], web.Response | None]:
    """Return a server of before `batchGetInfos`, which tells of one trace at a time."""

    def answer(request: web.Request) -> web.Response | None:
        if request.path.endswith("/batchGetInfos"):
            return web.Response(status=status, text="<h1>Not Found</h1>")
        trace_id = request.path.rpartition("/")[2]
        if request.method != "GET" or not trace_id.startswith("tr-"):
            return None
        info = server.traces.get(trace_id)
        if info is None:
            return web.json_response({"error_code": "RESOURCE_DOES_NOT_EXIST"}, status=404)
        shown = {name: part for name, part in info.items() if name not in ("spans", "experiment")}
        return web.json_response({"trace": {"trace_info": shown}})

    return answer
