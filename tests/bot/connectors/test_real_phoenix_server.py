"""Phoenix beside the bot, both ways, on Phoenix's own server, which `make test-phoenix` installs, with its log-in."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bot.connectors.errors import ToolRefusedError
from bot.connectors.phoenix import PhoenixTool
from bot.connectors.tool import OwnAssessment, WrittenAssessment
from bot.runtime.clock import now_ms
from tests.bot.bot_in_workspace import free_port
from tests.bot.connectors import phoenix_walks
from tests.bot.connectors.phoenix_client import PhoenixClient, root_of

START_SECONDS = 180
KEY = "administrator-1-secret-of-this-test"
"""Phoenix takes an administrator's secret as a key."""


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of Phoenix's own server; skips where no program is named."""
    command = os.environ.get("PHOENIX_COMMAND")
    if not command:
        pytest.skip("PHOENIX_COMMAND names no program of Phoenix: make test-phoenix runs this test")
    folder, port = tmp_path_factory.mktemp("phoenix"), free_port()
    environment = {
        **os.environ,
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_ENABLE_AUTH": "true",
        "PHOENIX_SECRET": "secret-1-that-signs-keys-in-this-test",
        "PHOENIX_ADMIN_SECRET": KEY,
    }
    environment.pop("PYTHONPATH", None)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, "serve"], stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        _await_answer(f"http://127.0.0.1:{port}/arize_phoenix_version")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.fixture
async def phoenix(url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PhoenixClient:
    """A client of Phoenix's own server, with a project for this test."""
    monkeypatch.setenv(phoenix_walks.KEY_ENV, KEY)
    return await PhoenixClient.at(url, request.node.name, KEY)


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


async def test_traces_of_several_pages_are_listed_the_oldest_first(phoenix: PhoenixClient) -> None:
    start_ms = now_ms() - 3_600_000
    spans = [phoenix.span(number, 1, start_ms + number) for number in range(120, 1_000, 8)]
    await phoenix.send(*reversed(spans))
    tool = PhoenixTool(phoenix.url, KEY, phoenix.project)
    deadline = time.monotonic() + 60
    while True:
        times, page = [], None
        while True:
            listing = await tool.list_traces(start_ms + 200, page)
            times += [head.time_ms - start_ms for head in listing.heads]
            page = listing.next_page
            if page is None:
                break
        if len(times) == 100 or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    await tool.close()
    assert times == list(range(200, 1_000, 8))


async def test_a_renamed_judge_a_deletion_and_a_trace_that_is_gone_leave_what_others_wrote(
    phoenix: PhoenixClient,
) -> None:
    trace_id = await phoenix.trace(5_001, start_ms=now_ms() - 20_000)
    tool = PhoenixTool(phoenix.url, KEY, phoenix.project)

    def own(judge: str) -> OwnAssessment:
        return OwnAssessment(
            own_id="ours-1",
            reference=root_of(trace_id),
            trace_id=trace_id,
            judge=judge,
            value=4,
            source_type="HUMAN",
            source_id="U1",
        )

    await _until_there(tool, trace_id)
    await phoenix.annotate(trace_id, label="fail", by="px-app:theirs")
    await tool.create(own("politeness"))
    await tool.update("ours-1", own("courtesy"))
    names = {each["name"] for each in await phoenix.annotations(trace_id) if each["identifier"] == "ours-1"}
    assert names == {"courtesy"}
    await tool.delete(
        "ours-1", WrittenAssessment(own_id="ours-1", reference=root_of(trace_id), trace_id=trace_id)
    )
    assert [each["identifier"] for each in await phoenix.annotations(trace_id)] == ["px-app:theirs"]
    answers = await tool.read_assessments({trace_id: root_of(trace_id)})
    assert [(each.name, each.value) for each in answers[trace_id]] == [("politeness", "fail")]
    await phoenix.delete(trace_id)
    assert await tool.read_assessments({trace_id: root_of(trace_id)}) == {}
    await tool.close()


async def test_a_wrong_key_is_told(phoenix: PhoenixClient) -> None:
    tool = PhoenixTool(phoenix.url, "other", phoenix.project)
    with pytest.raises(ToolRefusedError, match="refuses the key"):
        await tool.check()
    await tool.close()


async def _until_there(tool: PhoenixTool, trace_id: str) -> None:
    deadline = time.monotonic() + 60
    while not await tool.read_assessments({trace_id: root_of(trace_id)}):
        assert time.monotonic() < deadline, "the trace does not arrive"
        await asyncio.sleep(0.2)


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(url).raise_for_status()
        except httpx2.HTTPError:
            assert time.monotonic() < deadline, f"Phoenix's server did not start within {START_SECONDS} s"
            time.sleep(0.2)
        else:
            return
