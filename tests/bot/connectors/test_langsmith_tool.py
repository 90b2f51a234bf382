"""LangSmith's project as the bot reads it and writes to it, on a small server of either version."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.connectors.errors import GoneError, ToolUnavailableError
from bot.connectors.langsmith import LangsmithTool
from bot.connectors.langsmith_project import page_address
from bot.connectors.tool import OwnAssessment, RemoteAssessment, TraceHead, WrittenAssessment
from bot.runtime.clock import DAY_MS, now_ms
from memalign.records import Json, Label
from tests.bot.connectors.fake_langsmith import KEY, FakeLangsmith
from tests.bot.connectors.langsmith_client import PROJECT, LangsmithClient


@pytest.fixture
async def langsmith(request: pytest.FixtureRequest) -> AsyncIterator[LangsmithClient]:
    """A small server, with version 2 unless a test says otherwise, and whoever uses it."""
    server = FakeLangsmith()
    server.has_v2 = getattr(request, "param", "v2") == "v2"
    server.project(PROJECT)
    await server.start()
    yield LangsmithClient(server=server)
    await server.stop()


@pytest.fixture
async def tool(langsmith: LangsmithClient) -> AsyncIterator[LangsmithTool]:
    """The project as the bot uses it."""
    tool = LangsmithTool(langsmith.server.url, KEY, PROJECT)
    yield tool
    await tool.close()


both_versions = pytest.mark.parametrize("langsmith", ["v2", "v1"], indirect=True)


async def listing(tool: LangsmithTool, since_ms: int) -> list[TraceHead]:
    """Return all heads of a listing."""
    heads: list[TraceHead] = []
    page = None
    while True:
        answer = await tool.list_traces(since_ms, page)
        heads += answer.heads
        page = answer.next_page
        if page is None:
            return heads


def assessment(run_id: str, value: Label, *, is_judge: bool = True, rationale: str = "") -> OwnAssessment:
    """Return an assessment of ours."""
    return OwnAssessment(
        own_id="own-1",
        reference=run_id,
        trace_id=run_id,
        judge="politeness",
        value=value,
        rationale=rationale,
        source_type="LLM_JUDGE" if is_judge else "HUMAN",
        source_id="openai:/gpt" if is_judge else "U1",
    )


@both_versions
async def test_root_runs_of_days_are_listed_the_oldest_first_over_all_pages(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    langsmith.server.most_runs = 50
    since_ms = now_ms() - 3 * DAY_MS
    runs = [await langsmith.run(start_ms=since_ms + 1_000_000 * number) for number in range(120)]
    await langsmith.run(start_ms=since_ms - 1_000)
    await langsmith.run(start_ms=since_ms + 5_000, parent_run_id=runs[0], trace_id=runs[0])
    heads = await listing(tool, since_ms)
    assert [head.trace_id for head in heads] == runs
    assert heads[1].time_ms == since_ms + 1_000_000


@both_versions
async def test_a_run_is_read_with_inputs_outputs_error_and_metadata_once_it_has_ended(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    start_ms = now_ms() - 2 * DAY_MS
    metadata = {"thread_id": "talk 7", "team": "support", "ls_provider": "openai"}
    extra = {"metadata": metadata, "runtime": {"sdk": "langsmith-py"}}
    failed = await langsmith.run(start_ms=start_ms, error="it broke", outputs=None, extra=extra, tags=["new"])
    running = await langsmith.run(start_ms=start_ms + 1, end_time=None)
    heads = {head.trace_id: head for head in await listing(tool, start_ms)}
    assert not heads[running].is_finished
    [trace] = await tool.read_traces([heads[failed]])
    assert (trace.trace_id, trace.inputs, trace.outputs) == (failed, {"question": "Can you help me?"}, None)
    assert trace.error == "it broke"
    assert trace.metadata == {
        "thread_id": "talk 7",
        "team": "support",
        "name": "answer",
        "tags": ["new"],
        "session": "talk 7",
    }
    assert trace.url is not None
    assert trace.url.endswith(f"/r/{failed}")


@both_versions
async def test_a_run_that_began_between_two_milliseconds_is_read(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    starts = ("2026-11-01T09:00:00.123999+00:00", "2026-11-01T09:00:00.000001+00:00")
    runs = {await langsmith.run(start_ms=0, start_time=start) for start in starts}
    heads = await listing(tool, 1_700_000_000_000)
    assert [head.time_ms % 1000 for head in heads] == [0, 123]
    for head in heads:
        assert [trace.trace_id for trace in await tool.read_traces([head])] == [head.trace_id]
    assert {head.trace_id for head in heads} == runs


async def test_a_listing_that_a_limit_cut_goes_on_where_it_ended(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    langsmith.server.most_runs = 2
    since_ms = now_ms() - 60_000
    runs = [await langsmith.run(start_ms=since_ms + number) for number in range(7)]
    queries: list[str] = []

    def limit(request: web.Request) -> web.Response | None:
        if request.path.endswith("/runs/query"):
            queries.append(request.path)
        too_many = len(queries) in (3, 4)
        return web.json_response({}, status=429) if too_many else None

    langsmith.server.failing = limit
    for _ in range(2):
        with pytest.raises(ToolUnavailableError):
            await listing(tool, since_ms)
    assert [head.trace_id for head in await listing(tool, since_ms)] == runs
    assert len(queries) == 6  # four pages, and two refusals


async def test_an_address_is_taken_with_and_without_the_path_of_the_api(langsmith: LangsmithClient) -> None:
    await langsmith.server.stop()
    for base in ("/api/v1", ""):
        langsmith.server.base = base
        await langsmith.server.start()
        for address in ("", "/", "/api", "/api/v1", "/api/v1/"):
            tool = LangsmithTool(f"{langsmith.server.url}{address}", KEY, PROJECT)
            assert langsmith.server.projects[PROJECT] in await tool.check()
            await tool.close()
        await langsmith.server.stop()


async def test_a_project_that_is_not_there_is_told_with_the_remedy(langsmith: LangsmithClient) -> None:
    tool = LangsmithTool(langsmith.server.url, KEY, "suport")
    with pytest.raises(GoneError, match='no project "suport"; correct the connector\'s project or url'):
        await tool.check()
    await tool.close()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, (1.0, None)),
        (False, (0.0, None)),
        (4, (4.0, None)),
        (0.123456, (0.1235, None)),
        ("curt", (None, "curt")),
    ],
)
async def test_labels_are_scores_and_categories_are_values(
    langsmith: LangsmithClient, tool: LangsmithTool, value: Label, written: tuple[float | None, str | None]
) -> None:
    run_id = await langsmith.run(start_ms=now_ms())
    remote_id = await tool.create(assessment(run_id, value))
    row = langsmith.server.feedback[remote_id]
    assert (row["score"], row["value"]) == written
    assert row["feedback_source"]["type"] == "model"
    assert row["feedback_source"]["metadata"]["model"] == "openai:/gpt"


async def test_an_assessment_written_twice_stands_once_with_its_last_content(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    run_id = await langsmith.run(start_ms=now_ms())
    own = assessment(run_id, False, is_judge=False, rationale="Curt.")
    place = WrittenAssessment(own_id=own.own_id, reference=run_id, trace_id=run_id)
    first = await tool.create(own)
    assert await tool.find(place) == first  # as after a kill between writing and noting
    langsmith.server.failing = lambda request: (
        web.json_response({"detail": "exists"}, status=409) if request.method == "POST" else None
    )
    assert await tool.create(assessment(run_id, True, is_judge=False)) == first
    [row] = langsmith.server.feedback.values()
    assert (row["score"], row["comment"]) == (1, None)
    await tool.delete(first, place)
    await tool.delete(first, place)
    assert langsmith.server.feedback == {}
    with pytest.raises(GoneError):
        await tool.update(first, own)


@both_versions
async def test_answers_of_people_are_read_and_those_of_programs_and_of_ours_are_not(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 20 * DAY_MS)
    silent = await langsmith.run(start_ms=now_ms())
    await tool.create(assessment(run_id, True))
    await langsmith.answer(run_id, by="zoe", score=0, comment="Curt.")
    await langsmith.answer(run_id, by="yan", score=1, value="good")
    for source in ({"type": "api", "metadata": {"user": "kim"}}, {"type": "api", "metadata": {}}):
        await langsmith.answer(run_id, by="", score=1, feedback_source=source)
    for kind in ("model", "auto_eval"):
        await langsmith.answer(run_id, by="", score=1, feedback_source={"type": kind, "metadata": {}})
    answers = await tool.read_assessments({run_id: run_id, silent: silent, "gone": "gone"})
    assert set(answers) == {run_id, silent}
    assert answers[silent] == ()
    assert {(each.author, each.value, each.rationale) for each in answers[run_id]} == {
        ("zoe", 0, "Curt."),
        ("yan", "good", ""),
        ("kim", 1, ""),
        ("default", 1, ""),
    }
    assert all(abs(each.updated_ms - now_ms()) < 60_000 for each in answers[run_id])


async def test_more_feedback_than_a_page_holds_is_read(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    run_id = await langsmith.run(start_ms=now_ms())
    for number in range(205):
        await langsmith.answer(run_id, by=f"person {number}", score=1)
    answers = await tool.read_assessments({run_id: run_id})
    assert len({each.author for each in answers[run_id]}) == 205
    assert isinstance(answers[run_id][0], RemoteAssessment)


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://api.smith.langchain.com", "https://smith.langchain.com"),
        ("https://eu.api.smith.langchain.com", "https://eu.smith.langchain.com"),
        ("https://aws.api.smith.langchain.com", "https://aws.smith.langchain.com"),
        ("https://langsmith.example.com", "https://langsmith.example.com"),
    ],
)
def test_people_read_a_run_at_the_page_of_its_region(address: str, page: str) -> None:
    assert page_address(address) == page


async def nested(langsmith: LangsmithClient, start_ms: int, **root: Json) -> str:
    """Send a run with a step, and a step of that; its id."""
    run_id = await langsmith.run(start_ms=start_ms, **root)
    step = await langsmith.run(
        start_ms=start_ms + 1, name="plan", trace_id=run_id, parent_run_id=run_id, run_type="chain"
    )
    await langsmith.run(
        "Go away!", start_ms=start_ms + 2, name="model", trace_id=run_id, parent_run_id=step, run_type="llm"
    )
    return run_id


@both_versions
async def test_the_steps_of_a_run_are_read_where_they_are_wanted(langsmith: LangsmithClient) -> None:
    langsmith.server.most_runs = 2
    start = now_ms() - 60_000
    run_id = await nested(langsmith, start)
    await nested(langsmith, start + 10)
    for reads_steps, names in ((True, ["answer", "plan", "model"]), (False, [])):
        tool = LangsmithTool(langsmith.server.url, KEY, PROJECT, reads_steps=reads_steps)
        heads = [head for head in await listing(tool, start) if head.trace_id == run_id]
        [trace] = await tool.read_traces(heads)
        assert [span["name"] for span in trace.spans] == names
        parents = {span["id"]: span.get("parent") for span in trace.spans}
        assert [parents.get(span.get("parent")) for span in trace.spans[2:]] == [run_id][: len(names)]
        assert trace.outputs == {"answer": "Go away."}
        await tool.close()


@both_versions
async def test_a_side_that_the_root_run_lacks_is_that_of_its_steps(
    langsmith: LangsmithClient, tool: LangsmithTool
) -> None:
    start = now_ms() - 60_000
    await nested(langsmith, start, outputs={})
    [trace] = await tool.read_traces(await listing(tool, start))
    assert (trace.inputs, trace.outputs) == ({"question": "Can you help me?"}, {"answer": "Go away."})
