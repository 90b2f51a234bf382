"""The examples run as their own texts say: against a fake model server, the real bot, and local models."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.bot.bot_in_workspace import bot_in_workspace, free_port
from tests.docs.conftest import ROOT
from tests.model_server import ModelServer, running_model_server

EXAMPLES = ROOT / "examples"
QUESTION, ANSWER = "Where is my parcel?", "It comes in three days."
JUDGE = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "politeness"
model = "local:/cases"
instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"
"""


def run(arguments: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with running_model_server() as server:
        yield server


async def ask(url: str, process: asyncio.subprocess.Process) -> Mapping[str, str]:
    """Ask the support bot as soon as it listens."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(
                    f"{url}/ask", params={"question": QUESTION, "session": "s-1"}
                ) as answer:
                    body: Mapping[str, str] = await answer.json()
                    return body
            except aiohttp.ClientConnectorError:
                assert process.returncode is None
                await asyncio.sleep(0.1)


async def test_an_answer_of_the_support_bot_becomes_a_card(tmp_path: Path, model: ModelServer) -> None:
    port = free_port()
    model.answers.append(ANSWER)
    async with bot_in_workspace(
        tmp_path, sampling={"rate": 1.0, "spread": False}, ingest={"port": 0, "quiet_seconds": 0.2}
    ) as harness:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "support_bot:app", "--port", str(port)),
            *("--app-dir", str(EXAMPLES), "--log-level", "warning"),
            env={
                **os.environ,
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": f"{model.url}/v1",
                "OTEL_EXPORTER_OTLP_ENDPOINT": harness.bot.url,
                "OTEL_BSP_SCHEDULE_DELAY": "100",
            },
        )
        try:
            answer = await ask(f"http://127.0.0.1:{port}", process)
            card = await harness.card(answer["trace_id"])
        finally:
            process.terminate()
            await process.wait()
        trace = await harness.bot.database.traces.get(answer["trace_id"])
    assert answer["answer"] == ANSWER
    assert QUESTION in str(card.blocks)
    assert trace is not None
    assert (trace.inputs, trace.outputs) == (QUESTION, ANSWER)
    assert trace.metadata["session_id"] == "s-1"


@pytest.fixture(scope="module")
def ci_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an aligned judge, which the lines of feedback.jsonl have taught."""
    tmp_path = tmp_path_factory.mktemp("ci")
    polite, rude = "Of course, I am glad to help you.", "Go away."
    lines = [
        {
            "trace_id": f"tr-{number}",
            "inputs": "Can you help me?",
            "outputs": rude if number % 2 else polite,
            "label": number % 2 == 0,
            "rationale": "It must offer help.",
            "annotator": "ana",
        }
        for number in range(8)
    ]
    (tmp_path / "feedback.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (tmp_path / "judge.toml").write_text(JUDGE, encoding="utf-8")
    outcome = run(
        ["-m", "bot", "align", "feedback.jsonl", "--judge", "judge.toml", "--out", "aligned.json"], tmp_path
    )
    assert outcome.returncode == 0, outcome.stderr
    return tmp_path


def held_out(folder: Path, labels: Sequence[bool]) -> None:
    """Write lines whose answers are all rude, with these labels."""
    lines = [
        {"trace_id": f"new-{number}", "inputs": "Can you help me?", "outputs": "Go away.", "label": label}
        for number, label in enumerate(labels)
    ]
    (folder / "held-out.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


@pytest.mark.parametrize(
    ("labels", "bound", "code", "words"),
    [
        ([False] * 5, "share", 0, "agree on 5 of 5 (100%"),
        ([False, False, True, True], "share", 1, "agree on 2 of 4 (50%"),
        ([False] * 5, "lower", 1, "95 % interval 57% to 100%"),
        ([False] * 20, "lower", 0, "agree on 20 of 20 (100%"),
    ],
)
def test_the_ci_script_fails_below_the_agreement(
    ci_folder: Path, labels: Sequence[bool], bound: str, code: int, words: str
) -> None:
    held_out(ci_folder, labels)
    script: list[str | Path] = [
        EXAMPLES / "judge_in_ci.py",
        "aligned.json",
        "held-out.jsonl",
        "--least",
        "0.8",
        "--bound",
        bound,
    ]
    outcome = run(script, ci_folder)
    assert outcome.returncode == code, outcome.stderr
    assert words in outcome.stdout
    assert ("That is below 80%." in outcome.stderr) == bool(code)


def test_the_ci_script_leaves_out_what_people_tie_on(ci_folder: Path) -> None:
    held_out(ci_folder, [False])
    tied = [{"trace_id": "t", "inputs": "Help?", "outputs": "No.", "label": label} for label in (True, False)]
    with (ci_folder / "held-out.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(f"\n{json.dumps(line)}" for line in tied))
    outcome = run([EXAMPLES / "judge_in_ci.py", "aligned.json", "held-out.jsonl"], ci_folder)
    assert "agree on 1 of 1" in outcome.stdout


def test_the_notebook_runs_cell_by_cell(tmp_path: Path) -> None:
    notebook = json.loads((EXAMPLES / "align_from_csv.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shutil.copy(EXAMPLES / "answers.csv", tmp_path)
    (tmp_path / "cells.py").write_text("\n".join(cells), encoding="utf-8")
    outcome = run(["cells.py"], tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert any(line.startswith("It must offer help.") for line in lines)
    assert "6 cases" in lines
    assert lines[-1] == "5 cases"
    assert (tmp_path / "politeness.json").exists()


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = json.loads((EXAMPLES / "align_from_csv.ipynb").read_text(encoding="utf-8"))
    assert [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


def test_every_example_is_named_on_their_page() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    assert [name for name in sorted(files) if f"({name})" not in page] == []
