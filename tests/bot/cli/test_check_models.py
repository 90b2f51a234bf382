"""`memalign check` tries each model where its options say, and names options that nothing uses."""

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.model_server import running_model_server


def test_each_model_is_tried_at_its_own_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/api/")
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "memalign.toml"
    with running_model_server() as first, running_model_server() as second:
        file.write_text(
            f"""
[memory]
reflection_lm = "mistral:/m"
embedding_model = "ollama:/e"
embedding_dim = 32
[[judges]]
name = "politeness"
channel = "C0123456789"
model = "openai:/m"
instructions = "Is it polite? {{{{ inputs }}}}"
[models."openai:/m"]
base_url = "{first.url}/v1"
[models."mistral:/m"]
base_url = "{second.url}/v1"
[models."ollama:/e"]
base_url = "{second.url}"
[models."openai:/mm"]
timeout_seconds = 5
""",
            encoding="utf-8",
        )
        with pytest.raises(SystemExit):
            main(["check", "--config", str(file)])
        calls = [[call.kind for call in server.calls] for server in (first, second)]
    lines = capsys.readouterr().out.splitlines()

    assert "ok    judge politeness with openai:/m: answers" in lines
    assert "ok    reflection model mistral:/m: answers" in lines
    assert "ok    embedding model ollama:/e: 32 dimensions" in lines
    assert [line.partition(":/")[2] for line in lines if line.startswith("ok    options of")] == [
        "mm: no judge and no memory uses this model; correct the name if it is meant for one that does"
    ]
    assert calls == [["chat"], ["embeddings", "chat"]]


STRONG = "An answer to a friend begins with Hi."
ECHOES = (
    ["one sentence"],
    ["text records rules"],
    ["Is it polite?"],
    ["The answer greets back."],
    ["Good"],
    [STRONG, "one sentence"],
)


@pytest.mark.parametrize(
    ("drafts", "words"),
    [
        *((drafts, "it answers, but repeats the example; choose a stronger model") for drafts in ECHOES),
        ([STRONG], "answers"),
        ([], "answers"),
    ],
)
def test_a_reflection_model_that_repeats_what_it_was_shown_is_told(
    drafts: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/api/")
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    lesson = {
        "guidelines": [{"text": text, "records": [0]} for text in drafts],
        "supports": [], "contradicts": [], "same": [],
    }  # fmt: skip
    file = tmp_path / "memalign.toml"
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        server.answers.extend([json.dumps(lesson)] * 2)
        file.write_text(
            """
[memory]
reflection_lm = "openai:/weak"
embedding_model = "local:/wordllama"
embedding_dim = 256
[[judges]]
name = "politeness"
channel = "C0123456789"
model = "local:/cases"
instructions = "Is it polite? {{ inputs }}"
""",
            encoding="utf-8",
        )
        with pytest.raises(SystemExit):
            main(["check", "--config", str(file)])

    line = next(line for line in capsys.readouterr().out.splitlines() if "reflection model" in line)
    assert line.endswith(f"reflection model openai:/weak: {words}")
