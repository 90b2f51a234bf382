"""Walks at a Phoenix, small or real: traces come in, verdicts and votes go out, votes there teach."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.runtime.clock import now_ms
from memalign.records import Json, TraceTarget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.connectors.both_ways import opinions, shown_and_answered
from tests.bot.connectors.phoenix_client import PhoenixClient

MODEL = "LLM local:/cases"
KEY_ENV = "PHOENIX_API_KEY"
WORDS = {True: "pass", False: "fail"}


def connected(
    folder: Path, phoenix: PhoenixClient, **keys: Json
) -> AbstractAsyncContextManager[BotInWorkspace]:
    """Start the bot beside a server."""
    table: dict[str, Json] = {
        "type": "phoenix",
        "url": phoenix.url,
        "project": phoenix.project,
        "api_key_env": KEY_ENV if phoenix.key else "",
        "poll_seconds": 1,
        "since": "2026-01-01T00:00:00Z",
    }
    sections = keys.pop("sections", {})
    return bot_in_workspace(folder, connectors=[{**table, **keys}], **sections)


async def until_at(
    team: BotInWorkspace, phoenix: PhoenixClient, trace_id: str, wanted: dict[str, Json]
) -> None:
    """Wait until exactly these labels stand at a trace, by kind and source."""

    async def is_so() -> bool:
        return await phoenix.by_source(trace_id) == wanted

    await team.until_async(is_so, 60)


async def verdict_words(team: BotInWorkspace) -> tuple[str, str]:
    """Return the label of the newest verdict, and the other one."""
    value = (await team.bot.database.verdicts.recent("politeness", 1))[0].verdict.value
    return WORDS[value is True], WORDS[value is not True]


async def walk_verdict_and_votes(folder: Path, phoenix: PhoenixClient) -> None:
    """A trace of the server gets a card; its verdict and each vote stand at the server as they stand in Slack."""
    trace_id = await phoenix.trace(1, start_ms=now_ms() - 20_000)
    async with connected(folder, phoenix) as team:
        card = await team.card(trace_id)
        label, other = await verdict_words(team)
        await until_at(team, phoenix, trace_id, {MODEL: label})
        team.react(card, "thumbsdown")
        team.reply(card, "It is rude, write to ana@example.com.")
        person = f"HUMAN {team.ana.id}"
        await until_at(team, phoenix, trace_id, {MODEL: label, person: other})

        async def has_reason() -> bool:
            said = [each["result"]["explanation"] or "" for each in await phoenix.annotations(trace_id)]
            return any("It is rude" in words and "ana@example.com" not in words for words in said)

        await team.until_async(has_reason, 60)
        trace = await team.bot.database.traces.get(trace_id)
        assert trace is not None
        assert (trace.inputs, trace.outputs) == ("Can you help me?", "Go away.")
        team.unreact(card, "thumbsdown")
        team.react(card, "thumbsup")
        await until_at(team, phoenix, trace_id, {MODEL: label, person: label})
        team.unreact(card, "thumbsup")
        team.react(card, "shrug")
        await until_at(team, phoenix, trace_id, {MODEL: label})


async def walk_votes_at_the_server(folder: Path, phoenix: PhoenixClient) -> None:
    """A vote given at the server teaches, also once it is changed or deleted there, and is never written back."""
    trace_id = await phoenix.trace(2, start_ms=now_ms() - 20_000)
    async with connected(folder, phoenix) as team:
        await team.card(trace_id)
        await phoenix.annotate(trace_id, label="no", by="zoe", name="Politeness", explanation="Cold & curt.")
        await team.until(lambda: team.labels() == {trace_id: False}, 60)
        await team.until(lambda: opinions(team) == {("phoenix:zoe", "Cold & curt.")}, 60)
        await phoenix.annotate(trace_id, score=1, by="zoe", name="Politeness", explanation="Fine after all.")
        await team.until(lambda: team.labels() == {trace_id: True}, 60)
        await team.learned()
        assert set(await phoenix.by_source(trace_id)) == {MODEL, "HUMAN zoe"}
        await phoenix.take_back(by="zoe", name="Politeness")
        await team.until(lambda: team.labels() == {}, 60)


async def walk_labels_without_cards(folder: Path, phoenix: PhoenixClient) -> None:
    """A label on a trace that no card shows teaches until it is deleted, and counts in no figure."""
    labelled = await phoenix.trace(5, start_ms=now_ms() - 60_000)
    others = [await phoenix.trace(number, start_ms=now_ms() - 50_000 + number) for number in (6, 7)]
    async with connected(folder, phoenix, sections={"sampling": {"rate": 0.0}}) as team:
        await phoenix.annotate(labelled, label="fail", by="zoe", explanation="Cold & curt.")
        await phoenix.annotate(others[0], label="fail", by="zoe", name="another judge's")
        await team.until(lambda: team.labels() == {labelled: False}, 60)
        assert opinions(team) == {("phoenix:zoe", "Cold & curt.")}
        await team.learned()
        assert (await shown_and_answered(team), team.shown(labelled)) == ((0, 0), None)
        await phoenix.take_back(by="zoe")
        await team.until(lambda: team.labels() == {}, 60)
        assert not any([await team.bot.database.traces.contains(each) for each in others])


async def walk_forgetting(folder: Path, phoenix: PhoenixClient) -> None:
    """Forgotten annotations are deleted at the server, which keeps what others wrote, and is not read again."""
    trace_id = await phoenix.trace(3, start_ms=now_ms() - 20_000)
    async with connected(folder, phoenix) as team:
        card = await team.card(trace_id)
        await phoenix.annotate(trace_id, label="fail", by="zoe", explanation="Rude.")
        team.react(card, "thumbsup")
        await team.until(lambda: trace_id in team.labels(), 60)

        async def is_written() -> bool:
            return len(await phoenix.annotations(trace_id)) == 3

        await team.until_async(is_written, 60)
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)
        await until_at(team, phoenix, trace_id, {"HUMAN zoe": "fail"})
        marker = await phoenix.trace(4, start_ms=now_ms() - 10_000)
        await team.card(marker)
        assert not await team.bot.database.traces.contains(trace_id)
        assert trace_id not in team.labels()
