"""Promises that hold of every tracing tool alike, on the small server of each.

A tool that is down stops nothing, is told, and is caught up with; what was forgotten stays away; what redaction takes
out is not written.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from aiohttp import web

from bot.cli.check import findings
from bot.config import Secrets
from bot.runtime.clock import DAY_MS, now_ms
from bot.sandbox import Workspace
from memalign.records import Json, TraceTarget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, settings_for
from tests.bot.connectors.fake_langfuse import KEYS, FakeLangfuse
from tests.bot.connectors.fake_langsmith import KEY, FakeLangsmith
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.fake_phoenix import FakePhoenix
from tests.bot.connectors.langsmith_client import LangsmithClient
from tests.bot.connectors.mlflow_client import MlflowClient
from tests.bot.connectors.phoenix_client import PhoenixClient, root_of

KEY_ENV = "TOOL_KEY"
TOOLS = ("mlflow", "phoenix", "langfuse", "langsmith")


class Server(Protocol):
    """A small server."""

    calls: list[str]
    failing: Callable[[web.Request], web.Response | None]

    @property
    def url(self) -> str:
        """The server's address."""
        ...

    async def start(self) -> None:
        """Listen."""
        ...

    async def stop(self) -> None:
        """Listen no more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tracing tool with its application."""

    kind: str
    title: str
    server: Server
    send: Callable[[int, int], Awaitable[str]]
    """Sends a trace of a number that began at a time; its id."""
    written: Callable[[str], Awaitable[Sequence[Json]]]
    """Returns all that stands at a trace."""
    remove: Callable[[str], Awaitable[None]]
    """Deletes a trace at the source."""
    renew: Callable[[], None]
    """Makes the project anew, under the same name."""
    key: str = ""

    def table(self, **keys: Json) -> dict[str, Json]:
        """Return a table of `[[connectors]]`."""
        place = "experiment" if self.kind == "mlflow" else "project"
        return {
            "type": self.kind,
            "url": self.server.url,
            place: "support",
            "poll_seconds": 1,
            "since": "2026-01-01T00:00:00Z",
            "api_key_env": KEY_ENV if self.key else "",
            **keys,
        }

    def beside(
        self, folder: Path, workspace: Workspace | None = None, *, follows: bool = False, **sections: Json
    ) -> AbstractAsyncContextManager[BotInWorkspace]:
        """Start the bot beside it."""
        connectors = [self.table(follow_deletions=follows)]
        return bot_in_workspace(folder, workspace=workspace, connectors=connectors, **sections)

    async def is_written(self, team: BotInWorkspace, trace_id: str, number: int) -> None:
        """Wait until so many assessments stand at a trace."""

        async def is_so() -> bool:
            return len(await self.written(trace_id)) == number

        await team.until_async(is_so, 60)


async def mlflow() -> Tool:
    server = FakeMlflow()
    await server.start()
    client = await MlflowClient.at(server.url)

    async def written(trace_id: str) -> list[Json]:
        return list(server.traces[trace_id]["assessments"])

    return Tool(
        kind="mlflow",
        title="MLflow",
        server=server,
        send=lambda number, start_ms: client.trace(number, start_ms=start_ms),
        written=written,
        remove=client.delete,
        renew=lambda: renew_mlflow(server),
    )


async def phoenix() -> Tool:
    server = FakePhoenix()
    await server.start()
    client = await PhoenixClient.at(server.url)

    async def written(trace_id: str) -> list[Json]:
        return [each for each in server.annotations if each["span_id"] == root_of(trace_id)]

    return Tool(
        kind="phoenix",
        title="Phoenix",
        server=server,
        # read once no span has come for a while
        send=lambda number, start_ms: client.trace(number, start_ms=min(start_ms, now_ms() - 20_000)),
        written=written,
        remove=client.delete,
        renew=lambda: server.projects.update(support="project-77"),
    )


async def langfuse() -> Tool:
    server = FakeLangfuse()
    await server.start()

    async def send(number: int, start_ms: int) -> str:
        server.trace(f"t-{number}", start_ms)
        return f"t-{number}"

    async def written(trace_id: str) -> list[Json]:
        return [each for each in server.scores.values() if each["traceId"] == trace_id]

    async def remove(trace_id: str) -> None:
        server.remove(trace_id)

    def renew() -> None:
        server.project_id = "p-77"
        for each in list(server.traces):
            server.remove(each)

    return Tool(
        kind="langfuse",
        title="Langfuse",
        server=server,
        send=send,
        written=written,
        remove=remove,
        renew=renew,
        key=KEYS,
    )


async def langsmith() -> Tool:
    server = FakeLangsmith()
    server.project("support")
    await server.start()
    client = LangsmithClient(server=server)

    async def written(trace_id: str) -> list[Json]:
        return [each for each in server.feedback.values() if each["run_id"] == trace_id]

    async def remove(trace_id: str) -> None:
        del server.runs[trace_id]

    return Tool(
        kind="langsmith",
        title="LangSmith",
        server=server,
        send=lambda _, start_ms: client.run(start_ms=start_ms),
        written=written,
        remove=remove,
        renew=lambda: server.projects.update(support="99999999-2222-3333-4444-555555555555"),
        key=KEY,
    )


def renew_mlflow(server: FakeMlflow) -> None:
    """Move to another server: an experiment of the same name has another id, and no trace."""
    server.experiments["support"] = "77"
    server.traces.clear()


MAKERS: dict[str, Callable[[], Awaitable[Tool]]] = {
    "mlflow": mlflow,
    "phoenix": phoenix,
    "langfuse": langfuse,
    "langsmith": langsmith,
}


@pytest.fixture(params=TOOLS)
async def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tool]:
    """Each tool, one after the other."""
    made = await MAKERS[request.param]()
    monkeypatch.setenv(KEY_ENV, made.key)
    yield made
    await made.server.stop()


async def test_a_tool_that_is_down_stops_nothing_and_is_told(tmp_path: Path, tool: Tool) -> None:
    trace_id = await tool.send(1, now_ms() - 5_000)
    async with tool.beside(tmp_path) as team:
        await team.card(trace_id)
        await tool.is_written(team, trace_id, 1)
        await tool.server.stop()
        told = f"{tool.kind} support (reading): {tool.title} cannot be reached"
        await team.until_async(lambda: team.tells(told), 30)
        status, body = await team.get("/readyz")
        assert (status, told in body) == (200, True)
        other = await team.show("sent-otherwise")
        team.react(other, "thumbsdown")
        await team.until(lambda: "sent-otherwise" in team.labels(), 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)
        await team.until_async(lambda: team.tells("1 assessment waits to be deleted there"), 30)
        await tool.server.start()
        await tool.is_written(team, trace_id, 0)
        await team.until_async(lambda: _is_well(team), 60)


async def _is_well(team: BotInWorkspace) -> bool:
    return not (await team.bot.status.read()).troubles


async def test_after_days_every_trace_has_one_card_and_what_was_forgotten_has_none(
    tmp_path: Path, tool: Tool
) -> None:
    first = await tool.send(1, now_ms() - 4 * DAY_MS)
    gone = await tool.send(2, now_ms() - 4 * DAY_MS + 1)
    async with tool.beside(tmp_path) as team:
        for trace_id in (first, gone):
            await team.card(trace_id)
        await team.bot.forgetting.forget(TraceTarget(trace_id=gone), team.ana.id)
        workspace = team.workspace
    late = [await tool.send(number, now_ms() - 3 * DAY_MS + number) for number in range(3, 43)]
    async with tool.beside(tmp_path, workspace) as team:
        database = team.bot.database
        for trace_id in late:
            await team.card(trace_id)
        assert await database.verdicts.count_of_judge("politeness") == 41
        assert not await database.traces.contains(gone)
        for trace_id in (first, *late):
            await tool.is_written(team, trace_id, 1)
        assert await tool.written(gone) == []


async def test_a_rate_limit_is_kept_by_reading_and_writing_alike(tmp_path: Path, tool: Tool) -> None:
    trace_id = await tool.send(1, now_ms() - 5_000)
    limited_at: list[int] = []
    asked_at: list[int] = []

    def limit(_: web.Request) -> web.Response | None:
        asked_at.append(now_ms())
        if limited_at:
            return None
        limited_at.append(now_ms())
        return web.json_response({}, status=429, headers={"Retry-After": "3"})

    async with tool.beside(tmp_path) as team:
        await team.card(trace_id)
        await tool.is_written(team, trace_id, 1)
        tool.server.failing = limit
        team.react(await team.card(trace_id), "thumbsup")
        await tool.is_written(team, trace_id, 2)
    # what the other part had sent already is on its way
    assert [at for at in asked_at if limited_at[0] + 100 < at < limited_at[0] + 2_900] == []


async def test_what_redaction_takes_out_is_not_written(tmp_path: Path, tool: Tool) -> None:
    trace_id = await tool.send(1, now_ms() - 5_000)
    redaction = {"patterns": ["AX-[0-9]{4}"]}
    async with tool.beside(tmp_path, redaction=redaction) as team:
        card = await team.card(trace_id)
        team.react(card, "thumbsdown")
        reply = team.reply(card, "It is rude: call +49 30 901820, or write to ana@example.com about AX-1234.")
        await tool.is_written(team, trace_id, 2)

        async def has_reason() -> bool:
            return "It is rude" in json.dumps(await tool.written(trace_id))

        await team.until_async(has_reason, 60)
        stands = json.dumps(await tool.written(trace_id))
        assert [each for each in ("901820", "ana@example.com", "AX-1234") if each in stands] == []
        team.workspace.edit(team.ana.id, card.channel, reply, "It is cold: see AX-9876.")

        async def has_changed() -> bool:
            return "It is cold" in json.dumps(await tool.written(trace_id))

        await team.until_async(has_changed, 60)
        assert "AX-9876" not in json.dumps(await tool.written(trace_id))


async def test_check_tells_what_is_wrong_of_each_and_never_the_key(tmp_path: Path, tool: Tool) -> None:
    place = "experiment" if tool.kind == "mlflow" else "project"

    async def words(table: dict[str, Json]) -> tuple[bool, str]:
        settings = settings_for(tmp_path, "C1", connectors=[table])
        lines = [each async for each in findings(settings, Secrets()) if each.what.startswith("connector ")]
        assert tool.key not in [part for part in lines[0].words.split() if tool.key]
        return lines[0].fine, lines[0].words

    assert await words(tool.table()) == (True, (await words(tool.table()))[1])
    is_fine, told = await words(tool.table(**{place: "suport"}))
    assert (is_fine, f"correct the connector's {place}" in told) == (False, True)
    tool.server.failing = lambda _: web.Response(status=401)
    is_fine, told = await words(tool.table())
    assert (is_fine, "api_key_env" in told) == (False, True)
    tool.server.failing = lambda _: web.Response(status=403, text="Invalid Host header")
    is_fine, told = await words(tool.table())
    assert (is_fine, "allow that host" in told) == (False, True)
    tool.server.failing = lambda _: web.Response(text="<html>", content_type="text/html")
    is_fine, told = await words(tool.table())
    assert (is_fine, "correct the connector's url" in told) == (False, True)
    await tool.server.stop()
    is_fine, told = await words(tool.table())
    assert (is_fine, "check that it runs, the network, and the connector's url" in told) == (False, True)


async def test_a_deletion_at_the_source_is_followed_where_so_set(tmp_path: Path, tool: Tool) -> None:
    gone, kept = [await tool.send(number, now_ms() - 5_000 + number) for number in (1, 2)]
    async with tool.beside(tmp_path, follows=True) as team:
        for trace_id in (gone, kept):
            await team.card(trace_id)
        await tool.remove(gone)
        await team.until_async(lambda: team.bot.database.traces.is_forgotten(gone), 60)
        assert await team.bot.database.traces.contains(kept)


async def test_no_trace_is_forgotten_because_its_project_was_made_anew(tmp_path: Path, tool: Tool) -> None:
    trace_id = await tool.send(1, now_ms() - 5_000)
    async with tool.beside(tmp_path, follows=True) as team:
        await team.card(trace_id)
        workspace = team.workspace
    tool.renew()
    tool.server.calls.clear()
    async with tool.beside(tmp_path, workspace, follows=True) as team:
        await team.until(lambda: len(tool.server.calls) >= 20, 60)
        assert await team.bot.database.traces.contains(trace_id)
