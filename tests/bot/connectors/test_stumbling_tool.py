"""A tracking server that works, and fails at some of what it is asked."""

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from bot.connectors.content_reader import MAX_FAILURES, ContentReader
from bot.connectors.errors import ToolUnavailableError
from bot.connectors.mlflow import MlflowTool
from bot.runtime.clock import now_ms
from memalign.records import Json
from tests.bot.connectors.both_ways import MODEL, connected, opinions, until_at
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import EXPERIMENT, MlflowClient


def _fail_at(*trace_ids: str) -> Callable[[web.Request], web.Response | None]:
    """Return what fails when one of these traces is read, as a proxy does whose server takes too long."""

    def answer(request: web.Request) -> web.Response | None:
        is_read = request.path.endswith("/traces/get") and request.query.get("trace_id") in trace_ids
        return web.Response(status=504, text="<h1>Gateway Time-out</h1>") if is_read else None

    return answer


@pytest.mark.parametrize("poisoned", [(1,), (3,), (1, 2), (2, 3, 5)])
async def test_a_trace_at_which_the_tool_fails_holds_up_no_other(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient, poisoned: tuple[int, ...]
) -> None:
    start_ms = now_ms() - 60_000
    trace_ids = [await small.trace(number, start_ms=start_ms + number) for number in range(1, 6)]
    bad = [trace_ids[number - 1] for number in poisoned]
    good = [each for each in trace_ids if each not in bad]
    fake_mlflow.failing = _fail_at(*bad)
    async with connected(tmp_path, small) as team:
        for trace_id in good:
            await team.card(trace_id)
        await small.assess(good[0], False, by="zoe", rationale="Cold.")
        await team.until(lambda: ("mlflow:zoe", "Cold.") in opinions(team), 30)
        await team.card(await small.trace(9, start_ms=now_ms()))
        fake_mlflow.failing = lambda _: None
        for trace_id in bad:
            await team.card(trace_id)


async def test_a_trace_is_left_out_after_enough_failures_beside_others_that_succeeded(
    fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_ids = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in (1, 2)]
    fake_mlflow.failing = _fail_at(trace_ids[0])
    tool = MlflowTool(small.url, "", EXPERIMENT)
    reader = ContentReader(tool)
    try:
        heads = (await tool.list_traces(0)).heads
        with pytest.raises(ToolUnavailableError):
            await reader.read(heads[:1])
        assert (await reader.read(heads[:1])).unread == heads[:1]
        told = [await reader.read(heads) for _ in range(MAX_FAILURES)]
        asked = Counter(fake_mlflow.calls)
        assert (await reader.read(heads[:1])).traces == ()
        assert Counter(fake_mlflow.calls) == asked
    finally:
        await tool.close()
    assert [len(each.unread) for each in told] == [1] * (MAX_FAILURES - 1) + [0]
    assert {trace.trace_id for each in told for trace in each.traces} == {trace_ids[1]}


@pytest.mark.parametrize("retry_after", [None, "30"])
async def test_a_tool_that_fails_at_every_trace_is_not_asked_for_each(
    fake_mlflow: FakeMlflow, small: MlflowClient, retry_after: str | None
) -> None:
    trace_ids = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in range(1, 11)]
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    def answer(request: web.Request) -> web.Response | None:
        return web.Response(status=503, headers=headers) if request.path.endswith("/traces/get") else None

    fake_mlflow.failing = answer
    tool = MlflowTool(small.url, "", EXPERIMENT)
    reader = ContentReader(tool)
    try:
        heads = (await tool.list_traces(0)).heads
        with pytest.raises(ToolUnavailableError):
            await reader.read(heads)
        assert sum("/traces/get" in call for call in fake_mlflow.calls) <= 4
        fake_mlflow.failing = lambda _: None
        if retry_after is None:
            assert {each.trace_id for each in (await reader.read(heads)).traces} == set(trace_ids)
    finally:
        await tool.close()


@pytest.mark.parametrize(
    ("status", "headers"), [(200, {"Content-Type": "text/html"}), (302, {"Location": "/login"}), (403, {})]
)
async def test_a_page_in_place_of_the_tool_makes_nothing_given_up(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient, status: int, headers: dict[str, str]
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    refused = Counter[str]()

    def log_in_first(request: web.Request) -> web.Response | None:
        kind = "create" if request.path.endswith("/assessments") else request.path.rpartition("/")[2]
        if kind not in ("create", "get") or refused[kind]:
            return None
        refused[kind] += 1
        return web.Response(status=status, headers=headers, text="<html>Please log in.</html>")

    fake_mlflow.failing = log_in_first
    async with connected(tmp_path, small) as team:
        await team.card(trace_id)
        [stored] = await team.bot.database.verdicts.of_trace(trace_id)
        await until_at(team, small, trace_id, {MODEL: stored.verdict.value})
        trace = await team.bot.database.traces.get(trace_id)
    assert trace is not None
    assert (trace.inputs, trace.outputs) == ("Can you help me?", "Go away.")
    assert refused == {"create": 1, "get": 1}


MALFORMED: tuple[Json, ...] = (
    None,
    "text",
    {"source": None, "feedback": {"value": True}},
    {"source": "HUMAN", "feedback": {"value": True}},
    {"source": {"source_type": "HUMAN", "source_id": "ida"}, "feedback": "yes", "metadata": ["a"]},
    {"assessment_name": None, "source": {"source_type": "HUMAN"}, "feedback": {"value": True}},
)


async def test_what_is_no_assessment_stops_neither_reading_nor_writing(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    trace_ids = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in (1, 2)]
    listed = fake_mlflow.traces[trace_ids[0]]["assessments"]
    listed += copy.deepcopy(MALFORMED)
    async with connected(tmp_path, small) as team:
        for trace_id in trace_ids:
            await team.card(trace_id)
        await small.assess(trace_ids[0], False, by="zoe", rationale="Cold.")
        await team.until(lambda: opinions(team) == {("mlflow:zoe", "Cold.")}, 30)
        await team.until(lambda: len(listed) == len(MALFORMED) + 2, 30)
        assert len(fake_mlflow.traces[trace_ids[1]]["assessments"]) == 1
        assert not (await team.bot.status.read()).troubles


@pytest.mark.parametrize("document", [{}, {"assessment": {}}, {"assessment": None}, "done"])
async def test_an_answer_that_does_not_tell_the_id_holds_up_no_other_assessment(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient, document: Json
) -> None:
    trace_ids = [await small.trace(number, start_ms=now_ms() - 5_000 + number) for number in range(1, 4)]

    def answer(request: web.Request) -> web.Response | None:
        is_first = request.method == "POST" and request.path.endswith(f"{trace_ids[0]}/assessments")
        return web.json_response(document) if is_first else None

    fake_mlflow.failing = answer
    async with connected(tmp_path, small) as team:
        for trace_id in trace_ids:
            await team.card(trace_id)
        await team.until(lambda: all(fake_mlflow.traces[each]["assessments"] for each in trace_ids[1:]), 30)
        fake_mlflow.failing = lambda _: None
        await team.until(lambda: len(fake_mlflow.traces[trace_ids[0]]["assessments"]) == 1, 60)
