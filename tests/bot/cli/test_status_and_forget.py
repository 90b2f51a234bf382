"""`memalign status`, `forgotten`, `forget` on a terminal, `guidelines`, `digest`, and what the HTTP port names."""

import asyncio
import os
import pty
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.__main__ import main
from memalign.records import Trace
from storage.database import Database
from tests.bot.cli.test_cli import (
    RULE,
    Beside,
    Outcome,
    ended,
    environment,
    memalign,
    sentence,
)

NO_SLACK = {"SLACK_API_URL": "http://127.0.0.1:9/api/"}
REASON = f"I waited for an hour. {RULE}"


@pytest.fixture
def reason() -> str:
    return REASON


def slack_of(beside: Beside) -> dict[str, str]:
    slack = beside.harness.slack
    return {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}


async def typed(folder: Path, answer: str, *arguments: str) -> Outcome:
    """Run a command on a terminal of its own, and type an answer into it."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", *arguments),
        cwd=folder,
        env=environment(**NO_SLACK),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    os.close(ours)
    return Outcome(code=process.returncode or 0, out=out.decode(), err=err.decode())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--version") == 0
    assert capsys.readouterr().out.startswith("memalign 0.")


def test_help_has_lines_to_copy_and_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    told = capsys.readouterr().out
    parts = (
        "memalign align feedback.jsonl --judge",
        "memalign demo",
        "SLACK_BOT_TOKEN",
        "OPENAI_API_KEY",
        "status",
    )
    assert [part for part in parts if part not in told] == []


@pytest.mark.parametrize("least", ["80", "-1", "most"])
def test_an_agreement_that_is_no_share_is_wrong_usage(least: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["judge", "t.jsonl", "--aligned", "a.json", f"--min-agreement={least}"])
    assert end.value.code == 2


async def test_status_tells_what_waits_on_the_running_bot(beside: Beside) -> None:
    told = await memalign(beside.folder, "status")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == ["The bot is running; it is ready.", "Nothing is waiting."]


async def test_status_tells_what_waits_in_the_store_when_no_bot_runs(folder: Path) -> None:
    async with await Database.open(folder / "store") as database:
        for name in ("tr-1", "tr-2"):
            await database.traces.add([(Trace(trace_id=name), ["politeness"])], 1, 100)
    told = await memalign(folder, "status")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[1] == "Waiting: 2 traces to judge."
    assert "No bot is running" in told.out


async def test_what_was_forgotten_is_listed_with_name_and_time(beside: Beside) -> None:
    listed = await memalign(beside.folder, "forgotten")
    assert (listed.code, listed.out) == (0, "Nothing was forgotten yet.\n")
    await memalign(beside.folder, "forget", "tr-1")
    await memalign(beside.folder, "forget", "--person", beside.harness.ana.id)
    listed = await memalign(beside.folder, "forgotten", env=slack_of(beside))
    first, second = listed.out.splitlines()
    assert first.endswith("trace tr-1, by somebody at the terminal")
    assert second.endswith("everything Ana Ruiz said and voted on, by somebody at the terminal")
    assert first[:2] == "20"
    nameless = (await memalign(beside.folder, "forgotten")).out
    assert beside.harness.ana.id in nameless


async def test_a_dry_run_shows_what_would_go_and_changes_nothing(beside: Beside) -> None:
    for arguments in (("tr-1",), ("--person", beside.harness.ana.id)):
        shown = await memalign(beside.folder, "forget", *arguments, "--dry-run", env=slack_of(beside))
        assert (shown.code, shown.err) == (0, "")
        assert RULE in shown.out
        assert "Ana Ruiz" in shown.out
        assert shown.out.endswith("Nothing was forgotten.\n")
    assert beside.harness.rules() == [RULE]
    assert "a trace “tr-9”" in sentence(await memalign(beside.folder, "forget", "tr-9", "--dry-run"))


@pytest.mark.parametrize(
    ("answer", "more", "is_forgotten"),
    [("n\n", (), False), ("\n", (), False), ("y\n", (), True), ("yes\n", (), True), ("", ("--yes",), True)],
)
async def test_on_a_terminal_forget_shows_what_goes_and_asks(
    folder: Path, answer: str, more: tuple[str, ...], is_forgotten: bool
) -> None:
    async with await Database.open(folder / "store") as database:
        await database.traces.add([(Trace(trace_id="tr-1"), [])], 1, 100)
    ran = await typed(folder, answer, "forget", "tr-1", *more)
    assert ran.code == 0, ran
    assert ("Of trace tr-1 would go:" in ran.out) is not bool(more)
    assert ("tr-1: forgotten" in ran.out) is is_forgotten
    async with await Database.open(folder / "store", read_only=True) as database:
        assert (await database.traces.get("tr-1") is None) is is_forgotten


async def test_guidelines_are_numbered_with_names_three_ids_and_a_quote(beside: Beside) -> None:
    for number in range(2, 6):
        card = await beside.harness.show(f"tr-{number}")
        beside.harness.react(card, "-1")
        beside.harness.reply(card, RULE)
        await beside.harness.learned()
    listed = (await memalign(beside.folder, "guidelines", env=slack_of(beside))).out
    assert f"1. {RULE}" in listed
    assert "from Ana Ruiz · 5 cases: tr-1, tr-2, tr-3, … · from one person so far · id " in listed
    assert f"“{REASON}”" in listed


async def test_the_digest_has_a_table_with_heads_and_an_empty_week_one_line(beside: Beside) -> None:
    told = (await memalign(beside.folder, "digest")).out.splitlines()
    assert [line.split() for line in told[2:5]] == [
        ["people", "pass", "people", "fail"],
        ["judge", "pass", "0", "1"],
        ["judge", "fail", "0", "0"],
    ]
    assert len({len(line) for line in told[2:5]}) == 1
    empty = await memalign(beside.folder, "digest", "--week", "2020-W10")
    assert empty.out == "politeness, 2020-W10: nobody voted, and nothing was learned or forgotten.\n"


async def test_check_tells_a_missing_key_once_and_what_it_did_not_try(folder: Path) -> None:
    text = (folder / "memalign.toml").read_text()
    for local in ("local:/extract", "local:/cases"):
        text = text.replace(local, "openai:/gpt-5-mini")
    (folder / "memalign.toml").write_text(text.replace("local:/wordllama", "openai:/text-embedding-3-small"))
    told = await memalign(folder, "check", env=NO_SLACK)
    assert told.code == 1
    assert "channel C0000000001 of politeness: not tried, there is no bot token" in told.out
    assert "key: OPENAI_API_KEY is missing; needed by 3 models" in told.out
    assert [line for line in told.out.splitlines() if line.startswith("WRONG") and "OPENAI" in line] == [
        "WRONG key: OPENAI_API_KEY is missing; needed by 3 models"
    ]


async def test_check_names_no_classes_where_slack_cannot_be_reached(folder: Path) -> None:
    told = await memalign(
        folder, "check", env={**NO_SLACK, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    )
    assert told.code == 1
    assert "check the network" in told.out
    assert "Error" not in told.out
    assert "ssl" not in told.out


async def test_the_http_port_answers_in_json_where_there_is_nothing(beside: Beside) -> None:
    async with aiohttp.ClientSession(beside.harness.bot.url) as session:
        async with session.get("/") as answer:
            assert (answer.status, "POST /traces" in (await answer.json())["endpoints"]) == (200, True)
        for path in ("/trace", "/metrics/", "/v2/traces"):
            async with session.get(path) as answer:
                assert (answer.status, path in (await answer.json())["error"]) == (404, True)
        for method, path, allowed in (
            ("GET", "/traces", "POST"),
            ("DELETE", "/traces", "POST"),
            ("POST", "/healthz", "GET, HEAD"),
        ):
            async with session.request(method, path) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, allowed)
                assert f"not {method}" in (await answer.json())["error"]
