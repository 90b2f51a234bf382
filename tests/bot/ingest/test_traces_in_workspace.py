"""Traces through the whole bot: which become cards."""

from pathlib import Path

from bot.judging.sampling import is_sampled
from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace


def a_trace(number: int = 1, **more: Json) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}", **more}


def _shown(harness: BotInWorkspace) -> list[tuple[str, str]]:
    payloads = [
        (message.metadata or {})["event_payload"]
        for message in harness.workspace.messages(harness.channel.id)
    ]
    return [(payload["trace_id"], payload["judge"]) for payload in payloads]


async def test_a_restart_samples_the_same(tmp_path: Path) -> None:
    traces = [a_trace(n) for n in range(40)]
    async with bot_in_workspace(tmp_path, sampling={"rate": 0.2}) as harness:
        key = await harness.bot.database.traces.sampling_key()
        chosen = {n for n in range(40) if is_sampled(f"tr-{n}", "politeness", 0.2, key)}
        await harness.send(*traces)
        await harness.until(lambda: len(_shown(harness)) == len(chosen))
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace, sampling={"rate": 0.2}) as harness:
        await harness.send(*traces)
        await harness.learned()
        assert {int(trace_id[3:]) for trace_id, _ in _shown(harness)} == chosen


async def test_not_ready_while_not_connected(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.slack.faults.fail_next("apps.connections.open", status=503, times=1_000)
        await harness.slack.faults.disconnect(announce=False)
        await harness.until_async(lambda: _not_ready(harness))
        assert (await harness.get("/healthz"))[0] == 200
        assert "not connected to Slack" in (await harness.get("/readyz"))[1]


async def _not_ready(harness: BotInWorkspace) -> bool:
    return (await harness.get("/readyz"))[0] == 503
