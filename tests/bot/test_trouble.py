"""Parts that fail: work waits, says why, and goes on by itself; the loop never stands still."""

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from memalign.records import Trace, TraceTarget
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.model_server import Fault, ModelServer, overloaded, running_model_server
from tests.storage.pragma import limit_pages

REMOTE = {"model": "openai:/gpt-5-mini"}
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
TRIES = 6
"""At most so often the client asks again before it gives a call up."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


def asked(server: ModelServer) -> int:
    return len(server.of("chat"))


@pytest.mark.parametrize(
    "fault", [overloaded(503), overloaded(429), Fault(status=401, body='{"error": {"message": "no"}}')]
)
async def test_traces_wait_while_the_model_is_down_and_are_judged_when_it_is_back(
    tmp_path: Path, server: ModelServer, fault: Fault
) -> None:
    server.faults.extend([fault] * 1000)
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        names = [f"tr-{number}" for number in range(40)]
        await harness.send(*({"trace_id": name, "inputs": "Hi", "outputs": "Go."} for name in names))
        await harness.until_async(lambda: harness.tells("politeness: openai:/gpt-5-mini"))
        status = "\n".join(await harness.asked(harness.ana, "status"))
        assert "40 traces to judge" in status
        assert "gpt-5-mini" in status
        code, ready = await harness.get("/readyz")
        assert (code, "gpt-5-mini" in ready, '"traces": 40' in ready) == (200, True, True)
        # as many as work at once show that it is down; the forty that wait do not each ask it
        assert asked(server) <= 8 * TRIES
        server.faults.clear()
        await harness.until(lambda: all(harness.shown(name) for name in names))
        assert not await harness.tells("politeness")


async def test_an_answer_that_is_nonsense_stops_only_its_trace(tmp_path: Path, server: ModelServer) -> None:
    server.answers.extend(["no JSON at all"] * 3)
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        for number in range(3):
            await harness.send({"trace_id": f"tr-{number}", "inputs": "Hi", "outputs": "Go."})
        await harness.until(lambda: all(harness.shown(f"tr-{number}") for number in range(3)))
        verdicts = await harness.bot.database.verdicts.recent("politeness", 10)
        assert sorted(verdict.verdict.trace_id for verdict in verdicts) == ["tr-0", "tr-1", "tr-2"]
        assert not await harness.tells("politeness")


async def test_a_judge_that_is_down_and_hangs_holds_up_no_other(tmp_path: Path, server: ModelServer) -> None:
    judges = [REMOTE, {"name": "brevity"}]
    server.faults.extend([overloaded(503)] * 1000)
    async with bot_in_workspace(tmp_path, judges=judges, memory=LOCAL_MEMORY) as harness:
        first = {"trace_id": "tr-0", "inputs": "Hi", "outputs": "Go.", "judges": ["politeness"]}
        await harness.send(first)
        await harness.until_async(lambda: harness.tells("politeness: openai:/gpt-5-mini"))
        server.faults.clear()
        server.chat_seconds, before = 600, asked(server)
        await harness.send(*({**first, "trace_id": f"tr-{number}"} for number in range(1, 20)))
        await harness.until(lambda: asked(server) > before)
        await harness.send({**first, "trace_id": "other", "judges": ["brevity"]})
        await harness.card("other")
        assert asked(server) == before + 1


async def test_traces_that_wait_are_on_disk_and_not_in_memory(tmp_path: Path, server: ModelServer) -> None:
    server.faults.extend([overloaded(503)] * 1000)
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        for batch in range(10):
            traces = ({"trace_id": f"tr-{batch}-{n}", "inputs": "Hi", "outputs": "Go."} for n in range(300))
            await harness.send(*traces)
        await harness.until(lambda: asked(server) > TRIES)
        status = await harness.bot.status.read()
        assert status.traces_waiting == 3000
        gc.collect()
        assert sum(isinstance(each, Trace) for each in gc.get_objects()) < 50


async def test_the_socket_is_served_while_a_model_hangs(tmp_path: Path, server: ModelServer) -> None:
    server.chat_seconds = 600
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await harness.send({"trace_id": "tr-1", "inputs": "Hi", "outputs": "Go."})
        await harness.until(lambda: asked(server))
        assert "1 trace to judge" in (await harness.asked(harness.ana, "status"))[0]
        assert (await harness.get("/healthz"))[0] == 200


async def test_a_stop_does_not_wait_for_a_model_that_hangs(tmp_path: Path, server: ModelServer) -> None:
    server.chat_seconds = 600
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await harness.send({"trace_id": "tr-1", "inputs": "Hi", "outputs": "Go."})
        await harness.until(lambda: asked(server))
    assert server.chats_waited_for == 0
    server.chat_seconds = 0.0
    async with bot_in_workspace(tmp_path, workspace=workspace, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await harness.card("tr-1")


async def test_a_revoked_token_is_told_and_a_new_start_goes_on(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        harness.slack.faults.fail_next("chat.postMessage", error="token_revoked", times=1000)
        await harness.send({"trace_id": "tr-1", "inputs": "Hi", "outputs": "Go."})
        await harness.until_async(lambda: harness.tells("install the app again"))
        assert harness.shown("tr-1") is None
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.card("tr-1")
        assert (await harness.bot.status.read()).troubles == ()


async def test_a_full_disk_is_told_and_work_goes_on_once_there_is_room(tmp_path: Path) -> None:
    words = "The answer should never send people away. " * 300
    async with bot_in_workspace(tmp_path, slack={"ack_timeout": 0.3, "retries": (0.3,) * 20}) as harness:
        card = await harness.show("tr-1")
        await harness.learned()
        await limit_pages(harness.bot.database, 1)
        body = json.dumps(
            [{"trace_id": f"tr-{n}", "inputs": "x" * 9000, "outputs": "Go."} for n in range(20)]
        )
        code, answer = await harness.post(body.encode())
        assert code == 503
        assert "is full" in answer["error"]
        harness.reply(card, words)
        await harness.until(lambda: harness.slack.deliveries[-1].attempts > 1)
        # what is not on disk is not acknowledged, so that Slack sends it again
        assert not harness.slack.deliveries[-1].acked
        await limit_pages(harness.bot.database, 10**6)
        code, answer = await harness.post(body.encode())
        assert (code, answer["accepted"]) == (202, 19)
        await harness.until(lambda: all(harness.shown(f"tr-{number}") for number in range(20)))
        assert (await harness.feedback(card))["ana"].rationale == words.strip()


async def test_forgetting_does_not_wait_for_a_model_that_hangs(tmp_path: Path, server: ModelServer) -> None:
    memory = {"reflection_lm": "openai:/gpt-5-mini", "embedding_model": "local:/wordllama"}
    async with bot_in_workspace(tmp_path, memory=memory) as harness:
        for name in ("tr-1", "tr-2"):
            card = await harness.show(name)
            harness.react(card, "-1")
            harness.reply(card, "The answer should never send people away.")
        await harness.learned()
        [rule] = harness.bot.memories["politeness"].guidelines
        assert set(rule.source_trace_ids) == {"tr-1", "tr-2"}
        server.chat_seconds = 600
        forgetting = asyncio.create_task(harness.bot.forgetting.forget(TraceTarget(trace_id="tr-1"), None))
        await harness.until_async(lambda: harness.bot.database.traces.is_forgotten("tr-1"))
        assert [each.in_use for each in harness.bot.memories["politeness"].guidelines] == [False]
        result = await forgetting
        assert (result.left, result.distilled) == (1, [])
        server.chat_seconds = 0.0
