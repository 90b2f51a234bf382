"""Commands write UTF-8 whatever the locale, and half an emoji stops nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.cli.test_cli import SETTINGS
from tests.model_server import ModelServer, running_model_server

WORDS = "Für „Ana“: 日本 😀"
HALF = "half \ud83d"
LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii-strict": {"PYTHONIOENCODING": "ascii:strict"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "cp1252": {"PYTHONIOENCODING": "cp1252", "LC_ALL": "C"},
}
JUDGE = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "politeness"
model = "MODEL"
instructions = "Polite? – {{ inputs }} {{ outputs }}"
"""


async def run(folder: Path, locale: str, *arguments: str, **more: str) -> tuple[int, str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[3]), **LOCALES[locale], **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return process.returncode or 0, out.decode("utf-8"), err.decode("utf-8")


def write(file: Path, *lines: object) -> None:
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def feedback(trace_id: str, outputs: str, rationale: str, *, label: bool = False) -> dict[str, object]:
    line = {"trace_id": trace_id, "judge": "politeness", "inputs": WORDS, "outputs": outputs, "label": label}
    return {**line, "rationale": rationale, "annotator": "ána"}


@pytest.mark.parametrize("locale", LOCALES)
async def test_batch_commands_write_utf8(tmp_path: Path, locale: str) -> None:
    (tmp_path / "judge.toml").write_text(JUDGE.replace("MODEL", "local:/cases"), encoding="utf-8")
    write(
        tmp_path / "feedback.jsonl",
        feedback("tr-ü", HALF, f"Never write {HALF} or “so”."),
        feedback("tr-2", WORDS, f"Always greet {WORDS}.", label=True),
    )

    learned = await run(
        tmp_path, locale, "align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"
    )
    judged = await run(tmp_path, locale, "judge", "feedback.jsonl", "--aligned", "aligned.json")

    assert (learned[0], judged[0]) == (0, 0), (learned, judged)
    assert [json.loads(line)["trace_id"] for line in judged[1].splitlines()] == ["tr-ü", "tr-2"]
    saved = json.loads((tmp_path / "aligned.json").read_text(encoding="utf-8"))
    assert saved["episodes"][1]["fields"]["outputs"] == WORDS


@pytest.mark.parametrize("locale", LOCALES)
async def test_commands_on_the_store_write_utf8(tmp_path: Path, locale: str) -> None:
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel="C0000000001", port=0), encoding="utf-8")
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1", outputs=WORDS)
        harness.react(card, "-1")
        harness.reply(card, "The answer should never send people to 日本 away 😀.")
        await harness.learned()

    for arguments in (["export"], ["export", "--format", "mlflow"], ["guidelines"]):
        code, out, err = await run(tmp_path, locale, *arguments)
        assert (code, err) == (0, "")
        assert "日本" in out
    assert (await run(tmp_path, locale, "guidelines", "höflich"))[0] == 1


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


async def test_half_an_emoji_in_a_models_answer_becomes_the_replacement_character(
    server: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "judge.toml").write_text(JUDGE.replace("MODEL", "openai:/m"), encoding="utf-8")
    write(tmp_path / "feedback.jsonl", feedback("tr-1", "Go.", "Never send people away."))
    access = {"OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": server.base_url}
    await run(tmp_path, "C", "align", "feedback.jsonl", "--judge", "judge.toml", "--out", "a.json", **access)
    server.answers.extend(['{"rationale": "curt \\ud83d", "value": false}'] * 2)
    shown = await run(tmp_path, "C", "judge", "feedback.jsonl", "--aligned", "a.json", **access)
    kept = await run(
        tmp_path, "C", "judge", "feedback.jsonl", "--aligned", "a.json", "--out", "v.jsonl", **access
    )

    assert (shown[0], kept[0]) == (0, 0)
    assert json.loads(shown[1])["rationale"] == "curt \ufffd"
    assert json.loads((tmp_path / "v.jsonl").read_text("utf-8"))["rationale"] == "curt \ufffd"
