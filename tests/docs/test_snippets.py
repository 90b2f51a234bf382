"""Snippets of the pages: commands, settings, programs, requests, files, and quoted sentences of the product."""

import ast
import asyncio
import configparser
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from bot.__main__ import parser
from bot.cli.feedback_file import LineIn
from bot.cli.verdict_lines import VerdictIn
from bot.config import read_settings
from bot.web.server import ENDPOINTS
from memalign import make_judge
from reference.refusals import words_of
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.docs.conftest import ROOT
from tests.docs.test_reference import first_cells, page

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "examples" / "README.md"])
PROGRAMS = {
    "source",
    "scripts/make-venv",
    "memalign",
    "make",
    "curl",
    "pip",
    "python",
    "git",
    "mv",
    "cp",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "uvicorn",
    "python3",
    "docker",
    "createdb",
    "export",
    "install",
    "systemctl",
    "journalctl",
    "/opt/memalign/bin/pip",
}
LANGUAGES = {"sh", "toml", "python", "py", "json", "ini", "text", "nginx", "yaml", "mermaid", ""}
JUDGES = [{"name": "politeness", "channel": "C0123456789", "instructions": "{{ inputs }} {{ outputs }}"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A block of code on a page."""

    place: str
    language: str
    text: str


def snippets(*languages: str) -> list[Any]:
    """Return the blocks in some languages, each as a parameter with its place."""
    found = []
    for path in PAGES:
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        for block in FENCE.finditer(text):
            line = text[: block.start()].count("\n") + 1
            snippet = Snippet(
                place=f"{name}:{line}", language=block["language"], text=textwrap.dedent(block["body"])
            )
            if snippet.language in languages:
                found.append(pytest.param(snippet, id=snippet.place))
    return found


def test_every_block_is_in_a_language_that_is_tried() -> None:
    blocks = [block for path in PAGES for block in FENCE.finditer(path.read_text(encoding="utf-8"))]
    assert {block["language"] for block in blocks} <= LANGUAGES
    assert len(blocks) > 60


def shell_lines(text: str) -> Iterator[str]:
    """Yield each command of a block, without its comment; one that goes on over several lines is one."""
    if text.startswith("curl"):
        yield text.partition("\n#")[0]
        return
    for line in text.replace("\\\n", " ").splitlines():
        if command := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield from (part.strip() for part in re.split(r"\s(?:&&|\|)\s", command))


@pytest.mark.parametrize("snippet", snippets("sh"))
def test_a_shown_command_is_one_that_there_is(snippet: Snippet) -> None:
    for line in shell_lines(snippet.text):
        program, *arguments = shlex.split(line)
        program = re.sub(r"^\.venv/bin/", "", program).partition("=")[0]
        assert program in PROGRAMS, line
        if program == "memalign" and arguments[0] not in ("--help", "--version"):
            assert parser().parse_args(arguments).function
        if program == "make":
            outcome = subprocess.run(
                ["make", "--dry-run", *arguments], cwd=ROOT, check=False, capture_output=True
            )
            assert outcome.returncode == 0, line
        if program == "pip" and "memalign[" in line:
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            assert re.findall(r"memalign\[(\w+)\]", line)[0] in extras["optional-dependencies"]
        if program == "pip" and "-r" in arguments:
            assert (ROOT / arguments[-1]).exists()


@pytest.mark.parametrize("snippet", snippets("toml"))
def test_shown_settings_are_read(snippet: Snippet, tmp_path: Path) -> None:
    document = tomllib.loads(snippet.text)
    settings = read_settings({"judges": JUDGES, **document}, tmp_path / "memalign.toml")
    for judge in settings.judges:
        assert make_judge(judge.name, judge.instructions, model=judge.model).name == judge.name


@pytest.mark.parametrize("snippet", snippets("json"))
def test_shown_lines_are_read(snippet: Snippet) -> None:
    for line in snippet.text.splitlines():
        document = json.loads(line)
        kind = VerdictIn if "value" in document else LineIn
        assert kind.model_validate(document).trace_id


@pytest.mark.parametrize("snippet", snippets("ini"))
def test_shown_variables_and_units_are_right(snippet: Snippet) -> None:
    if not snippet.text.startswith("["):
        names = set(dotenv_values(stream=io.StringIO(snippet.text)))
        assert names <= set(first_cells(page("environment")))
        return
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(snippet.text)
    command = shlex.split(unit["Service"]["execstart"])
    assert command[0].endswith("/.venv/bin/memalign")
    assert parser().parse_args(command[1:]).function


@pytest.mark.parametrize("snippet", snippets("yaml"))
def test_shown_yaml_is_yaml(snippet: Snippet) -> None:
    assert yaml.safe_load(snippet.text)


@pytest.mark.parametrize("snippet", snippets("nginx"))
def test_a_shown_proxy_leads_to_calls_that_there_are(snippet: Snippet) -> None:
    paths = {call.split()[1] for call in ENDPOINTS}
    places = re.findall(r"location =? ?(\S+)", snippet.text)
    assert places
    assert set(places) <= paths


@pytest.mark.parametrize("snippet", snippets("py", "python"))
def test_a_shown_program_is_python(snippet: Snippet) -> None:
    ast.parse(snippet.text)


def programs_for_local_models() -> list[Any]:
    return [each for each in snippets("python") if "local:/" in each.values[0].text]


@pytest.mark.parametrize("snippet", programs_for_local_models())
def test_a_shown_program_runs_with_local_models(snippet: Snippet, tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", snippet.text],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    assert outcome.stdout


def test_the_program_of_the_library_page_learns_and_takes_back(tmp_path: Path) -> None:
    (snippet,) = (
        each.values[0] for each in programs_for_local_models() if "how-to/python" in each.values[0].place
    )
    code = f"{snippet.text}\nprint(sorted(aligned.episodes), sorted(unaligned.episodes))"
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "It must offer help. " in outcome.stdout
    assert "\nFalse " in outcome.stdout
    assert outcome.stdout.endswith("['tr-1', 'tr-2', 'tr-3', 'tr-4'] ['tr-2', 'tr-3', 'tr-4']\n")


def curl_calls() -> list[Any]:
    return [
        pytest.param(line, id=each.values[0].place)
        for each in snippets("sh")
        for line in shell_lines(each.values[0].text)
        if line.startswith(("curl http://127.0.0.1:8080", "curl -X POST"))
    ]


@pytest.mark.parametrize("line", curl_calls())
async def test_a_shown_request_is_answered(line: str, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    async with bot_in_workspace(tmp_path) as harness:
        _, *arguments = shlex.split(line.replace("http://127.0.0.1:8080", harness.bot.url))
        process = await asyncio.create_subprocess_exec(curl, "--silent", "--show-error", "--fail", *arguments)
        assert await process.wait() == 0


@cache
def sentences_of_the_product() -> str:
    """Return all texts of the code, each a line, with ‹…› for what is filled in."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for package in ("bot", "memalign", "storage")
        for path in (ROOT / package).rglob("*.py")
    ]
    nodes = (node for tree in trees for node in ast.walk(tree))
    texts = (
        words_of(node, {}) for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp)
    )
    return "\n".join(" ".join(text.split()) for text in texts)


def quoted_sentences() -> list[str]:
    text = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text(encoding="utf-8")
    return re.findall(r"^> (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("sentence", quoted_sentences())
def test_a_quoted_sentence_is_one_of_the_products(sentence: str) -> None:
    parts = [part.strip() for part in re.split(r"‹[^›]*›", sentence)]
    words = [part for part in parts if len(part.split()) > 1]
    assert words
    assert [part for part in words if part not in sentences_of_the_product()] == []


def test_troubleshooting_has_many_sentences() -> None:
    assert len(quoted_sentences()) > 35
