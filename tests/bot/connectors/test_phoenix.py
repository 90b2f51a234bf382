"""Phoenix beside the bot, both ways, on a small server; and rules of what is read and written there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.connectors.errors import GoneError, ToolRefusedError, ToolUnavailableError
from bot.connectors.phoenix import PhoenixTool
from bot.connectors.phoenix_trace import ROOTLESS_MS, SETTLING_MS
from bot.connectors.tool import OwnAssessment, TraceHead, WrittenAssessment
from bot.runtime.clock import now_ms
from memalign.errors import SettingsError
from memalign.records import Json, Label
from tests.bot.bot_in_workspace import settings_for
from tests.bot.connectors import phoenix_walks
from tests.bot.connectors.fake_phoenix import FakePhoenix
from tests.bot.connectors.mlflow_client import export
from tests.bot.connectors.phoenix_client import PROJECT, PhoenixClient, root_of, span_hex

START_MS = 1_790_000_000_000
NOW_MS = START_MS + 3_600_000


@pytest.fixture
async def server() -> AsyncIterator[FakePhoenix]:
    """A small Phoenix."""
    phoenix = FakePhoenix()
    await phoenix.start()
    yield phoenix
    await phoenix.stop()


@pytest.fixture
async def phoenix(server: FakePhoenix) -> PhoenixClient:
    """A client of the small Phoenix."""
    return await PhoenixClient.at(server.url)


@pytest.fixture
async def tool(server: FakePhoenix, phoenix: PhoenixClient) -> AsyncIterator[PhoenixTool]:
    """The connector's side, an hour after the traces of these tests."""
    opened = PhoenixTool(server.url, "", phoenix.project, lambda: NOW_MS)
    yield opened
    await opened.close()


def own(value: Label = True, judge: str = "politeness", trace: int = 1) -> OwnAssessment:
    """Return an assessment of ours at a trace's root."""
    return OwnAssessment(
        own_id="ours-1",
        reference=span_hex(trace, 1),
        trace_id=f"{trace:032x}",
        judge=judge,
        value=value,
        rationale="Rude.",
        source_type="HUMAN",
        source_id="U1",
        metadata={"slack_ts": "1.2"},
    )


WRITTEN = WrittenAssessment(
    own_id="ours-1", reference=span_hex(1, 1), trace_id=f"{1:032x}", remote_id="ours-1"
)


async def test_the_verdict_and_each_vote_stand_at_the_server_as_they_stand_in_slack(
    tmp_path: Path, phoenix: PhoenixClient
) -> None:
    await phoenix_walks.walk_verdict_and_votes(tmp_path, phoenix)


async def test_a_vote_given_at_the_server_teaches_until_it_is_deleted_and_is_never_written_back(
    tmp_path: Path, phoenix: PhoenixClient
) -> None:
    await phoenix_walks.walk_votes_at_the_server(tmp_path, phoenix)


async def test_what_is_forgotten_is_deleted_at_the_server_and_not_read_again(
    tmp_path: Path, phoenix: PhoenixClient
) -> None:
    await phoenix_walks.walk_forgetting(tmp_path, phoenix)


async def test_labels_on_traces_without_a_card_teach_and_count_in_no_figure(
    tmp_path: Path, phoenix: PhoenixClient
) -> None:
    await phoenix_walks.walk_labels_without_cards(tmp_path, phoenix)


async def test_a_trace_that_also_comes_over_otlp_is_one_trace(tmp_path: Path, phoenix: PhoenixClient) -> None:
    start_ms = now_ms() - 20_000
    sections = {"ingest": {"port": 0, "quiet_seconds": 0.2}}
    async with phoenix_walks.connected(tmp_path, phoenix, sections=sections) as team:
        trace_id = await export(team.bot.url, 31, start_ms=start_ms)
        await team.card(trace_id)
        assert await phoenix.trace(31, start_ms=start_ms) == trace_id
        label, _ = await phoenix_walks.verdict_words(team)
        await phoenix_walks.until_at(team, phoenix, trace_id, {phoenix_walks.MODEL: label})
        first = await phoenix.trace(32, start_ms=start_ms)
        await team.card(first)
        assert await export(team.bot.url, 32, start_ms=start_ms) == first
        await team.card(await export(team.bot.url, 33, start_ms=start_ms))
        assert await team.bot.database.verdicts.count_of_judge("politeness") == 3


@pytest.mark.parametrize("is_old", [False, True])
async def test_traces_are_listed_from_a_time_on_the_oldest_first_over_all_pages(
    server: FakePhoenix, phoenix: PhoenixClient, tool: PhoenixTool, is_old: bool
) -> None:
    server.is_old = is_old
    for number in reversed(range(1, 121)):
        await phoenix.trace(number, start_ms=START_MS + number)
    heads: list[TraceHead] = []
    page: str | None = None
    while True:
        listing = await tool.list_traces(START_MS + 11, page)
        heads += listing.heads
        page = listing.next_page
        if page is None:
            break
    assert [head.time_ms - START_MS for head in heads] == list(range(11, 121))
    assert {head.reference for head in heads} == {span_hex(number, 1) for number in range(11, 121)}
    assert all(head.is_finished for head in heads)
    [trace] = await tool.read_traces(heads[-1:])
    assert (trace.inputs, trace.outputs) == ("Can you help me?", "Go away.")
    assert [span["name"] for span in trace.spans] == ["step 1", "step 2"]


@pytest.mark.parametrize(
    ("parent", "rest_ms"), [(None, SETTLING_MS), (9, ROOTLESS_MS)], ids=["with its root", "without"]
)
async def test_a_trace_is_finished_once_no_span_has_come_for_a_while(
    phoenix: PhoenixClient, tool: PhoenixTool, parent: int | None, rest_ms: int
) -> None:
    end_ms = NOW_MS - rest_ms
    await phoenix.send(
        phoenix.span(1, 1, end_ms - 2, parent=parent), phoenix.span(2, 1, end_ms - 1, parent=parent)
    )
    finished, running = (await tool.list_traces(START_MS)).heads
    assert finished.is_finished
    assert not running.is_finished


async def test_a_side_that_the_root_lacks_is_that_of_the_next_span(
    phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    messages = {
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Go.",
    }
    await phoenix.send(
        phoenix.span(1, 2, START_MS + 1, messages, parent=1),
        phoenix.span(1, 1, START_MS, {"input.value": "Help!", "session.id": "s-1", "user.id": "u-1"}),
    )
    [trace] = await tool.read_traces((await tool.list_traces(START_MS)).heads)
    assert (trace.inputs, trace.outputs) == ("Help!", [{"role": "assistant", "content": "Go."}])
    assert trace.metadata == {"name": "step 1", "session": "s-1", "user": "u-1"}


@pytest.mark.parametrize(
    ("value", "label", "score"),
    [(True, "pass", 1.0), (False, "fail", 0.0), (4, "4", 4.0), ("curt", "curt", None)],
)
async def test_an_assessment_is_written_once_however_often_with_label_score_and_explanation(
    phoenix: PhoenixClient, tool: PhoenixTool, value: Label, label: str, score: float | None
) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    assert await tool.create(own(value)) == await tool.create(own(value)) == await tool.find(WRITTEN)
    [annotation] = await phoenix.annotations(trace_id)
    assert annotation["result"] == {"label": label, "score": score, "explanation": "Rude."}
    assert (annotation["name"], annotation["annotator_kind"]) == ("politeness", "HUMAN")
    assert annotation["metadata"]["source_id"] == "U1"
    assert await tool.read_assessments({trace_id: root_of(trace_id)}) == {trace_id: ()}


async def test_an_assessment_of_a_renamed_judge_does_not_stay_under_the_earlier_name(
    phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    await phoenix.annotate(trace_id, label="fail", by="zoe")
    await tool.create(own())
    await tool.update("ours-1", own(judge="courtesy"))
    names = {(each["identifier"], each["name"]) for each in await phoenix.annotations(trace_id)}
    assert names == {("zoe", "politeness"), ("ours-1", "courtesy")}


async def test_deletion_spares_what_others_wrote(phoenix: PhoenixClient, tool: PhoenixTool) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    await phoenix.annotate(trace_id, label="fail", by="zoe")
    await tool.create(own())
    await tool.delete("ours-1", WRITTEN)
    await tool.delete("ours-1", WRITTEN)
    assert [each["identifier"] for each in await phoenix.annotations(trace_id)] == ["zoe"]


@pytest.mark.parametrize("reason", ["the server cannot", "the key may not"])
async def test_where_annotations_cannot_be_deleted_ours_are_left_without_content(
    server: FakePhoenix, phoenix: PhoenixClient, tool: PhoenixTool, reason: str
) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    await tool.create(own())
    server.is_old, server.may_delete = reason == "the server cannot", False
    await tool.delete("ours-1", WRITTEN)
    [annotation] = await phoenix.annotations(trace_id)
    assert annotation["result"] == {"label": None, "score": None, "explanation": None}
    assert "U1" not in str(annotation)
    assert await tool.read_assessments({trace_id: root_of(trace_id)}) == {trace_id: ()}


async def test_a_trace_that_is_gone_has_no_answers_and_takes_no_assessment(
    phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    kept, gone, bare = [await phoenix.trace(number, start_ms=START_MS) for number in (1, 2, 3)]
    await phoenix.annotate(kept, label="fail", by="zoe")
    await phoenix.delete(gone)
    references = {each: root_of(each) for each in (kept, gone, bare)}
    assert set(await tool.read_assessments(references)) == {kept, bare}
    assert await tool.read_assessments({gone: references[gone]}) == {}
    with pytest.raises(GoneError):
        await tool.create(own(trace=2))
    await tool.delete("ours-1", WrittenAssessment(own_id="ours-1", reference=references[gone], trace_id=gone))


async def test_people_are_told_apart_by_identifier_then_by_user_and_models_are_none(
    server: FakePhoenix, phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    for by in ("zoe", "px-app:VXNlcjoy", "", "px-app:VXNlcjoz", "a model"):
        await phoenix.annotate(trace_id, label="fail", by=by)
    users = {"px-app:VXNlcjoy": "VXNlcjoy", "px-app:VXNlcjoz": "VXNlcjoz"}
    for annotation in server.annotations:
        annotation["user_id"] = users.get(annotation["identifier"])
        annotation["annotator_kind"] = "LLM" if annotation["identifier"] == "a model" else "HUMAN"
    server.users = [{"id": "VXNlcjoy", "username": "ana"}]
    answers = (await tool.read_assessments({trace_id: root_of(trace_id)}))[trace_id]
    assert {answer.author for answer in answers} == {"zoe", "ana", "default", "user 3"}


async def test_a_key_that_may_not_see_users_leaves_them_numbers(
    server: FakePhoenix, phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    trace_id = await phoenix.trace(1, start_ms=START_MS)
    await phoenix.annotate(trace_id, label="fail", by="")
    server.annotations[0]["user_id"], server.users = "VXNlcjoy", None
    for _ in range(2):
        [answer] = (await tool.read_assessments({trace_id: root_of(trace_id)}))[trace_id]
        assert answer.author == "user 2"
    assert server.calls.count("GET /v1/users") == 1


async def test_a_project_is_known_by_its_whole_name_also_one_that_no_path_can_hold(
    server: FakePhoenix,
) -> None:
    for name in ("support/eu", "support", "Support/EU"):
        await PhoenixClient.at(server.url, name)
    tool = PhoenixTool(server.url, "", "support/eu")
    assert await tool.check() == f'project "support/eu" has the id {server.projects["support/eu"]}'
    assert (await tool.list_traces(0)).heads == ()
    await tool.close()


async def test_a_project_that_is_missing_is_named_and_one_made_anew_is_found_again(
    server: FakePhoenix, tool: PhoenixTool
) -> None:
    assert (await tool.list_traces(0)).heads == ()
    server.projects.clear()
    trace_id = f"{1:032x}"
    for _ in range(2):
        with pytest.raises(GoneError, match='no project "support"; correct'):
            await tool.list_traces(0)
        with pytest.raises(GoneError, match='no project "support"; correct'):
            await tool.read_assessments({trace_id: root_of(trace_id)})
    server.projects[PROJECT] = "project-7"
    assert (await tool.list_traces(0)).heads == ()


async def test_the_key_is_sent_as_bearer_and_a_refused_one_is_told(
    server: FakePhoenix, phoenix: PhoenixClient
) -> None:
    server.key = "Bearer secret"
    for key, is_right in (("secret", True), ("other", False)):
        tool = PhoenixTool(server.url, key, phoenix.project)
        if is_right:
            await tool.check()
        else:
            with pytest.raises(ToolRefusedError, match="refuses the key"):
                await tool.check()
        await tool.close()


async def test_a_server_that_asks_to_wait_is_waited_for(server: FakePhoenix, tool: PhoenixTool) -> None:
    server.failing = lambda _: web.Response(status=429, headers={"Retry-After": "7"})
    with pytest.raises(ToolUnavailableError) as raised:
        await tool.list_traces(0)
    assert raised.value.retry_after == 7


async def test_a_trace_whose_spans_cannot_be_read_stops_no_other(
    server: FakePhoenix, phoenix: PhoenixClient, tool: PhoenixTool
) -> None:
    broken, whole = [await phoenix.trace(number, start_ms=START_MS + number) for number in (1, 2)]
    heads = (await tool.list_traces(START_MS)).heads
    server.failing = lambda request: (
        web.Response(status=500) if request.query.get("trace_id") == broken else None
    )
    assert [trace.trace_id for trace in await tool.read_traces(heads)] == [whole]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "type phoenix needs project, the name of a project"),
        ({"project": "a", "experiment": "b"}, "type phoenix takes project, not experiment"),
    ],
)
def test_settings_of_a_phoenix_name_its_project(tmp_path: Path, keys: dict[str, Json], words: str) -> None:
    table = {"type": "phoenix", "url": "http://127.0.0.1:6006", **keys}
    with pytest.raises(SettingsError, match=words):
        settings_for(tmp_path, "#c", connectors=[table])
