"""Langfuse's API, version 4 and 3, on a small server: what is read there, and what is written."""

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from bot.config import ConnectorSettings
from bot.connectors.errors import ToolRefusedError, ToolUnavailableError
from bot.connectors.langfuse import LangfuseTool
from bot.connectors.tool import OWN_ID, OwnAssessment, TraceHead, WrittenAssessment
from bot.runtime.clock import now_ms
from memalign.errors import SettingsError
from memalign.records import Json, Label, Trace, TraceTarget
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.connectors.both_ways import opinions, shown_and_answered
from tests.bot.connectors.fake_langfuse import KEYS, PROJECT, PROJECT_ID, FakeLangfuse, Version, moment
from tests.bot.fakes import until
from tests.bot.test_blind_card_after_kill import killed, started
from tests.crash.world import World

START_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
VERSIONS = pytest.mark.parametrize("version", ["v4", "v3"])


@pytest.fixture
async def server() -> AsyncIterator[FakeLangfuse]:
    """A small Langfuse."""
    server = FakeLangfuse()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def tool(server: FakeLangfuse) -> AsyncIterator[LangfuseTool]:
    """Langfuse as the bot uses it."""
    tool = LangfuseTool(server.url, KEYS, PROJECT, time_ms=lambda: START_MS + 1_000 * HOUR_MS)
    yield tool
    await tool.close()


async def listed(tool: LangfuseTool, since_ms: int = START_MS) -> list[TraceHead]:
    """Return all traces of a listing, in its order."""
    heads: list[TraceHead] = []
    page: str | None = ""
    while page is not None:
        answer = await tool.list_traces(since_ms, page or None)
        heads += answer.heads
        page = answer.next_page
    return heads


async def only_trace(tool: LangfuseTool) -> Trace:
    """Return the one trace that there is."""
    [trace] = await tool.read_traces(await listed(tool))
    return trace


def assessment(value: Label = True, **fields: Json) -> OwnAssessment:
    """Return an assessment of ours."""
    document = {
        "own_id": "own-1",
        "reference": "root",
        "trace_id": "t-1",
        "judge": "politeness",
        "value": value,
        "rationale": "It is rude.",
        "source_type": "HUMAN",
        "source_id": "U1",
        **fields,
    }
    return OwnAssessment(**document)


@VERSIONS
async def test_traces_are_listed_once_each_and_the_oldest_first_over_many_pages(
    server: FakeLangfuse, tool: LangfuseTool, version: Version
) -> None:
    server.version, server.rows_per_page = version, 3
    starts = [START_MS + hours * HOUR_MS for hours in (0, 1, 2, 3, 4, 5, 300, 301, 302, 999)]
    for number, start in enumerate([*starts, *([START_MS + 50 * HOUR_MS] * 7)]):
        server.trace(f"t-{number}", start)
    server.trace("early", START_MS - 1)
    heads = await listed(tool)
    assert sorted(head.trace_id for head in heads) == sorted(f"t-{number}" for number in range(17))
    assert [head.time_ms for head in heads] == sorted(head.time_ms for head in heads)


async def test_a_long_empty_time_is_passed_over_in_one_request(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    server.trace("t-1", START_MS + 900 * HOUR_MS)
    await tool.check()
    server.calls.clear()
    assert [head.trace_id for head in await listed(tool)] == ["t-1"]
    assert len(server.calls) == 1


@VERSIONS
async def test_a_trace_holds_its_roots_content_its_steps_and_where_it_stands(
    server: FakeLangfuse, tool: LangfuseTool, version: Version
) -> None:
    server.version = version
    root = server.trace(
        "t-1",
        START_MS,
        input='{"question": "Can you help me?"}',
        output="Go away.",
        sessionId="s-1",
        userId="u-1",
        tags=["shop"],
        metadata={"plan": "gold", "resourceAttributes": {"sdk": "1"}},
    )
    server.observe(
        "t-1",
        START_MS + 1,
        parentObservationId=root,
        type="GENERATION",
        name="model",
        input='[{"role": "user", "content": "Can you help me?"}]',
        output="Go away.",
        level="ERROR",
        statusMessage="cut off",
    )
    trace = await only_trace(tool)
    assert (trace.trace_id, trace.inputs, trace.outputs) == (
        "t-1",
        {"question": "Can you help me?"},
        "Go away.",
    )
    assert trace.url == f"{server.url}/project/{PROJECT_ID}/traces/t-1"
    assert trace.metadata["session"] == "s-1"
    assert trace.metadata["user"] == "u-1"
    assert trace.metadata["tags"] == ["shop"]
    assert trace.metadata["plan"] == "gold"
    assert "resourceAttributes" not in trace.metadata
    assert [(span["name"], span.get("type")) for span in trace.spans] == [
        ("answer", "SPAN"),
        ("model", "GENERATION"),
    ]
    assert trace.spans[1]["error"] == "cut off"
    assert trace.error is None


async def test_a_root_without_content_takes_that_of_its_next_steps(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    root = server.observe("t-1", START_MS)
    server.observe("t-1", START_MS + 1, parentObservationId=root, input="Hello?", output="Go away.")
    trace = await only_trace(tool)
    assert (trace.inputs, trace.outputs) == ("Hello?", "Go away.")


async def test_a_root_whose_parent_is_another_service_counts(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    server.observe(
        "t-1", START_MS, parentObservationId="elsewhere", isRootObservation=True, input="Hello?", output="No."
    )
    trace = await only_trace(tool)
    assert (trace.inputs, trace.outputs) == ("Hello?", "No.")


async def test_a_trace_with_very_many_steps_keeps_its_root(server: FakeLangfuse, tool: LangfuseTool) -> None:
    root = server.trace("t-1", START_MS)
    for number in range(2_300):
        server.observe("t-1", START_MS + 1 + number, parentObservationId=root, input=f"step {number}")
    trace = await only_trace(tool)
    assert (trace.inputs, trace.outputs) == ("Can you help me?", "Go away.")


async def test_runs_of_langfuses_own_evaluators_are_no_traces(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    server.trace("t-1", START_MS, environment="langfuse-llm-as-a-judge")
    server.trace("t-2", START_MS, environment="production")
    assert [head.trace_id for head in await listed(tool)] == ["t-2"]
    server.version = "v3"
    await tool.check()
    assert [head.trace_id for head in await listed(tool)] == ["t-2"]


async def test_a_run_of_v4_that_goes_on_is_not_finished(server: FakeLangfuse, tool: LangfuseTool) -> None:
    server.trace("t-1", START_MS, endTime=None)
    server.trace("t-2", START_MS, endTime=None, type="EVENT")
    heads = {head.trace_id: head.is_finished for head in await listed(tool)}
    assert heads == {"t-1": False, "t-2": True}


async def test_a_run_of_v3_that_goes_on_is_not_read_yet(server: FakeLangfuse) -> None:
    server.version = "v3"
    server.trace("t-1", START_MS, endTime=None)
    server.trace("t-2", START_MS, parentObservationId="not-sent-yet", output=None)
    server.trace("t-3", START_MS)
    early = LangfuseTool(server.url, KEYS, PROJECT, time_ms=lambda: START_MS + 60_000)
    late = LangfuseTool(server.url, KEYS, PROJECT, time_ms=lambda: START_MS + 25 * HOUR_MS)
    heads = await listed(early)
    assert {trace.trace_id for trace in await early.read_traces(heads)} == {"t-3"}
    assert {trace.trace_id for trace in await late.read_traces(heads)} == {"t-1", "t-2", "t-3"}
    await early.close()
    await late.close()


async def test_a_long_run_of_v3_holds_its_place_until_it_ends(server: FakeLangfuse) -> None:
    server.version = "v3"
    server.trace("t-1", START_MS, endTime=None)
    tool = LangfuseTool(server.url, KEYS, PROJECT, time_ms=lambda: START_MS + HOUR_MS)
    assert await tool.read_traces(await listed(tool)) == []
    assert [head.is_finished for head in await listed(tool)] == [False]
    server.observations[0]["endTime"] = "2026-12-01T00:00:00Z"
    assert [head.is_finished for head in await listed(tool)] == [True]
    await tool.close()


@VERSIONS
async def test_a_trace_that_was_deleted_is_left_out(
    server: FakeLangfuse, tool: LangfuseTool, version: Version
) -> None:
    server.version = version
    server.trace("t-1", START_MS)
    server.trace("t-2", START_MS)
    heads = await listed(tool)
    server.remove("t-1")
    assert [trace.trace_id for trace in await tool.read_traces(heads)] == ["t-2"]


async def test_a_server_is_read_as_v3_when_it_does_not_implement_the_newer_api(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    server.version = "v3"
    server.failing = lambda request: (
        web.json_response({"message": "only on Langfuse Cloud"}, status=501)
        if request.path.endswith("/v2/observations")
        else None
    )
    server.trace("t-1", START_MS)
    assert (await only_trace(tool)).trace_id == "t-1"


async def test_a_server_that_was_upgraded_is_read_by_the_newer_api(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    server.version = "v3"
    server.trace("t-1", START_MS)
    assert len(await listed(tool)) == 1
    server.version = "v4"
    with pytest.raises(ToolRefusedError):
        await listed(tool)
    assert len(await listed(tool)) == 1
    assert await tool.check() == 'project "support" is read as Langfuse v4'


@pytest.mark.parametrize(
    ("value", "kind", "written"),
    [
        (True, "BOOLEAN", 1),
        (False, "BOOLEAN", 0),
        (4, "NUMERIC", 4),
        (0.5, "NUMERIC", 0.5),
        ("rude", "CATEGORICAL", "rude"),
    ],
)
async def test_a_score_has_the_type_of_its_value(
    server: FakeLangfuse, tool: LangfuseTool, value: Label, kind: str, written: Json
) -> None:
    assert await tool.create(assessment(value)) == "own-1"
    score = server.scores["own-1"]
    assert (score["dataType"], score["value"], score["name"]) == (kind, written, "politeness")
    assert (score["traceId"], score["comment"]) == ("t-1", "It is rude.")
    assert score["metadata"] == {"source_type": "HUMAN", "source_id": "U1", OWN_ID: "own-1"}


async def test_a_score_is_replaced_under_its_own_id_and_deleted_once(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    place = WrittenAssessment(own_id="own-1", reference="root", trace_id="t-1")
    await tool.create(assessment())
    own_id = await tool.find(place)
    assert own_id == "own-1"
    await tool.update(own_id, assessment(False, rationale="Worse."))
    assert [(each["value"], each["comment"]) for each in server.scores.values()] == [(0, "Worse.")]
    await tool.delete(own_id, place)
    await tool.delete(own_id, place)
    assert server.scores == {}


@pytest.mark.parametrize(("version", "has_scores_v3"), [("v4", True), ("v3", True), ("v3", False)])
async def test_peoples_scores_are_read_by_trace_and_others_are_not(
    server: FakeLangfuse, tool: LangfuseTool, version: Version, has_scores_v3: bool
) -> None:
    server.version, server.has_scores_v3, server.rows_per_page = version, has_scores_v3, 2
    for name in ("t-1", "t-2", "t-3"):
        server.trace(name, START_MS)
    server.annotate("t-1", False, comment="Cold & curt.", timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-1", "rude", "CATEGORICAL", authorUserId="kim", timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-2", 4, "NUMERIC", authorUserId=None, timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-2", 4, "NUMERIC", observationId="a-step", timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-9", True, timestamp="2027-01-01T00:00:00Z")
    await tool.create(assessment())
    references = {head.trace_id: head.reference for head in await listed(tool)}
    answers = await tool.read_assessments(references)
    assert {
        trace_id: {(each.name, each.author, each.value, each.rationale) for each in found}
        for trace_id, found in answers.items()
    } == {
        "t-1": {("politeness", "zoe", False, "Cold & curt."), ("politeness", "kim", "rude", "")},
        "t-2": {("politeness", "default", 4, "")},
        "t-3": set(),
    }


async def test_a_score_of_the_root_observation_is_one_of_the_trace(
    server: FakeLangfuse, tool: LangfuseTool
) -> None:
    root = server.trace("t-1", START_MS)
    step = server.observe("t-1", START_MS + 1, parentObservationId=root)
    server.annotate("t-1", True, observationId=root, authorUserId="ana")
    server.annotate("t-1", False, observationId=step, authorUserId="ben")
    references = {head.trace_id: head.reference for head in await listed(tool)}
    [answer] = (await tool.read_assessments(references))["t-1"]
    assert (answer.author, answer.value) == ("ana", True)


@VERSIONS
async def test_a_deleted_trace_has_no_entry_where_deletions_are_followed(
    server: FakeLangfuse, version: Version
) -> None:
    server.version = version
    server.trace("t-1", START_MS)
    tool = LangfuseTool(server.url, KEYS, PROJECT, looks=5)
    assert set(await tool.read_assessments({"t-1": "r", "t-2": "r"})) == {"t-1"}
    await tool.close()


@pytest.mark.parametrize(("version", "has_scores_v3"), [("v4", True), ("v3", True), ("v3", False)])
async def test_traces_that_people_scored_are_listed_each_asked_for_once(
    server: FakeLangfuse, tool: LangfuseTool, version: Version, has_scores_v3: bool
) -> None:
    server.version, server.has_scores_v3, server.rows_per_page = version, has_scores_v3, 2
    for number in range(5):
        server.trace(f"t-{number}", START_MS + number)
        server.annotate(f"t-{number}", False, timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-9", False, timestamp="2027-01-01T00:00:00Z")
    server.trace("t-5", START_MS)
    server.annotate("t-5", False, name="another judge's", timestamp="2027-01-01T00:00:00Z")
    server.annotate("t-0", False, timestamp="2026-01-01T00:00:00Z")
    found: list[str] = []
    for _ in range(2):
        page: str | None = ""
        while page is not None:
            listing = await tool.list_answers(["Politeness"], START_MS, page or None)
            found += [each.head.trace_id for each in listing.traces]
            page = listing.next_page
    assert sorted(found) == sorted([f"t-{number}" for number in range(5)] * 2)
    path = "GET /api/public/v2/observations" if version == "v4" else "GET /api/public/traces/t-0"
    # one for the version, one for each trace, one more for that which is gone
    assert server.calls.count(path) == (1 + 5 + 2 if version == "v4" else 1)


@VERSIONS
async def test_scores_on_traces_without_a_card_teach_and_count_in_no_figure(
    tmp_path: Path, server: FakeLangfuse, monkeypatch: pytest.MonkeyPatch, version: Version
) -> None:
    server.version, server.has_scores_v3 = version, version == "v4"
    monkeypatch.setenv("LANGFUSE_KEYS", KEYS)
    root = server.trace("t-1", now_ms() - 5_000)
    async with bot_in_workspace(tmp_path, connectors=[table(server)], sampling={"rate": 0.0}) as team:
        place = root if version == "v4" else None
        vote = server.annotate("t-1", False, observationId=place, comment="Cold & curt.")
        await team.until(lambda: opinions(team) == {("langfuse:zoe", "Cold & curt.")}, 30)
        await team.learned()
        assert (await shown_and_answered(team), team.shown("t-1")) == ((0, 0), None)
        del server.scores[vote]
        await team.until(lambda: team.labels() == {}, 30)


@VERSIONS
async def test_only_traces_that_wait_in_the_queue_are_read_however_old_they_are(
    tmp_path: Path, server: FakeLangfuse, monkeypatch: pytest.MonkeyPatch, version: Version
) -> None:
    server.version, server.has_scores_v3, server.rows_per_page = version, version == "v4", 2
    monkeypatch.setenv("LANGFUSE_KEYS", KEYS)
    month_ago = now_ms() - 30 * 24 * HOUR_MS
    for number in range(7):
        server.trace(f"t-{number}", month_ago + number)
    root = server.trace("t-7", now_ms() - 5_000)
    server.enqueue("others", "t-0")
    server.enqueue("review", "t-1", status="COMPLETED")
    server.enqueue("review", root, "OBSERVATION")
    for name in ("t-2", "t-3", "t-9"):
        server.enqueue("review", name)
    connector = {**table(server), "queue": "review", "since": moment(now_ms() - HOUR_MS)}
    async with bot_in_workspace(tmp_path, connectors=[connector]) as team:
        for name in ("t-2", "t-3"):
            await team.card(name)
        server.enqueue("review", "t-4")
        await team.card("t-4")
        await team.until(lambda: any(each["traceId"] == "t-4" for each in server.of_api().values()), 30)
    assert {each["traceId"] for each in server.of_api().values()} <= {"t-2", "t-3", "t-4"}


async def test_scores_given_in_the_queue_teach_and_others_do_not(server: FakeLangfuse) -> None:
    tool = LangfuseTool(server.url, KEYS, PROJECT, queue="review")
    server.enqueue("review", "t-1", status="COMPLETED")
    for name, queue in (("t-1", "q-review"), ("t-2", None), ("t-3", "q-others")):
        server.trace(name, START_MS)
        server.annotate(name, False, queueId=queue)
    listing = await tool.list_answers(["politeness"], START_MS - 1_000 * HOUR_MS)
    assert [each.head.trace_id for each in listing.traces] == ["t-1"]
    await tool.close()


async def test_a_queue_that_is_not_there_is_told_with_the_remedy(server: FakeLangfuse) -> None:
    server.enqueue("review", "t-1")
    for name in ("review", "rewiev"):
        tool = LangfuseTool(server.url, KEYS, PROJECT, queue=name)
        if name == "review":
            assert 'project "support"' in await tool.check()
        else:
            with pytest.raises(ToolRefusedError, match='no annotation queue "rewiev"; correct'):
                await tool.check()
        await tool.close()


@VERSIONS
async def test_killed_before_the_servers_answer_it_writes_the_same_score_again(
    tmp_path: Path, server: FakeLangfuse, monkeypatch: pytest.MonkeyPatch, version: Version
) -> None:
    server.version, server.has_scores_v3 = version, version == "v4"
    monkeypatch.setenv("LANGFUSE_KEYS", KEYS)
    world = World(tmp_path, random.Random(5), traces=1)
    world.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8").replace("blind = 0.3", "blind = 0.0")
    connector = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table(server).items())
    settings.write_text(f'{text}\n[[connectors]]\n{connector}judges = ["politeness"]\n', encoding="utf-8")
    server.trace("t-1", now_ms() - 5_000)
    write = "POST /api/public/scores"
    async with world.slack:
        server.silent_on = write
        process = await started(world)
        await until(lambda: server.scores)
        await killed(process)
        server.silent_on = None
        written, before = dict(server.scores), len(server.calls)
        process = await started(world)
        try:
            await until(lambda: write in server.calls[before:])
        finally:
            await killed(process)
    assert server.scores.keys() == written.keys()


def table(server: FakeLangfuse) -> dict[str, Json]:
    """Return a table of `[[connectors]]`."""
    return {
        "type": "langfuse",
        "url": server.url,
        "project": PROJECT,
        "api_key_env": "LANGFUSE_KEYS",
        "poll_seconds": 1,
        "since": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(("before", "after"), [("v3", "v4"), ("v4", "v3")])
async def test_no_trace_counts_as_deleted_because_the_server_changed_its_version(
    server: FakeLangfuse, before: Version, after: Version
) -> None:
    server.version, server.has_scores_v3 = before, before == "v4"
    server.trace("t-1", START_MS)
    tool = LangfuseTool(server.url, KEYS, PROJECT, looks=5)
    assert set(await tool.read_assessments({"t-1": "r"})) == {"t-1"}
    server.version, server.has_scores_v3 = after, after == "v4"
    with pytest.raises(ToolUnavailableError):
        await tool.read_assessments({"t-1": "r"})
    assert set(await tool.read_assessments({"t-1": "r"})) == {"t-1"}
    await tool.close()


async def test_wrong_keys_another_project_and_a_wrong_address_are_told_with_the_remedy(
    server: FakeLangfuse,
) -> None:
    with pytest.raises(SettingsError, match="both keys"):
        LangfuseTool(server.url, "sk-lf-1", PROJECT)
    for url, keys, project, words in (
        (server.url, "pk-lf-1:wrong", PROJECT, "api_key_env"),
        (server.url, KEYS, "sales", 'belong to "support", not to "sales"'),
        (f"{server.url}/elsewhere", KEYS, PROJECT, "correct the connector's url"),
    ):
        tool = LangfuseTool(url, keys, project)
        with pytest.raises(ToolRefusedError, match=words):
            await tool.check()
        await tool.close()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"api_key_env": "LANGFUSE_KEYS"}, "needs project"),
        ({"api_key_env": "LANGFUSE_KEYS", "project": PROJECT, "experiment": "support"}, "not experiment"),
        ({"project": PROJECT}, "needs api_key_env"),
        ({"project": PROJECT, "api_key_env": "pk-lf-1:sk-lf-1"}, "not the key itself"),
    ],
)
def test_settings_that_cannot_work_are_refused(keys: dict[str, Json], words: str) -> None:
    table = {"type": "langfuse", "url": "https://langfuse.example.com", **keys}
    with pytest.raises(ValidationError, match=words):
        ConnectorSettings.model_validate(table)


async def test_a_rate_limit_tells_how_long_to_wait(server: FakeLangfuse, tool: LangfuseTool) -> None:
    server.failing = lambda _: web.json_response({}, status=429, headers={"Retry-After": "17"})
    with pytest.raises(ToolUnavailableError) as error:
        await tool.list_traces(START_MS)
    assert error.value.retry_after == 17


@VERSIONS
async def test_verdict_and_votes_go_both_ways_until_they_are_forgotten(
    tmp_path: Path, server: FakeLangfuse, monkeypatch: pytest.MonkeyPatch, version: Version
) -> None:
    server.version, server.has_scores_v3 = version, version == "v4"
    monkeypatch.setenv("LANGFUSE_KEYS", KEYS)
    root = server.trace("t-1", now_ms() - 5_000)

    def values() -> dict[Json, Json]:
        return {each["metadata"]["source_id"]: each["value"] for each in server.of_api().values()}

    async with bot_in_workspace(tmp_path, connectors=[table(server)]) as team:
        card = await team.card("t-1")
        await team.until(lambda: len(values()) == 1, 30)
        team.react(card, "thumbsup")
        await team.until(lambda: set(values()) == {"local:/cases", team.ana.id}, 30)
        place = root if version == "v4" else None
        vote = server.annotate("t-1", False, observationId=place, comment="Cold & curt.")
        await team.until(lambda: ("langfuse:zoe", "Cold & curt.") in opinions(team), 30)
        assert len(server.of_api()) == 2
        del server.scores[vote]
        await team.until(lambda: ("langfuse:zoe", "Cold & curt.") not in opinions(team), 30)
        team.unreact(card, "thumbsup")
        await team.until(lambda: set(values()) == {"local:/cases"}, 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id="t-1"), team.ana.id)
        await team.until(lambda: server.scores == {}, 30)
        server.trace("t-2", now_ms())
        await team.card("t-2")
        assert not await team.bot.database.traces.contains("t-1")
