"""LangSmith beside the bot, both ways, on a small server."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.runtime.clock import now_ms
from memalign.records import Json, TraceTarget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.connectors.both_ways import opinions, shown_and_answered
from tests.bot.connectors.fake_langsmith import KEY, TENANT, FakeLangsmith
from tests.bot.connectors.langsmith_client import PROJECT, LangsmithClient
from tests.bot.fakes import until
from tests.bot.test_blind_card_after_kill import killed, started
from tests.crash.world import World

MODEL = "model local:/cases"
KEY_ENV = "LANGSMITH_API_KEY"


@pytest.fixture
async def langsmith(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LangsmithClient]:
    """A small server, with whoever uses it."""
    monkeypatch.setenv(KEY_ENV, KEY)
    server = FakeLangsmith()
    server.project(PROJECT)
    await server.start()
    yield LangsmithClient(server=server)
    await server.stop()


def table(langsmith: LangsmithClient) -> dict[str, Json]:
    """Return a table of `[[connectors]]`."""
    return {
        "type": "langsmith",
        "url": langsmith.server.url,
        "api_key_env": KEY_ENV,
        "project": PROJECT,
        "poll_seconds": 1,
        "since": "2026-01-01T00:00:00Z",
    }


def beside(
    folder: Path, langsmith: LangsmithClient, **sections: Json
) -> AbstractAsyncContextManager[BotInWorkspace]:
    """Start the bot beside the server."""
    return bot_in_workspace(folder, connectors=[table(langsmith)], **sections)


async def until_at(
    team: BotInWorkspace, langsmith: LangsmithClient, run_id: str, wanted: dict[str, Json]
) -> None:
    """Wait until exactly these scores stand at a run, by type and name of their source."""
    await team.until(lambda: langsmith.by_source(run_id) == wanted, 30)


async def test_the_verdict_and_each_vote_stand_at_the_server_as_they_stand_in_slack(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    async with beside(tmp_path, langsmith) as team:
        card = await team.card(run_id)
        value = float(bool((await team.bot.database.verdicts.recent("politeness", 1))[0].verdict.value))
        await until_at(team, langsmith, run_id, {MODEL: value})
        trace = await team.bot.database.traces.get(run_id)
        project = langsmith.server.projects[PROJECT]
        assert trace is not None
        assert trace.url == f"{langsmith.server.url}/o/{TENANT}/projects/p/{project}/r/{run_id}"
        team.react(card, "thumbsdown")
        team.reply(card, "It is rude, write to ana@example.com.")
        person = f"api {team.ana.id}"
        await until_at(team, langsmith, run_id, {MODEL: value, person: 1 - value})

        def vote() -> dict[str, Json]:
            rows = langsmith.server.feedback.values()
            return next(row for row in rows if row["feedback_source"]["type"] == "api")

        await team.until(lambda: "It is rude" in (vote()["comment"] or ""), 30)
        first = vote()["id"]
        assert "ana@example.com" not in vote()["comment"]
        assert vote()["key"] == "politeness"
        team.unreact(card, "thumbsdown")
        team.react(card, "thumbsup")
        await until_at(team, langsmith, run_id, {MODEL: value, person: value})
        assert vote()["id"] == first
        team.unreact(card, "thumbsup")
        await until_at(team, langsmith, run_id, {MODEL: value})


async def test_a_vote_given_at_the_server_teaches_until_it_is_deleted_and_is_never_written_back(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    async with beside(tmp_path, langsmith) as team:
        await team.card(run_id)
        vote = await langsmith.answer(run_id, by="zoe", score=0, comment="Cold & curt.")
        await team.until(lambda: team.labels() == {run_id: False}, 30)
        await team.until(lambda: opinions(team) == {("langsmith:zoe", "Cold & curt.")}, 30)
        await langsmith.change(vote, score=None, value="yes", comment="Fine after all.")
        await team.until(lambda: team.labels() == {run_id: True}, 30)
        await team.learned()
        assert set(langsmith.by_source(run_id)) == {MODEL, "app zoe"}
        await langsmith.take_back(vote)
        await team.until(lambda: team.labels() == {}, 30)


@pytest.mark.parametrize("has_v2", [True, False])
async def test_labels_on_runs_without_a_card_teach_and_those_on_steps_do_not(
    tmp_path: Path, langsmith: LangsmithClient, has_v2: bool
) -> None:
    langsmith.server.has_v2 = has_v2
    await langsmith.server.stop()
    await langsmith.server.start()
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    step = await langsmith.run(start_ms=now_ms() - 4_000, trace_id=run_id, parent_run_id=run_id)
    async with beside(tmp_path, langsmith, sampling={"rate": 0.0}) as team:
        await langsmith.answer(step, by="zoe", score=1)
        vote = await langsmith.answer(run_id, by="zoe", score=0, comment="Cold & curt.")
        await team.until(lambda: team.labels() == {run_id: False}, 30)
        assert opinions(team) == {("langsmith:zoe", "Cold & curt.")}
        await team.learned()
        assert (await shown_and_answered(team), team.shown(run_id)) == ((0, 0), None)
        await langsmith.take_back(vote)
        await team.until(lambda: team.labels() == {}, 30)


async def test_a_judge_of_whole_traces_is_shown_the_steps_of_a_run(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    await langsmith.run(start_ms=now_ms() - 4_000, name="look-up", trace_id=run_id, parent_run_id=run_id)
    judge = {"instructions": "Were all steps needed? {{ trace }}"}
    async with beside(tmp_path, langsmith, judge=judge) as team:
        await team.card(run_id)
        trace = await team.bot.database.traces.get(run_id)
        assert trace is not None
        assert [span["name"] for span in trace.spans] == ["answer", "look-up"]


async def test_a_correction_of_the_verdict_at_the_server_teaches(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    async with beside(tmp_path, langsmith) as team:
        await team.card(run_id)
        await team.until(lambda: len(langsmith.server.feedback) == 1, 30)
        [(verdict_id, verdict)] = langsmith.server.feedback.items()
        await langsmith.change(verdict_id, correction={"score": 1 - verdict["score"]})
        await team.until(lambda: team.labels() == {run_id: not verdict["score"]}, 30)
        assert set(langsmith.by_source(run_id)) == {MODEL}


async def test_what_is_forgotten_is_deleted_at_the_server_and_not_read_again(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    async with beside(tmp_path, langsmith) as team:
        card = await team.card(run_id)
        await langsmith.answer(run_id, by="zoe", score=0)
        team.react(card, "thumbsup")
        await team.until(lambda: len(langsmith.server.feedback) == 3, 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id=run_id), team.ana.id)
        await until_at(team, langsmith, run_id, {"app zoe": 0.0})
        marker = await langsmith.run(start_ms=now_ms())
        await team.card(marker)
        assert not await team.bot.database.traces.contains(run_id)
        assert run_id not in team.labels()


async def test_what_came_while_the_server_was_down_is_read_once(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    async with beside(tmp_path, langsmith) as team:
        before = await langsmith.run(start_ms=now_ms() - 5_000)
        card = await team.card(before)
        await langsmith.server.stop()
        team.react(card, "thumbsup")
        await team.until(lambda: team.labels() == {before: True}, 30)
        await langsmith.server.start()
        after = await langsmith.run("Sure, with pleasure.", start_ms=now_ms() - 1_000)
        await team.card(after)
        await team.until(lambda: f"api {team.ana.id}" in langsmith.by_source(before), 60)
        await team.until(lambda: len(langsmith.by_source(after)) == 1, 30)


async def test_killed_before_the_servers_answer_it_writes_no_second_feedback(
    tmp_path: Path, langsmith: LangsmithClient
) -> None:
    world = World(tmp_path, random.Random(5), traces=1)
    world.write_settings(3600)
    settings = tmp_path / "memalign.toml"
    text = settings.read_text(encoding="utf-8").replace("blind = 0.3", "blind = 0.0")
    connector = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table(langsmith).items())
    settings.write_text(f'{text}\n[[connectors]]\n{connector}judges = ["politeness"]\n', encoding="utf-8")
    run_id = await langsmith.run(start_ms=now_ms() - 5_000)
    server = langsmith.server
    async with world.slack:
        server.silent_on = "POST /api/v1/feedback"
        process = await started(world)
        await until(lambda: len(server.feedback) == 1)
        await killed(process)
        server.silent_on = None
        before = len(server.calls)
        process = await started(world)
        try:
            await until(lambda: any(call.startswith("PATCH") for call in server.calls[before:]))
        finally:
            await killed(process)
    assert "POST /api/v1/feedback" not in server.calls[before:]
    assert [row["run_id"] for row in server.feedback.values()] == [run_id]
