"""Refusals, failures and slowness of models, met by the whole bot through real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Workspace
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.model_server import Fault, ModelServer, overloaded, running_model_server

REMOTE = {"model": "openai:/m"}
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
REMOTE_REFLECTION = {"reflection_lm": "openai:/r", "embedding_model": "local:/wordllama"}
FILTER = Fault(
    status=400, body='{"error": {"message": "filtered: poison Almaviva", "code": "content_filter"}}'
)
WITHHELD = Fault(
    body=json.dumps({"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]})
)
RULE = "The answer should never send people away."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest.mark.parametrize("fault", [FILTER, WITHHELD], ids=["400", "finish_reason"])
async def test_a_trace_that_a_content_filter_refuses_is_shown_and_counted_and_not_asked_about_for_ever(
    tmp_path: Path, server: ModelServer, fault: Fault
) -> None:
    server.spoiled["poison"] = fault
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        for name, words in (("bad", "poison Almaviva"), ("good", "Go.")):
            await harness.send({"trace_id": name, "inputs": "Hi", "outputs": words})
        await harness.card("good")
        await harness.until_async(lambda: harness.tells("politeness: 1 trace was refused by the model"))
        assert sum("poison" in json.dumps(call.body) for call in server.calls) == 2
        status = "\n".join(await harness.asked(harness.ana, "status"))
        assert "Nothing is waiting." in status
        assert "Almaviva" not in status
        assert 'memalign_traces_refused{judge="politeness"} 1.0' in (await harness.get("/metrics"))[1]


async def test_a_trace_at_which_the_server_fails_holds_up_no_other(
    tmp_path: Path, server: ModelServer
) -> None:
    server.spoiled["poison"] = overloaded(500)
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await harness.send({"trace_id": "bad", "inputs": "Hi", "outputs": "poison"})
        await harness.until(lambda: len(server.calls) >= 3)
        names = [f"tr-{number}" for number in range(20)]
        await harness.send(*({"trace_id": name, "inputs": "Hi", "outputs": "Go."} for name in names))
        await harness.until(lambda: all(harness.shown(name) for name in names))
        assert harness.shown("bad") is None
        assert (await harness.bot.status.read()).traces_waiting == 1


async def test_people_are_thanked_while_the_reflection_model_hangs_and_told_the_lesson_later(
    tmp_path: Path, server: ModelServer
) -> None:
    server.chat_seconds = 600
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, memory=REMOTE_REFLECTION) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.until(lambda: any("still reading" in text for text in harness.thread(card)))
        assert list(harness.bot.memories["politeness"].episodes) == ["tr-1"]
        assert harness.bot.memories["politeness"].guidelines == ()
    server.chat_seconds = 0.0
    async with bot_in_workspace(tmp_path, workspace=workspace, memory=REMOTE_REFLECTION) as harness:
        await harness.until(lambda: any("📝 Learned" in text for text in harness.thread(card)))
        assert [rule.text for rule in harness.bot.memories["politeness"].guidelines] == [RULE]
        (status,) = harness.thread(card)
        assert "still reading" not in status


async def test_a_wrong_key_and_an_unpaid_bill_are_told_with_the_services_words(
    tmp_path: Path, server: ModelServer
) -> None:
    body = json.dumps({"error": {"message": "Insufficient Balance: pay the bill", "code": "x"}})
    server.faults.extend([Fault(status=402, body=body)] * 1000)
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await harness.send({"trace_id": "tr-1", "inputs": "Hi", "outputs": "Go."})
        await harness.until_async(lambda: harness.tells("openai:/m has no credit or quota left (402"))
        assert "Insufficient Balance: pay the bill" in (await harness.get("/readyz"))[1]
