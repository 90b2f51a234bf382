"""The whole bot and a server that it tells: verdict, vote, lesson and forgetting, through outages and restarts."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web

from bot.__main__ import main
from bot.outbound.waiting_events import waiting_events
from bot.runtime.clock import now_ms
from bot.sandbox import Message
from memalign.errors import SettingsError
from memalign.records import Json, PersonTarget, TraceTarget
from storage.database import Database
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, settings_for
from tests.bot.connectors.both_ways import connected
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import MlflowClient
from tests.bot.outbound.event_server import KEY, EventRequest, EventServer
from tests.storage.records import places_of

REASON = "An answer must never send people away."


def webhook(server: EventServer, **keys: Json) -> dict[str, Json]:
    """Return a table of `[[webhooks]]`."""
    return {"url": f"{server.url}/hook", "secret_env": "EVENTS_SECRET", **keys}


def telling(
    folder: Path, *webhooks: dict[str, Json], **options: Json
) -> AbstractAsyncContextManager[BotInWorkspace]:
    """Start the bot with webhooks."""
    return bot_in_workspace(folder, webhooks=list(webhooks), **options)


async def test_events_that_wait_are_told_while_no_bot_runs(tmp_path: Path, server: EventServer) -> None:
    await server.stop()
    async with telling(tmp_path, webhook(server)) as team:
        await team.show()
        await team.until_async(lambda: team.tells("1 event waiting"), 30)
        channel = team.channel.id
    settings = settings_for(tmp_path, channel, webhooks=[webhook(server)])
    async with await Database.open(settings.data, read_only=True) as database:
        told = await waiting_events(settings, database)
    assert told == ["webhook 127.0.0.1: 1 event waiting"]


async def heard(team: BotInWorkspace, server: EventServer, event_type: str, number: int = 1) -> EventRequest:
    """Wait until so many events of a type have arrived; returns the last."""
    await team.until(lambda: server.types.count(event_type) >= number, 30)
    return [request for request in server.requests if request.type == event_type][-1]


async def overruled(team: BotInWorkspace, card: Message) -> None:
    """Let ana say that a verdict is wrong, and why."""
    team.react(card, "thumbsdown")
    team.reply(card, REASON)
    await team.learned()


async def test_verdict_vote_lesson_and_forgetting_are_told(tmp_path: Path, server: EventServer) -> None:
    async with telling(tmp_path, webhook(server)) as team:
        card = await team.show("tr-1")
        verdict = (await heard(team, server, "verdict.created")).document["data"]
        [stored] = await team.bot.database.verdicts.of_trace("tr-1")
        assert (verdict["trace_id"], verdict["judge"], verdict["value"]) == (
            "tr-1",
            "politeness",
            stored.verdict.value,
        )
        await overruled(team, card)
        await team.until(lambda: any(_says(request, REASON) for request in server.requests), 30)
        vote = (await heard(team, server, "vote.changed")).document["data"]
        assert (vote["annotator"], vote["vote"], vote["label"], vote["rationale"]) == (
            team.ana.id,
            "down",
            not stored.verdict.value,
            REASON,
        )
        lesson = (await heard(team, server, "lesson.learned")).document["data"]
        [rule] = team.bot.memories["politeness"].guidelines
        assert (lesson["id"], lesson["text"], lesson["judge"]) == (rule.id, rule.text, "politeness")
        team.unreact(card, "thumbsdown")
        await team.until(lambda: _last_vote(server) is None, 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id="tr-1"), team.ana.id)
        await heard(team, server, "trace.forgotten")
        await team.bot.forgetting.forget(PersonTarget(person=team.ana.id), team.ana.id)
        assert (await heard(team, server, "person.forgotten")).document["data"] == {"annotator": team.ana.id}
    assert all(request.is_signed_by(KEY) for request in server.requests)
    assert len({request.event_id for request in server.requests}) == len(server.requests)
    assert not any(
        b"Can you help me" in request.body or b"Go away" in request.body for request in server.requests
    )


def _says(request: EventRequest, words: str) -> bool:
    return bool(request.document["data"].get("rationale") == words)


def _last_vote(server: EventServer) -> Json:
    votes = [request.document["data"] for request in server.requests if request.type == "vote.changed"]
    return votes[-1]["vote"]


async def test_a_webhook_hears_only_what_it_asks_for(tmp_path: Path, server: EventServer) -> None:
    judges = [{}, {"name": "tone"}]
    asked = webhook(server, events=["verdict", "forget"], judges=["tone"])
    async with telling(tmp_path, asked, judges=judges) as team:
        card = await team.show("tr-1")
        await overruled(team, card)
        await heard(team, server, "verdict.created")
        await team.bot.forgetting.forget(TraceTarget(trace_id="tr-1"), team.ana.id)
        await heard(team, server, "trace.forgotten")
    assert server.types == ["verdict.created", "trace.forgotten"]
    assert server.requests[0].document["data"]["judge"] == "tone"


async def test_a_server_that_is_down_stops_nothing_is_told_and_catches_up_in_order(
    tmp_path: Path, server: EventServer
) -> None:
    other = EventServer()
    await other.start()
    await server.stop()
    async with telling(tmp_path, webhook(server), webhook(other)) as team:
        card = await team.show("tr-1")
        await overruled(team, card)
        await heard(team, other, "lesson.learned")
        await team.until_async(lambda: team.tells("webhook 1 (127.0.0.1): it cannot be reached"), 30)
        status, body = await team.get("/readyz")
        assert status == 200
        assert "it cannot be reached; check the network and the webhook's url" in body
        _, figures = await team.get("/metrics")
        assert 'memalign_events_waiting{receiver="webhook 2 (127.0.0.1)"} 0.0' in figures
        workspace = team.workspace
    await server.start()
    async with telling(tmp_path, webhook(server), webhook(other), workspace=workspace) as team:
        await heard(team, server, "lesson.learned")
        await team.until_async(lambda: _is_well(team), 30)
        _, figures = await team.get("/metrics")
        assert 'memalign_events_waiting{receiver="webhook 1 (127.0.0.1)"} 0.0' in figures
    assert server.types.index("verdict.created") < server.types.index("vote.changed")
    assert server.types.count("verdict.created") == other.types.count("verdict.created") == 1
    await other.stop()


async def _is_well(team: BotInWorkspace) -> bool:
    return not (await team.bot.status.read()).troubles


async def test_what_is_forgotten_before_it_could_be_told_is_never_told(
    tmp_path: Path, server: EventServer
) -> None:
    await server.stop()
    async with telling(tmp_path, webhook(server)) as team:
        card = await team.show("tr-SECRET", outputs="An XYZZY answer.")
        team.react(card, "thumbsdown")
        team.reply(card, "Never say XYZZY to people.")
        await team.learned()
        await team.bot.forgetting.forget(TraceTarget(trace_id="tr-SECRET"), team.ana.id)
        await server.start()
        await heard(team, server, "trace.forgotten")
        await team.until_async(lambda: _all_told(team), 30)
        await team.bot.database.vacuum()
        assert list(places_of([b"XYZZY"], tmp_path / "store")) == []
    assert not any(b"XYZZY" in request.body for request in server.requests)
    named = [request.type for request in server.requests if b"tr-SECRET" in request.body]
    assert named == ["trace.forgotten"]


async def _all_told(team: BotInWorkspace) -> bool:
    [figures] = await team.bot.outbound.figures()
    return figures.waiting == 0


async def test_a_verdict_that_its_card_hides_is_told_once_somebody_answered(
    tmp_path: Path, server: EventServer
) -> None:
    blind = {"rate": 1.0, "max_per_day": 100, "blind": 1.0}
    async with telling(tmp_path, webhook(server), sampling=blind) as team:
        card = await team.show("tr-1")
        assert not (await team.bot.outbound.figures())[0].waiting
        await team.press(card, "blind_answer:0")
        await heard(team, server, "vote.changed")
    assert server.types[:2] == ["verdict.created", "vote.changed"]


async def test_a_vote_of_a_connected_tool_is_told_with_the_tools_name(
    tmp_path: Path, server: EventServer
) -> None:
    tool = FakeMlflow()
    await tool.start()
    mlflow = await MlflowClient.at(tool.url)
    trace_id = await mlflow.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, mlflow, sections={"webhooks": [webhook(server)]}) as team:
        await team.card(trace_id)
        await mlflow.assess(trace_id, "no", by="zoe", name="politeness", rationale="Cold & curt.")
        vote = (await heard(team, server, "vote.changed")).document["data"]
    await tool.stop()
    assert (vote["trace_id"], vote["annotator"], vote["label"]) == (trace_id, "mlflow:zoe", False)
    assert vote["rationale"] == "Cold & curt."


SETTINGS = """
[storage]
path = "store"
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "{judge}"
channel = "C1"
model = "local:/cases"
instructions = "Is the answer polite? {{{{ inputs }}}} {{{{ outputs }}}}"
"""


async def test_what_is_forgotten_at_the_terminal_while_no_bot_runs_is_told_at_the_next_start(
    tmp_path: Path, server: EventServer
) -> None:
    async with telling(tmp_path, webhook(server, events=["forget"])) as team:
        await team.show("tr-1")
        workspace = team.workspace
    settings = tmp_path / "memalign.toml"
    settings.write_text(SETTINGS.format(judge="politeness"), encoding="utf-8")
    await asyncio.to_thread(main, ["forget", "--config", str(settings), "tr-1"])
    assert server.requests == []
    async with telling(tmp_path, webhook(server, events=["forget"]), workspace=workspace) as team:
        await heard(team, server, "trace.forgotten")
    assert server.types == ["trace.forgotten"]


async def test_what_waits_is_told_under_the_name_that_a_judge_has_since(
    tmp_path: Path, server: EventServer
) -> None:
    await server.stop()
    async with telling(tmp_path, webhook(server, judges=["politeness"])) as team:
        await overruled(team, await team.show("tr-1"))
        workspace = team.workspace
    settings = tmp_path / "memalign.toml"
    settings.write_text(SETTINGS.format(judge="tone"), encoding="utf-8")
    await asyncio.to_thread(main, ["rename-judge", "politeness", "tone", "--config", str(settings)])
    await server.start()
    renamed = {"judge": {"name": "tone"}, "workspace": workspace}
    async with telling(tmp_path, webhook(server, judges=["tone"]), **renamed) as team:
        await heard(team, server, "lesson.learned")
    assert {"verdict.created", "vote.changed", "lesson.learned"} <= set(server.types)
    assert {request.document["data"]["judge"] for request in server.requests} == {"tone"}


async def test_a_pause_that_a_server_asks_for_is_kept(tmp_path: Path, server: EventServer) -> None:
    busy = [web.Response(status=503, headers={"Retry-After": "2"})]
    server.answer = lambda _: busy.pop() if busy else web.Response()
    async with telling(tmp_path, webhook(server)) as team:
        await team.show("tr-1")
        await team.until(lambda: len(server.requests) == 2, 30)
    first, second = server.requests
    assert first.event_id == second.event_id
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 2
    assert first.body == second.body


async def test_a_missing_secret_stops_the_start(
    tmp_path: Path, server: EventServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENTS_SECRET")
    with pytest.raises(SettingsError, match="EVENTS_SECRET is missing; a webhook needs it"):
        async with telling(tmp_path, webhook(server)):
            pass
