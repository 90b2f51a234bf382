"""The whole bot: no card, no model, no export and no file shows what is redacted."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.reading import export
from tests.bot.bot_in_workspace import bot_in_workspace, words
from tests.model_server import ModelServer, running_model_server
from tests.secrets import search

SECRETS = (
    "ana@example.org",
    "+49 30 1234567",
    "DE02120300000000202051",
    "4111 1111 1111 1111",
    "sk-live-51HxYz9abcDEF",
    "Sommer2024!",
)
PRIVATE = (
    f"I am {SECRETS[0]}, call {SECRETS[1]}. IBAN {SECRETS[2]}, card {SECRETS[3]}, "
    f"key {SECRETS[4]}, Passwort: {SECRETS[5]}"
)
REPLY = "An answer must never send people away; ask ben@example.org."
REMOTE_MEMORY = {"reflection_lm": "openai:/m", "embedding_model": "openai:/e", "embedding_dim": 32}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


async def test_secrets_of_a_trace_and_of_a_reply_reach_nothing(
    tmp_path: Path, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bot_in_workspace(tmp_path, judge={"model": "openai:/m"}, memory=REMOTE_MEMORY) as harness:
        trace = {"trace_id": "t", "inputs": {"q": PRIVATE}, "outputs": PRIVATE, "metadata": {"m": PRIVATE}}
        await harness.send(trace)
        card = await harness.card("t")
        shown = words(card.blocks, card.text)
        harness.react(card, "-1")
        harness.reply(card, REPLY)
        await harness.learned()
        (feedback,) = (await harness.feedback(card)).values()
    asked = json.dumps([call.body for call in server.calls], ensure_ascii=False)
    judge = '[[judges]]\nname="politeness"\nmodel="local:/cases"\ninstructions="{{ inputs }} {{ outputs }}"\n'
    config = tmp_path / "memalign.toml"
    config.write_text(f'[storage]\npath="store"\n{judge}', encoding="utf-8")
    await export(Namespace(config=config, judge=None, person=None, format="jsonl"))
    exported = capsys.readouterr().out
    assert [secret for secret in (*SECRETS, "ben@example.org") if secret in shown + asked + exported] == []
    assert "personal data removed" in shown
    assert feedback.rationale == "An answer must never send people away; ask [e-mail address]."
    assert len(server.of("chat")) >= 2
    assert search(tmp_path / "store", [*SECRETS, "ben@example.org"]).found == ()
