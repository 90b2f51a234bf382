"""Rules of what is read from a tracking server, and of what is written there."""

from pathlib import Path

import pytest
from aiohttp import web

from bot.cli.check import findings
from bot.config import ConnectorSettings, Secrets
from bot.connectors.errors import ToolRefusedError, ToolUnavailableError
from bot.connectors.kinds import open_tool
from bot.connectors.tool_client import ToolClient, authorization
from bot.runtime.clock import DAY_MS, now_ms
from bot.runtime.retry_after import retry_after_seconds
from memalign.errors import SettingsError
from memalign.records import PersonLabel, PersonTarget
from tests.bot.bot_in_workspace import BotInWorkspace, settings_for
from tests.bot.connectors.both_ways import MODEL, connected, connector, until_at
from tests.bot.connectors.fake_mlflow import FakeMlflow
from tests.bot.connectors.mlflow_client import MlflowClient


async def test_votes_without_a_value_are_not_written(tmp_path: Path, small: MlflowClient) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    scores = {"judge": {"feedback_value_type": "int", "range": [1, 5]}}
    async with connected(tmp_path, small, sections=scores) as team:
        card = await team.card(trace_id)
        verdict = (await team.bot.database.verdicts.recent("politeness", 1))[0].verdict
        team.react(card, "thumbsdown")
        team.react(card, "shrug", by=team.ben)
        await team.learned()
        await until_at(team, small, trace_id, {MODEL: verdict.value})
        right = 1 if verdict.value != 1 else 2
        team.reply(card, f"{right}: too cold")
        wanted = {MODEL: verdict.value, f"HUMAN {team.ana.id}": right}
        await until_at(team, small, trace_id, wanted)


async def test_a_verdict_that_its_card_does_not_show_yet_is_not_written(
    tmp_path: Path, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    blind = {"sampling": {"rate": 1.0, "max_per_day": 100, "blind": 1.0}}
    async with connected(tmp_path, small, sections=blind) as team:
        card = await team.card(trace_id)
        marker = await small.trace(2, start_ms=now_ms())
        await team.card(marker)
        assert await small.assessments(trace_id) == []
        verdict = (await team.bot.database.verdicts.of_trace(trace_id))[0].verdict
        team.react(card, "thumbsup")
        await until_at(team, small, trace_id, {MODEL: verdict.value, f"HUMAN {team.ana.id}": True})


async def test_without_write_back_traces_and_votes_are_read_and_nothing_is_written(
    tmp_path: Path, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small, write_back=False) as team:
        card = await team.card(trace_id)
        team.react(card, "thumbsup")
        await small.assess(trace_id, False, by="zoe")
        await team.until(lambda: {each.person for each in _opinions(team)} == {"mlflow:zoe", team.ana.id}, 30)
        assert await small.by_source(trace_id) == {"HUMAN zoe": False}


def _opinions(team: BotInWorkspace) -> list[PersonLabel]:
    episodes = team.bot.memories["politeness"].episodes.values()
    return [each for episode in episodes for each in (*episode.opinions, *episode.minority)]


async def test_what_a_person_said_is_deleted_at_the_server_when_they_are_forgotten(
    tmp_path: Path, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small) as team:
        card = await team.card(trace_id)
        verdict = (await team.bot.database.verdicts.recent("politeness", 1))[0].verdict
        team.react(card, "thumbsup")
        ana = {f"HUMAN {team.ana.id}": verdict.value}
        await until_at(team, small, trace_id, {MODEL: verdict.value, **ana})
        await team.bot.forgetting.forget(PersonTarget(person=team.ana.id), team.ana.id)
        await until_at(team, small, trace_id, {MODEL: verdict.value})
        vote = await small.assess(trace_id, False, by="zoe", rationale="Rude.")
        await team.until(lambda: trace_id in team.labels(), 30)
        await team.bot.forgetting.forget(PersonTarget(person="mlflow:zoe"), None)
        assert trace_id not in team.labels()
        marker = await small.trace(2, start_ms=now_ms())
        await team.card(marker)
        assert trace_id not in team.labels()
        assert vote in {each["assessment_id"] for each in await small.assessments(trace_id)}


async def test_a_verdicts_reason_is_written_without_what_redaction_takes_out(
    tmp_path: Path, small: MlflowClient
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small) as team:
        await team.card(trace_id)
        [stored] = await team.bot.database.verdicts.of_trace(trace_id)
        # as a model may word it that guesses, or was told by a rule
        reason = "It should name ana@example.com and +49 30 901820."
        await team.bot.database.verdicts.redact(stored.verdict_id, reason)

        async def is_rewritten() -> bool:
            return any("It should name" in each["rationale"] for each in await small.assessments(trace_id))

        await team.until_async(is_rewritten, 30)
        [written] = await small.assessments(trace_id)
        assert [each for each in ("ana@example.com", "901820") if each in written["rationale"]] == []


@pytest.mark.parametrize("follows", [True, False])
async def test_a_trace_deleted_at_the_server_is_forgotten_here_if_so_set(
    tmp_path: Path, small: MlflowClient, follows: bool
) -> None:
    trace_id = await small.trace(1, start_ms=now_ms() - 5_000)
    async with connected(tmp_path, small, follow_deletions=follows) as team:
        await team.card(trace_id)
        await small.delete(trace_id)
        await team.card(await small.trace(2, start_ms=now_ms()))
        await team.card(await small.trace(3, start_ms=now_ms()))
        if follows:
            await team.until_async(lambda: team.bot.database.traces.is_forgotten(trace_id), 30)
        assert await team.bot.database.traces.contains(trace_id) is not follows


async def test_without_since_only_traces_from_the_first_start_on_are_read(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    earlier = await small.trace(1, start_ms=now_ms() - DAY_MS)
    async with connected(tmp_path, small, since=None) as team:
        await team.until(lambda: any("search" in call for call in fake_mlflow.calls), 30)
        later = await small.trace(2, start_ms=now_ms())
        await team.card(later)
        assert not await team.bot.database.traces.contains(earlier)


async def test_a_run_that_goes_on_is_read_once_it_is_finished_with_spans_from_where_they_are(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    running = await small.trace(1, start_ms=now_ms() - 3 * 3600 * 1000)
    fake_mlflow.traces[running]["state"] = "IN_PROGRESS"
    # clients of MLflow keep spans among the artifacts by default
    fake_mlflow.traces[running]["tags"] = {}
    async with connected(tmp_path, small) as team:
        await team.card(await small.trace(2, start_ms=now_ms()))
        assert not await team.bot.database.traces.contains(running)
        fake_mlflow.traces[running]["state"] = "OK"
        await team.card(running)
        stored = await team.bot.database.traces.get(running)
        assert stored is not None
        assert (stored.inputs, stored.outputs) == ("Can you help me?", "Go away.")


def test_settings_that_cannot_work_are_refused_in_a_sentence(tmp_path: Path) -> None:
    table = {"type": "mlflow", "url": "https://mlflow.example.com", "experiment": "support"}
    wrong = {
        "judges": {**table, "judges": ["politness"]},
        "url": {**table, "url": "mlflow.example.com"},
        "experiment": {"type": "mlflow", "url": "https://mlflow.example.com"},
        "type": {**table, "type": "tracer"},
        "since": {**table, "since": "yesterday"},
        "token": {**table, "token": "abc"},
        "queue": {**table, "queue": "review"},
        "password": {**table, "url": "https://ana:hunter2@mlflow.example.com"},
        "not the key itself": {**table, "api_key_env": "sk-hunter2"},
    }
    for word, connectors in wrong.items():
        with pytest.raises(SettingsError, match=word) as refusal:
            settings_for(tmp_path, "C1", connectors=[connectors])
        assert "hunter2" not in str(refusal.value)
    with pytest.raises(SettingsError, match="two connectors"):
        settings_for(tmp_path, "C1", connectors=[table, table])


def test_a_key_that_is_not_set_is_named() -> None:
    settings = ConnectorSettings(
        type="mlflow", url="https://mlflow.example.com", experiment="support", api_key_env="MY_TOKEN"
    )
    with pytest.raises(SettingsError, match="MY_TOKEN is missing"):
        open_tool(settings, {})


async def test_check_tries_each_connector(
    tmp_path: Path, fake_mlflow: FakeMlflow, small: MlflowClient
) -> None:
    other = {**connector(small), "experiment": "sales"}
    settings = settings_for(tmp_path, "C1", connectors=[connector(small), other])
    lines = {each.what: each async for each in findings(settings, Secrets())}
    found = lines["connector mlflow support"]
    assert (found.fine, found.words) == (True, 'experiment "support" has the id 1')
    missing = lines["connector mlflow sales"]
    assert (missing.fine, "correct the connector's experiment" in missing.words) == (False, True)
    await fake_mlflow.stop()
    lines = {each.what: each async for each in findings(settings, Secrets())}
    assert "MLflow cannot be reached" in lines["connector mlflow support"].words


@pytest.mark.parametrize(
    ("variable", "key", "words"),
    [
        ("lsv2_pt_hunter2", "", "The variable that api_key_env names is missing"),
        ("MY_TOKEN", "hunter2\nhunter2", "MY_TOKEN holds characters that no key has"),
        ("MY_TOKEN", "hünter2", "MY_TOKEN holds characters that no key has"),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused_and_never_shown(variable: str, key: str, words: str) -> None:
    settings = ConnectorSettings(
        type="mlflow", url="https://mlflow.example.com", experiment="support", api_key_env=variable
    )
    with pytest.raises(SettingsError, match=words) as refusal:
        open_tool(settings, {variable: key})
    assert "nter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "answer", "key", "words"),
    [
        (401, "", "", "asks for a key (401); name its variable by the connector's api_key_env"),
        (403, "", "hunter2", "refuses the key (403); check the variable named by api_key_env"),
        (403, "Invalid Host header - possible DNS rebinding attack", "", "--allowed-hosts"),
        (400, "Invalid host header", "hunter2", "refuses the name in the connector's url (400)"),
        (
            400,
            '{"message": "no user ana with hunter2 (YW5hOmh1bnRlcjI=)"}',
            "ana:hunter2",
            "no user … with … (…)",
        ),
        (302, "", "hunter2", "sends to another address (302); correct the connector's url"),
        (200, "<html>", "hunter2", "something else than JSON; correct the connector's url"),
    ],
)
async def test_a_refusal_tells_the_remedy_and_never_the_key(
    fake_mlflow: FakeMlflow, status: int, answer: str, key: str, words: str
) -> None:
    fake_mlflow.failing = lambda _: web.Response(status=status, text=answer)
    client = ToolClient("MLflow", fake_mlflow.url, key)
    with pytest.raises(ToolRefusedError) as refusal:
        await client.call("GET", "/version")
    await client.close()
    assert words in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7", "X-RateLimit-Reset": "99"}, 7),
        ({"X-RateLimit-Reset": "7"}, 7),
        ({"X-RateLimit-Reset": "in 1000 s"}, 1000),
        ({"X-RateLimit-Reset": "2999-01-01T00:00:00Z"}, 3600),
        ({}, 0),
    ],
)
async def test_a_tool_that_asks_to_wait_is_sent_nothing_meanwhile(
    fake_mlflow: FakeMlflow, headers: dict[str, str], seconds: int
) -> None:
    moment = str(now_ms() // 1000 + 1000)
    sent = {name: value.replace("in 1000 s", moment) for name, value in headers.items()}
    fake_mlflow.failing = lambda _: web.Response(status=429, headers=sent)
    client = ToolClient("MLflow", fake_mlflow.url, "")
    for _ in range(2):
        with pytest.raises(ToolUnavailableError) as refusal:
            await client.call("GET", "/version")
    await client.close()
    assert len(fake_mlflow.calls) == (1 if seconds else 2)
    assert seconds - 120 <= refusal.value.retry_after <= seconds


def test_a_key_is_sent_as_it_is_meant() -> None:
    assert authorization("abc") == {"Authorization": "Bearer abc"}
    assert authorization("ana:pass") == {"Authorization": "Basic YW5hOnBhc3M="}
    assert authorization("") == {}


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after_seconds("2.5") == 2.5
    assert retry_after_seconds(None) == 0.0
    assert retry_after_seconds("soon") == 0.0
    assert retry_after_seconds("Fri, 31 Dec 1999 23:59:59 GMT") == 0.0


def test_the_address_of_a_connector_loses_its_last_slash(tmp_path: Path) -> None:
    mlflow = MlflowClient(url="https://mlflow.example.com/", experiment="support", experiment_id="1")
    settings = settings_for(tmp_path, "C1", connectors=[connector(mlflow)])
    assert settings.connectors[0].url == "https://mlflow.example.com"
