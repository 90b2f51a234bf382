"""LangSmith's own SDK at the small server, and beside the bot's connector; skipped where `langsmith` is not installed.

It shows that the small server answers as LangSmith's client expects, and that each reads what the other wrote.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.connectors.langsmith import LangsmithTool
from bot.connectors.tool import OwnAssessment
from bot.runtime.clock import DAY_MS, now_ms
from tests.bot.connectors.fake_langsmith import KEY, FakeLangsmith

langsmith = pytest.importorskip("langsmith")
pytest.importorskip("langsmith.resources.runs")  # else imported late, in a deep stack
PROJECT = "support"
SINCE = datetime.now(UTC) - timedelta(days=3)


@pytest.fixture(params=["v2", "v1"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeLangsmith]:
    """A small server, at the paths that the SDK asks for."""
    server = FakeLangsmith()
    server.has_v2 = request.param == "v2"
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def tool(server: FakeLangsmith) -> AsyncIterator[LangsmithTool]:
    """The project as the bot uses it."""
    tool = LangsmithTool(server.url, KEY, PROJECT)
    yield tool
    await tool.close()


def client_of(server: FakeLangsmith) -> Any:
    """Return LangSmith's client."""
    return langsmith.Client(api_url=f"{server.url}{server.base}", api_key=KEY, auto_batch_tracing=False)


def send_run(client: Any) -> str:
    """Send a run of two days ago with LangSmith's client; its id."""
    run_id, start = uuid4(), datetime.now(UTC) - timedelta(days=2)
    client.create_run(
        "answer", {"question": "Can you help me?"}, "chain", id=run_id, project_name=PROJECT, start_time=start
    )
    client.update_run(run_id, outputs={"answer": "Go away."}, end_time=start + timedelta(seconds=1))
    return str(run_id)


async def test_each_reads_what_the_other_wrote(server: FakeLangsmith, tool: LangsmithTool) -> None:
    client = client_of(server)
    run_id = await asyncio.to_thread(send_run, client)
    project = await asyncio.to_thread(client.read_project, project_name=PROJECT)
    assert str(project.id) in await tool.check()

    heads = (await tool.list_traces(now_ms() - 3 * DAY_MS)).heads
    assert [head.trace_id for head in heads] == [run_id]
    [trace] = await tool.read_traces(heads)
    assert (trace.inputs, trace.outputs) == ({"question": "Can you help me?"}, {"answer": "Go away."})

    own = OwnAssessment(
        own_id="own-1",
        reference=run_id,
        trace_id=run_id,
        judge="politeness",
        value=False,
        rationale="Rude.",
        source_type="LLM_JUDGE",
        source_id="openai:/gpt",
    )
    remote_id = await tool.create(own)
    feedback = await asyncio.to_thread(client.read_feedback, remote_id)
    assert (feedback.key, feedback.score, feedback.comment) == ("politeness", 0, "Rude.")
    assert feedback.feedback_source.type == "model"
    assert feedback.feedback_source.metadata["model"] == "openai:/gpt"

    await asyncio.to_thread(
        lambda: client.create_feedback(
            run_id,
            "politeness",
            score=1,
            comment="Fine.",
            source_info={"user": "zoe"},
            session_id=project.id,
        )
    )
    await asyncio.to_thread(client.update_feedback, remote_id, correction={"score": 1})
    answers = (await tool.read_assessments({run_id: run_id}))[run_id]
    assert {(each.author, each.value, each.rationale) for each in answers} == {
        ("zoe", 1, "Fine."),
        ("reviewer", 1, ""),
    }
    listed = await asyncio.to_thread(lambda: list(client.list_feedback(run_ids=[run_id])))
    assert len(listed) == 2
    await asyncio.to_thread(client.delete_feedback, remote_id)
    assert len(server.feedback) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_queries_for_runs_are_those_of_the_sdk(server: FakeLangsmith) -> None:
    client = client_of(server)
    run_id = await asyncio.to_thread(send_run, client)
    project = await asyncio.to_thread(client.read_project, project_name=PROJECT)
    list_runs = list_current if server.has_v2 else list_legacy
    # a loop of its own: the SDK's asynchronous part also asks the server without awaiting
    assert await asyncio.to_thread(lambda: asyncio.run(list_runs(client, project.id))) == [run_id]


async def list_current(client: Any, project_id: UUID) -> list[str]:
    """Return the trace ids of root runs by version 2."""
    query = client.runs.query(
        project_ids=[str(project_id)],
        is_root=True,
        min_start_time=SINCE,
        selects=["ID", "TRACE_ID", "START_TIME", "STATUS"],
    )
    return [run.trace_id async for run in query]


async def list_legacy(client: Any, project_id: UUID) -> list[str]:
    """Return the trace ids of root runs by version 1."""
    select = ["id", "trace_id", "start_time", "status", "name", "run_type"]
    runs = client.list_runs(project_id=project_id, is_root=True, start_time=SINCE, select=select)
    return [str(run.trace_id) for run in runs]
