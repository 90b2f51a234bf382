"""Words and secrets that must not leave by the status, the log or the terminal."""

import asyncio
import json
import logging
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.cli.logs import TextFormatter, is_worth_a_line
from bot.cli.reading import export, guidelines
from bot.config import Secrets
from memalign.errors import SettingsError
from memalign.models import check_key
from storage.database import Database
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.ingest.trace_server import trace_server
from tests.model_server import Fault, ModelServer, running_model_server

PROMPT_WORDS = "the Falcon takeover"
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


@pytest.mark.parametrize("status", [400, 413, 422, 401, 404])
async def test_a_provider_that_quotes_the_prompt_is_quoted_nowhere(
    tmp_path: Path, server: ModelServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    body = json.dumps({"error": {"message": f"blocked by the content filter: {PROMPT_WORDS}"}})
    server.faults.extend([Fault(status=status, body=body)] * 100)
    caplog.set_level(logging.DEBUG, logger="memalign")
    async with bot_in_workspace(tmp_path, judge={"model": "openai:/m"}, memory=LOCAL_MEMORY) as harness:
        await harness.send({"trace_id": "t", "inputs": PROMPT_WORDS, "outputs": "a"})
        await harness.until_async(lambda: harness.tells("openai:/m"))
        _, ready = await harness.get("/readyz")
        answer = "\n".join(await harness.asked(harness.ben, "status"))
    assert f"({status})" in ready
    assert f"({status})" in answer
    own = [record for record in caplog.records if record.name.startswith(("bot", "memalign", "storage"))]
    lines = [record.getMessage() for record in own]
    assert [text for text in (ready, answer, *lines) if PROMPT_WORDS in text] == []
    assert any(f"status {status}" in line for line in lines)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_BASE_URL", "https://ana:hunter2@models.example/v1"),
        ("ANTHROPIC_BASE_URL", "https://hunter2@models.example"),
        ("OPENAI_BASE_URL", "hunter2"),
        ("OPENAI_BASE_URL", "https://[hunter2"),
        ("OPENAI_BASE_URL", "ftp://models.example/hunter2"),
        ("SLACK_API_URL", "https://ana:hunter2@slack.example/api/"),
        ("SLACK_API_URL", "slack.example/hunter2"),
    ],
)
def test_an_address_that_may_hold_a_password_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    read: Callable[[], object] = Secrets.from_environment
    if variable != "SLACK_API_URL":
        read = partial(check_key, f"{variable.partition('_')[0].lower()}:/m")
    with pytest.raises(SettingsError, match=variable) as error:
        read()
    assert "hunter2" not in str(error.value)


async def test_the_log_holds_nothing_of_a_request_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with trace_server(tmp_path, token="s3cret-token") as server:
        port = int(server.server.url.rsplit(":", 1)[1])
        for head in (
            "Authorization: Bearer s3cret-token" + "x" * 20_000,
            "s3cret-token without a colon",
            "X-\x00s3cret-token: a",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"POST /traces HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
            assert b" 400 " in await reader.readline()
            writer.close()
    assert "s3cret-token" not in caplog.text
    assert "cannot read it" in caplog.text


@pytest.mark.parametrize(
    ("name", "level", "written"),
    [
        ("bot.judging.worker", logging.INFO, True),
        ("memalign.models.endpoint", logging.INFO, True),
        ("httpx", logging.INFO, False),
        ("httpx2", logging.INFO, False),
        ("openai._base_client", logging.DEBUG, False),
        ("slack_bolt.AsyncApp", logging.INFO, False),
        ("aiohttp.access", logging.INFO, False),
        ("slack_sdk", logging.WARNING, True),
    ],
)
def test_libraries_are_heard_from_warnings_on(name: str, level: int, written: bool) -> None:
    record = logging.LogRecord(name, level, __file__, 1, "words", (), None)
    assert is_worth_a_line(record) is written


def test_a_message_of_the_log_is_one_line_that_steers_no_terminal() -> None:
    record = logging.LogRecord(
        "bot", logging.WARNING, __file__, 1, "trace %s waits", ("t\x1b[2J\n2026 ERROR forged\u202e",), None
    )
    line = TextFormatter("%(levelname)s %(message)s").format(record)
    assert line == "WARNING trace t[2J 2026 ERROR forged waits"


async def test_the_terminal_shows_no_control_characters_and_an_export_is_exact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "An answer must never\x9b31m send \x1b[31mpeople\u202e away."
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-\u05d0")
        harness.react(card, "-1")
        harness.reply(card, reason)
        await harness.learned()
        (rule,) = harness.rules()
    judges = (
        '[[judges]]\nname="politeness"\nmodel="local:/cases"\ninstructions="{{ inputs }} {{ outputs }}"\n'
    )
    memory = (
        '[memory]\nreflection_lm="local:/extract"\nembedding_model="local:/wordllama"\nembedding_dim=256\n'
    )
    config = tmp_path / "memalign.toml"
    config.write_text(f'[storage]\npath="store"\n{memory}{judges}', encoding="utf-8")
    await guidelines(Namespace(config=config, judge=None))
    shown = capsys.readouterr().out
    assert not set("\x1b\x9b\u202e") & set(shown)
    assert "\u2068tr-\u05d0\u2069" in shown
    await export(Namespace(config=config, judge=None, person=None, format="jsonl"))
    lines = capsys.readouterr().out
    assert not set("\x1b\x9b\u202e") & set(lines)
    documents = [json.loads(line) for line in lines.splitlines()]
    assert rule in [document.get("text") for document in documents]
    assert reason in [document.get("rationale") for document in documents]
    async with await Database.open(tmp_path / "store", read_only=True) as database:
        assert await database.traces.get("tr-\u05d0") is not None
