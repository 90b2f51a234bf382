"""README and docs/ are true: their commands, settings, links and slash commands are those of the code."""

import asyncio
import json
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

import memalign
from bot.__main__ import main, parser
from bot.blocks.commands import HELP
from bot.config import load_settings, read_settings
from bot.config.reader import keys_of
from bot.listeners.commands import ANSWERS, OWN_LISTENERS
from bot.sandbox.demo.demo import COMMAND
from memalign import Assessment, MemAlignOptimizer, Trace, make_judge
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.model_server import running_model_server

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
}
EXAMPLE = ROOT / "memalign.example.toml"

SUB_COMMANDS = {*ANSWERS, *OWN_LISTENERS}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`]+)`")
JUDGE = """
[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"
[[judges]]
name = "politeness"
model = "local:/cases"
instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"
"""


def fences(language: str, pages: Collection[str] = tuple(PAGES.values())) -> list[str]:
    return [dedent(body) for text in pages for kind, body in FENCE.findall(text) if kind == language]


def commands(pages: Collection[str]) -> Iterator[str]:
    """Yield each line of the shell examples without its comment, and each code span."""
    for block in fences("sh", pages):
        yield from (line.partition(" #")[0].strip() for line in block.splitlines())
    for text in pages:
        yield from (" ".join(span.split()) for span in CODE_SPAN.findall(FENCE.sub("", text)))


def calls_of(program: str, pages: Collection[str] = tuple(PAGES.values())) -> list[list[str]]:
    """Return the arguments of each call of a program that the documentation shows, variables left out."""
    calls = (re.sub(r"^(\w+=\S+ )+", "", command).removeprefix(".venv/bin/") for command in commands(pages))
    return [shlex.split(call)[1:] for call in calls if call.startswith(f"{program} ")]


def command_names() -> set[str]:
    return set(re.findall(r"^ {4}([\w-]+)", parser().format_help(), re.MULTILINE))


@pytest.mark.parametrize("arguments", calls_of("memalign"), ids=" ".join)
def test_a_shown_command_is_understood(arguments: list[str]) -> None:
    if arguments in (["--help"], ["--version"]):
        return
    assert parser().parse_args(arguments).function


def test_the_shown_commands_are_those_there_are() -> None:
    assert {arguments[0] for arguments in calls_of("memalign")} - {"--help", "--version"} == command_names()


@pytest.mark.parametrize("name", sorted(command_names()))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([name, "--help"])
    assert exit_.value.code == 0
    assert f"usage: memalign {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", calls_of("make"), ids=" ".join)
def test_a_shown_make_target_exists(arguments: list[str]) -> None:
    outcome = subprocess.run(
        ["make", "--dry-run", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stderr


def test_every_make_target_is_shown() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {arguments[0] for arguments in calls_of("make")} >= set(targets.split()) - {"help"}


def test_the_shown_names_of_the_library_are_those_there_are() -> None:
    judge = memalign.make_judge("polite", "{{ inputs }}", "local:/cases", feedback_value_type=bool)
    reason = memalign.Assessment(name="polite", value=True, source_id="ana")
    optimizer = memalign.MemAlignOptimizer("local:/extract", embedding_model="local:/wordllama")
    aligned = judge.align([memalign.Trace(trace_id="tr-1", inputs="Hello", assessments=[reason])], optimizer)
    owners = {"judge": judge, "aligned": aligned, "verdict": aligned(inputs="Hello")}
    shown = re.findall(rf"\b({'|'.join(owners)})\.(\w+)", " ".join(CODE_SPAN.findall(FENCE.sub("", README))))
    names = {name for _, name in shown if name not in ("toml", "json")}
    assert {"to_mlflow_scorer", "to_feedback", "save", "report"} <= names
    assert [pair for pair in shown if pair[1] in names and not hasattr(owners[pair[0]], pair[1])] == []
    for name in ("load_judge", "load_mlflow_judge", "make_judge"):
        assert f"`{name}" in README
        assert name in memalign.__all__


@pytest.mark.parametrize("arguments", calls_of("python"), ids=" ".join)
def test_a_shown_python_module_exists(arguments: list[str]) -> None:
    option, module, *more = arguments
    assert option == "-m"
    assert find_spec(module) or module == "spacy"  # of an extra
    assert [word for word in more if word.startswith("tests/") and not (ROOT / word).exists()] == []


def test_the_batch_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [README, PAGES["docs/batches.md"]]
    (align, *judges) = (call for call in calls_of("memalign", pages) if call[0] in ("align", "judge"))
    monkeypatch.chdir(tmp_path)
    Path("judge.toml").write_text(JUDGE, encoding="utf-8")
    feedback = {
        "trace_id": "tr-1",
        "inputs": "Help?",
        "outputs": "Go away.",
        "label": False,
        "rationale": "Curt.",
    }
    Path("feedback.jsonl").write_text(json.dumps(feedback) + "\n", encoding="utf-8")
    Path("traces.jsonl").write_text(
        '{"trace_id": "tr-2", "inputs": "Help?", "outputs": "No."}\n', encoding="utf-8"
    )

    main(align)
    for judge in judges:
        main(judge)

    assert "learned 1, " in capsys.readouterr().out
    assert json.loads(Path("verdicts.jsonl").read_text(encoding="utf-8"))["trace_id"] == "tr-2"


# tests/bot/ingest/test_real_exporters.py runs the application that is traced
@pytest.mark.parametrize("code", [code for code in fences("python", [README]) if "make_judge" in code])
def test_a_python_example_runs(code: str, tmp_path: Path) -> None:
    with running_model_server() as server:
        environment = {
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "PYTHONPATH": str(ROOT),
        }
        outcome = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
    assert outcome.stderr == ""
    assert "Distilled Guidelines (1):\n- It must not send people away." in outcome.stdout
    assert outcome.stdout.splitlines()[-1] == "False"


def test_the_example_of_a_partition_runs(tmp_path: Path) -> None:
    (code,) = (code for code in fences("python") if "judge_partition" in code)
    make_judge(
        name="politeness", instructions="{{ outputs }}", feedback_value_type=bool, model="local:/cases"
    ).align(
        [
            Trace(
                trace_id="tr-0",
                outputs="Go away.",
                assessments=[Assessment(name="politeness", value=False, source_id="ana")],
            )
        ],
        MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama"),
    ).save(tmp_path / "aligned.json")
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert outcome.stdout.startswith("tr-1 False ")


async def test_the_curl_example_is_answered_as_shown(tmp_path: Path) -> None:
    (example,) = (block for block in fences("sh", [README]) if block.startswith("curl"))
    command, _, shown = example.partition("\n# ")
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    async with bot_in_workspace(tmp_path) as harness:
        _, *arguments = shlex.split(command.replace("http://127.0.0.1:8080", harness.bot.url))
        process = await asyncio.create_subprocess_exec(
            curl, "--silent", "--show-error", *arguments, stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert json.loads(out) == json.loads(shown)


def test_shown_settings_are_read(tmp_path: Path) -> None:
    judges = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["judges"]
    assert load_settings(EXAMPLE).judges[0].name == judges[0]["name"]
    for block in fences("toml"):
        assert read_settings({"judges": judges, **tomllib.loads(block)}, tmp_path / "memalign.toml").judges


def test_the_example_settings_name_every_key() -> None:
    text = re.sub(r"^# (?=\w+ *= |\[\[)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    document = tomllib.loads(text)
    (document["models"],) = document["models"].values()
    keys = {
        name: set(section[0] if isinstance(section, list) else section) for name, section in document.items()
    }
    assert keys == {name: set(keys_of(name)) for name in keys_of()}


def test_the_settings_named_in_the_text_exist() -> None:
    names = {pair for text in PAGES.values() for pair in re.findall(r"`\[(\w+)\] (\w+)`", text)}
    assert names
    assert [(section, key) for section, key in names if key not in keys_of(section)] == []


def test_the_slash_commands_of_readme_help_and_manifest_are_those_listened_to() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    (command,) = manifest["features"]["slash_commands"]
    pattern = re.compile(rf"`{command['command']} (\w+)")
    assert set(pattern.findall(README)) == SUB_COMMANDS
    assert set(pattern.findall(HELP)) == SUB_COMMANDS
    for hint in (command["usage_hint"], COMMAND.usage_hint):
        assert {part.split()[0] for part in hint.split(" | ")} == SUB_COMMANDS


def test_links_between_files_lead_somewhere() -> None:
    links = {
        (ROOT / name).parent / link.partition("#")[0]
        for name, text in PAGES.items()
        for link in re.findall(r"\]\(([^):#][^):]*)\)", text)
    }
    assert links
    assert [link for link in links if not link.exists()] == []


def names_in_architecture() -> list[str]:
    names = re.findall(r"`((?:bot|memalign|storage)\.(?!example)\w[\w.]*)`", PAGES["docs/architecture.md"])
    return sorted(set(names))


@pytest.mark.parametrize("name", names_in_architecture())
def test_what_the_architecture_page_names_exists(name: str) -> None:
    assert pkgutil.resolve_name(name)


def chains(diagram: str) -> list[list[set[str]]]:
    """Return the layers of each chain of a Mermaid flowchart, from the top down."""
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', diagram))
    following: dict[str, str] = {}
    for line in re.sub(r'\["[^"]+"\]', "", diagram).splitlines():
        following.update(pairwise(re.split(r" *--> *", line.strip())))
    result = []
    for top in following.keys() - set(following.values()):
        nodes = [top]
        while nodes[-1] in following:
            nodes.append(following[nodes[-1]])
        result.append([set(labels.get(node, node).split(" | ")) for node in nodes])
    return sorted(result, key=len)


def layers_of(contract_name: str) -> list[set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith(contract_name)
    )
    return [set(layer.split(" | ")) for layer in layers]


def test_the_picture_of_the_architecture_is_the_contract_of_imports() -> None:
    (diagram,) = fences("mermaid")
    assert chains(diagram) == [layers_of("bot -> storage -> memalign"), layers_of("inside the bot,")]
