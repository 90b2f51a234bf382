"""LangSmith's own SDK at the small server, and beside the bot's connector: `make test-langsmith` runs it.

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


def send_step(client: Any, run_id: str) -> None:
    """Send a step of a run with LangSmith's client."""
    start = datetime.now(UTC) - timedelta(days=2) + timedelta(milliseconds=500)
    client.create_run(
        "model",
        {"prompt": "Can you help me?"},
        "llm",
        id=uuid4(),
        parent_run_id=run_id,
        trace_id=run_id,
        project_name=PROJECT,
        start_time=start,
        end_time=start + timedelta(milliseconds=100),
        outputs={"text": "Go away."},
    )


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


async def test_the_steps_of_a_run_are_read_as_the_sdk_sent_them(server: FakeLangsmith) -> None:
    client = client_of(server)
    run_id = await asyncio.to_thread(send_run, client)
    await asyncio.to_thread(send_step, client, run_id)
    tool = LangsmithTool(server.url, KEY, PROJECT, reads_steps=True)
    [trace] = await tool.read_traces((await tool.list_traces(now_ms() - 3 * DAY_MS)).heads)
    assert [(span["name"], span.get("parent")) for span in trace.spans] == [
        ("answer", None),
        ("model", run_id),
    ]
    await tool.close()


async def test_feedback_that_the_sdk_wrote_is_listed_for_the_whole_project(
    server: FakeLangsmith, tool: LangsmithTool
) -> None:
    client = client_of(server)
    run_id = await asyncio.to_thread(send_run, client)
    project = await asyncio.to_thread(client.read_project, project_name=PROJECT)
    await asyncio.to_thread(
        lambda: client.create_feedback(run_id, "politeness", score=0, comment="Rude.", session_id=project.id)
    )
    [answered] = (await tool.list_answers(["politeness"], now_ms() - DAY_MS)).traces
    assert answered.head.trace_id == run_id
    assert [(each.value, each.rationale) for each in answered.answers] == [(0, "Rude.")]
    listed = await asyncio.to_thread(
        lambda: list(
            client.list_feedback(
                feedback_key=["politeness"], feedback_source_type=["api", "app"], session=[str(project.id)]
            )
        )
    )
    assert [str(each.run_id) for each in listed] == [run_id]


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
    resource = client.runs
    query = resource.query(
        project_ids=[str(project_id)],
        is_root=True,
        min_start_time=SINCE,
        selects=["ID", "TRACE_ID", "START_TIME", "STATUS"],
    )
    try:
        return [run.trace_id async for run in query]
    finally:
        await resource._client.close()


async def list_legacy(client: Any, project_id: UUID) -> list[str]:
    """Return the trace ids of root runs by version 1."""
    select = ["id", "trace_id", "start_time", "status", "name", "run_type"]
    runs = client.list_runs(project_id=project_id, is_root=True, start_time=SINCE, select=select)
    return [str(run.trace_id) for run in runs]
