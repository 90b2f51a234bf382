"""The reference and the code, compared both ways: what the product has is described, and what is described is there."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from aiohttp import web

import memalign
from bot.__main__ import parser
from bot.config.reader import keys_of
from bot.listeners.commands import ANSWERS, OWN_LISTENERS
from bot.web.server import ENDPOINTS
from reference import commands, http, refusals, settings, slack
from reference.mkdocs_hooks import PART, PARTS, filled
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.docs.conftest import ROOT

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
SPAN = re.compile(r"`([^`]+)`")
NOT_VARIABLES = {
    "IN_PROGRESS",
    "MIN_VERDICTS_FOR_SHARE",
    "END_TIME",
    "PARENT_RUN_IDS",
    "RUN_TYPE",
    "THREAD_ID",
    "TRACE_ID",
    "LLM_JUDGE",
    "MLFLOW_EXPERIMENT",
    "START_TIME",
    "STATUS_CODE_OK",
    "TRACKING_STORE",
}
"""Words of other tools' documents, and a name in a template."""


def first_cells(text: str) -> list[str]:
    """Return the first code span of each row of the tables."""
    return re.findall(r"^\| \[?`([^`]+)`", text, re.MULTILINE)


def page(name: str) -> str:
    """Return a page of the reference as it is on the site, before it becomes HTML."""
    return filled((ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8"))


def sections(text: str) -> dict[str, str]:
    """Return the text under each heading of the second level, by the name in it."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


def test_every_part_that_is_made_from_the_code_stands_on_a_page() -> None:
    pages = (ROOT / "docs").rglob("*.md")
    assert {name for path in pages for name in PART.findall(path.read_text(encoding="utf-8"))} == set(PARTS)


def test_every_setting_is_described_and_every_described_setting_is_one() -> None:
    tables = sections(page("settings"))
    described = {
        (section, key) for section in keys_of() for key in first_cells(tables[settings.heading(section)])
    }
    assert described == {(section, key) for section in keys_of() for key in keys_of(section)}


@pytest.mark.parametrize("setting", settings.all_settings(), ids=lambda each: f"{each.section}.{each.key}")
def test_a_setting_has_its_type_default_and_meaning(setting: settings.Setting) -> None:
    assert len(setting.description.split()) > 1
    assert not re.search(r"\bNone\b", setting.description + setting.default + setting.type)
    assert setting.type
    assert setting.default


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ("storage", "path", ("text", '"data"')),
        ("memory", "retrieval_k", ("whole number above 0", "`5`")),
        ("sampling", "rate", ("number from 0 to 1", "`0.1`")),
        ("ingest", "port", ("from 0 to 65,535", "`8080`")),
        ("judges", "name", ("text", "required")),
        ("connectors", "type", ('`"mlflow"` or', "required")),
        ("models", "structured", ('`"json_schema"`', '`"auto"`')),
        ("access", "show_votes", ("true or false", "`true`")),
    ],
)
def test_types_and_defaults_are_those_of_the_code(section: str, key: str, words: tuple[str, str]) -> None:
    (setting,) = (each for each in settings.all_settings() if (each.section, each.key) == (section, key))
    assert words[0] in setting.type
    assert words[1] in setting.default


def test_every_command_and_its_actions_are_described() -> None:
    named = set(first_cells(page("commands")))
    top = re.findall(r"^ {4}([\w-]+)", parser().format_help(), re.MULTILINE)
    assert {name.split()[1] for name in named} == set(top)
    assert {"memalign guideline retire", "memalign memory rollback", "memalign rename-judge"} <= named


@pytest.mark.parametrize("command", commands.all_commands(), ids=lambda command: command.name)
def test_a_commands_help_is_shown_whole(command: commands.Command) -> None:
    assert command.help.startswith(f"usage: {command.name}")
    assert command.help.strip() in page("commands")
    assert command.summary


def test_the_slash_commands_are_those_listened_to() -> None:
    typed = {name for calls, _ in slack.slash_commands() for name in re.findall(r"`/memalign (\w+)", calls)}
    assert typed == {*ANSWERS, *OWN_LISTENERS}
    assert set(re.findall(r"`/memalign (\w+)", page("slack"))) == typed


async def test_the_metrics_are_those_that_a_bot_tells(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        _, text = await harness.get("/metrics")
    told = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    named = set(first_cells(page("metrics")))
    created = {name for name in told if name.endswith("_created")}
    assert named >= told - created
    # a share needs answers, and events a webhook
    only_sometimes = ("memalign_agreement", "memalign_events")
    assert {name for name in named if not name.startswith(only_sometimes)} <= told


async def test_the_http_calls_are_those_of_the_server(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        _, root = await harness.get("/")
        served = {
            call: (await harness.get(call.partition(" ")[2]))[0]
            for call in ENDPOINTS
            if call.startswith("GET")
        }
    assert all(f"`{call}`" in page("http") for call in ENDPOINTS)
    assert all(call in root for call in ENDPOINTS)
    assert set(served.values()) == {200}
    named = {cell for cell in first_cells(page("http")) if re.match(r"(GET|POST) /", cell)}
    assert named == set(ENDPOINTS) | set(http.LOCAL_CALLS)


def routes_in_the_code() -> set[str]:
    source = (ROOT / "bot" / "web" / "server.py").read_text(encoding="utf-8")
    return {
        f"{call.func.attr.upper()} {ast.literal_eval(call.args[0])}"
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == web.__name__.rpartition(".")[2]
        and call.func.attr in ("get", "post")
    }


def test_every_route_of_the_code_is_described() -> None:
    assert routes_in_the_code() == set(ENDPOINTS) | set(http.LOCAL_CALLS)


def words_in_capitals(path: Path) -> set[str]:
    """Return the texts of a module that look like variables, but for names that it exports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exports = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0])
    ]
    exported = {id(node) for export in exports for node in ast.walk(export)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in exported
        and VARIABLE.fullmatch(node.value)
    }


def variables_in_the_code() -> set[str]:
    modules = [path for package in ("bot", "memalign", "storage") for path in (ROOT / package).rglob("*.py")]
    return {word for path in modules if "sandbox" not in path.parts for word in words_in_capitals(path)}


def test_every_environment_variable_is_described_and_read_somewhere() -> None:
    described = set(first_cells(page("environment")))
    in_code = variables_in_the_code() - NOT_VARIABLES
    assert in_code - described == set()
    read_by_a_kit = {"ANTHROPIC_VERTEX_PROJECT_ID"}
    assert described - in_code - read_by_a_kit == set()


def test_every_public_name_of_the_library_is_described() -> None:
    directives = re.findall(r"^::: memalign\.(\w+)$", page("python"), re.MULTILINE)
    assert sorted(directives) == sorted(memalign.__all__)


def test_every_error_of_the_code_has_its_sentence_in_the_reference() -> None:
    """Each call that makes an error with words of its own is read, whichever form the words have."""
    text = page("errors")
    missing = [each for each in refusals.all_refusals() if each.sentence.split("‹")[0].rstrip() not in text]
    assert len(refusals.all_refusals()) > 250
    assert missing == []
    assert "‹‹" not in text


@pytest.mark.parametrize(
    "sentence",
    [
        "SLACK_BOT_TOKEN is not set; copy the bot token (xoxb-…) of the installed app.",
        "Too many connections are open.",
        "this trace was forgotten and is not taken again",
        "it answers, but repeats the example; choose a stronger model",
        "a trace is an object with trace_id, inputs and outputs",
        "the bot is not in the channel; invite it with /invite",
        "There is no store in ‹folder›: start memalign there first, or name another folder in [storage] path.",
    ],
)
def test_a_sentence_of_the_product_is_among_the_errors(sentence: str) -> None:
    assert sentence in [each.sentence for each in refusals.all_refusals()]


@pytest.mark.parametrize(
    "name", ["RequestError", "ToolRefusedError", "SlackRefusedError", "PromptTooLongError", "BacklogError"]
)
def test_the_classes_of_errors_are_found_where_they_are_defined(name: str) -> None:
    assert name in refusals.error_names()


def test_the_scopes_and_events_are_those_of_the_manifest() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    spans = set(SPAN.findall(page("slack")))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) <= spans
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) <= spans
