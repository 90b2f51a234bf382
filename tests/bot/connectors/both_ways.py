"""Walks of a tracking server, small or real: traces come in, verdicts and votes go out, votes there teach."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.reports.digest import read_answered_week
from bot.runtime.clock import from_ms, now_ms, week_of
from memalign.records import Json, TraceTarget
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.connectors.mlflow_client import MlflowClient, export

MODEL = "LLM_JUDGE local:/cases"


def connector(mlflow: MlflowClient, **keys: Json) -> dict[str, Json]:
    """Return a table of `[[connectors]]`."""
    table = {"type": "mlflow", "url": mlflow.url, "experiment": mlflow.experiment, "poll_seconds": 1}
    keys = {"since": "2026-01-01T00:00:00Z", **keys}
    return {**table, **{name: value for name, value in keys.items() if value is not None}}


def connected(
    folder: Path, mlflow: MlflowClient, **keys: Json
) -> AbstractAsyncContextManager[BotInWorkspace]:
    """Start the bot beside a server."""
    workspace = keys.pop("workspace", None)
    sections = keys.pop("sections", {})
    return bot_in_workspace(folder, workspace=workspace, connectors=[connector(mlflow, **keys)], **sections)


async def until_at(
    team: BotInWorkspace, mlflow: MlflowClient, trace_id: str, wanted: dict[str, Json]
) -> None:
    """Wait until exactly these values stand at a trace, by kind and id of their source."""

    async def is_so() -> bool:
        return await mlflow.by_source(trace_id) == wanted

    await team.until_async(is_so, 30)


def opinions(team: BotInWorkspace) -> set[tuple[str, str]]:
    """Return who says what in the judge's memory."""
    episodes = team.bot.memories["politeness"].episodes.values()
    return {(each.person, each.rationale) for episode in episodes for each in episode.opinions}


async def walk_verdict_and_votes(folder: Path, mlflow: MlflowClient) -> None:
    """A trace of the server gets a card; its verdict and each vote stand at the server as they stand in Slack."""
    trace_id = await mlflow.trace(1, start_ms=now_ms() - 5_000)
    async with connected(folder, mlflow) as team:
        card = await team.card(trace_id)
        stored = await team.bot.database.verdicts.by_card(card.channel, card.ts)
        verdict = (await team.bot.database.verdicts.recent("politeness", 1))[0].verdict
        await until_at(team, mlflow, trace_id, {MODEL: verdict.value})
        team.react(card, "thumbsdown")
        team.reply(card, "It is rude, write to ana@example.com.")
        person = f"HUMAN {team.ana.id}"
        await until_at(team, mlflow, trace_id, {MODEL: verdict.value, person: not verdict.value})
        await team.learned()

        async def has_reason() -> bool:
            return any(
                "It is rude" in each.get("rationale", "") for each in await mlflow.assessments(trace_id)
            )

        await team.until_async(has_reason, 30)
        [vote] = [
            each for each in await mlflow.assessments(trace_id) if each["source"]["source_id"] == team.ana.id
        ]
        assert "ana@example.com" not in vote["rationale"]
        assert vote["assessment_name"] == "politeness"
        team.unreact(card, "thumbsdown")
        team.react(card, "thumbsup")
        await until_at(team, mlflow, trace_id, {MODEL: verdict.value, person: verdict.value})
        [changed] = [
            each for each in await mlflow.assessments(trace_id) if each["source"]["source_id"] == team.ana.id
        ]
        assert changed["assessment_id"] == vote["assessment_id"]
        team.react(card, "shrug", by=team.ben)
        team.unreact(card, "thumbsup")
        await until_at(team, mlflow, trace_id, {MODEL: verdict.value})
        assert stored is None or stored.verdict.value == verdict.value


async def walk_votes_at_the_server(folder: Path, mlflow: MlflowClient) -> None:
    """A vote given at the server teaches, also once it is changed or deleted there, and is never written back."""
    trace_id = await mlflow.trace(2, start_ms=now_ms() - 5_000)
    async with connected(folder, mlflow) as team:
        await team.card(trace_id)
        vote = await mlflow.assess(trace_id, "no", by="zoe", name="Politeness", rationale="Cold & curt.")
        await team.until(lambda: team.labels() == {trace_id: False}, 30)
        await team.until(lambda: opinions(team) == {("mlflow:zoe", "Cold & curt.")}, 30)
        await mlflow.change(trace_id, vote, True, "Fine after all.")
        await team.until(lambda: team.labels() == {trace_id: True}, 30)
        await team.learned()
        assert set(await mlflow.by_source(trace_id)) == {MODEL, "HUMAN zoe"}
        await mlflow.take_back(trace_id, vote)
        await team.until(lambda: team.labels() == {}, 30)
        again = await mlflow.assess(trace_id, False, by="zoe", rationale="No, it is rude.")
        await team.until(lambda: team.labels() == {trace_id: False}, 30)
        assert again != vote


async def walk_correction_at_the_server(folder: Path, mlflow: MlflowClient) -> None:
    """A verdict that somebody edits at the server is a vote of theirs, which stays when the trace is forgotten here."""
    trace_id = await mlflow.trace(3, start_ms=now_ms() - 5_000)
    async with connected(folder, mlflow) as team:
        card = await team.card(trace_id)
        [verdict] = await team.bot.database.verdicts.of_trace(trace_id)
        await until_at(team, mlflow, trace_id, {MODEL: verdict.verdict.value})
        correction = await mlflow.correct(trace_id, False, "Cold & curt.")
        await team.until(lambda: team.labels() == {trace_id: False}, 30)
        await team.until(lambda: opinions(team) == {("mlflow:default", "Cold & curt.")}, 30)
        await team.until(lambda: any("default (MLflow)" in text for text in team.thread(card)), 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)

        async def only_the_correction_stands() -> bool:
            return [each["assessment_id"] for each in await mlflow.assessments(trace_id)] == [correction]

        await team.until_async(only_the_correction_stands, 30)


async def walk_deletion_at_the_source(folder: Path, mlflow: MlflowClient) -> None:
    """A trace that is deleted at the server is forgotten here, and another one is not."""
    gone, kept = [await mlflow.trace(number, start_ms=now_ms() - 5_000) for number in (41, 42)]
    async with connected(folder, mlflow, follow_deletions=True) as team:
        for trace_id in (gone, kept):
            await team.card(trace_id)
        await mlflow.delete(gone)
        await team.until_async(lambda: team.bot.database.traces.is_forgotten(gone), 60)
        assert await team.bot.database.traces.contains(kept)


async def walk_two_ways_in(folder: Path, mlflow: MlflowClient) -> None:
    """A trace that the application also sends to the bot is one trace, whichever way it comes first."""
    start_ms = now_ms() - 5_000
    async with connected(folder, mlflow, sections={"ingest": {"port": 0, "quiet_seconds": 0.2}}) as team:
        sent = await export(team.bot.url, 21, start_ms=start_ms)
        card = await team.card(sent)
        listed = await mlflow.trace(21, start_ms=start_ms)
        [stored] = await team.bot.database.verdicts.of_trace(sent)
        await until_at(team, mlflow, listed, {MODEL: stored.verdict.value})
        team.react(card, "thumbsup")
        both = {MODEL: stored.verdict.value, f"HUMAN {team.ana.id}": stored.verdict.value}
        await until_at(team, mlflow, listed, both)
        await mlflow.assess(listed, False, by="zoe", rationale="Cold & curt.")
        await team.until(lambda: ("mlflow:zoe", "Cold & curt.") in opinions(team), 30)

        listed_first = await mlflow.trace(22, start_ms=now_ms())
        await team.card(listed_first)
        await export(team.bot.url, 22, start_ms=now_ms())
        await team.card(await export(team.bot.url, 23, start_ms=now_ms()))
        assert await team.bot.database.verdicts.count_of_judge("politeness") == 3

        await team.bot.forgetting.forget(await team.bot.forgetting.references.resolve([listed]), team.ana.id)
        await until_at(team, mlflow, listed, {"HUMAN zoe": False})
        assert await export(team.bot.url, 21, start_ms=start_ms) == sent
        await team.card(await export(team.bot.url, 24, start_ms=now_ms()))
        assert not await team.bot.database.traces.contains(sent)
        assert not await team.bot.database.traces.contains(listed)


async def walk_labels_without_cards(folder: Path, mlflow: MlflowClient) -> None:
    """Labels on traces that no card shows teach like any other, change and go as they do, and count in no figure."""
    labelled = await mlflow.trace(5, start_ms=now_ms() - 60_000)
    others = [await mlflow.trace(number, start_ms=now_ms() - 50_000 + number) for number in range(6, 9)]
    async with connected(folder, mlflow, sections={"sampling": {"rate": 0.0}}) as team:
        vote = await mlflow.assess(labelled, False, by="zoe", rationale="Cold & curt.")
        await team.until(lambda: team.labels() == {labelled: False}, 60)
        assert opinions(team) == {("mlflow:zoe", "Cold & curt.")}
        [stored] = await team.bot.database.verdicts.of_trace(labelled)
        await until_at(team, mlflow, labelled, {MODEL: stored.verdict.value, "HUMAN zoe": False})
        await mlflow.change(labelled, vote, True, "Fine after all.")
        await team.until(lambda: team.labels() == {labelled: True}, 60)
        await team.learned()
        assert await shown_and_answered(team) == (0, 0)
        assert team.shown(labelled) is None
        await mlflow.take_back(labelled, vote)
        await team.until(lambda: team.labels() == {}, 60)
        assert not any([await team.bot.database.traces.contains(each) for each in others])


async def shown_and_answered(team: BotInWorkspace) -> tuple[int, int]:
    """Return the week's cards and answered verdicts, as the digest counts them."""
    settings = team.bot.resources.settings
    week = week_of(from_ms(now_ms(), settings.digest.zone).date())
    value_type = team.bot.memories["politeness"].definition.value_type
    answered = await read_answered_week(
        team.bot.database, "politeness", value_type, week, settings.digest.zone
    )
    return answered.figures.shown, len(answered.verdicts)


async def walk_forgetting(folder: Path, mlflow: MlflowClient) -> None:
    """Forget a trace: ours is deleted at the server, which keeps what others wrote, and is not read again."""
    trace_id = await mlflow.trace(3, start_ms=now_ms() - 5_000)
    async with connected(folder, mlflow) as team:
        card = await team.card(trace_id)
        await mlflow.assess(trace_id, False, by="zoe", rationale="Rude.")
        team.react(card, "thumbsup")
        await team.until(lambda: trace_id in team.labels(), 30)

        async def is_written() -> bool:
            return len(await mlflow.assessments(trace_id)) == 3

        await team.until_async(is_written, 30)
        await team.bot.forgetting.forget(TraceTarget(trace_id=trace_id), team.ana.id)
        await until_at(team, mlflow, trace_id, {"HUMAN zoe": False})
        marker = await mlflow.trace(4, start_ms=now_ms())
        await team.card(marker)
        assert not await team.bot.database.traces.contains(trace_id)
        assert trace_id not in team.labels()
