"""The command `memalign`: exit codes, one sentence for each problem, and what works beside a running bot."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.__main__ import main
from bot.sandbox import SlackServer, Workspace
from memalign.records import Json, Trace
from storage.database import Database
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, free_port, peopled

ROOT = Path(__file__).parents[3]
SETTINGS = """
[storage]
path = "store"

[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"

[[judges]]
name = "politeness"
channel = "{channel}"
model = "local:/cases"
instructions = "Is the answer polite? Question: {{{{ inputs }}}} Answer: {{{{ outputs }}}}"

[sampling]
rate = 1.0

[ingest]
port = {port}
"""
RULE = "The answer should never send people away."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a command."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Nothing of the tester's own tokens and keys."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


async def started(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", *arguments),
        cwd=folder,
        env=environment(**(env or {})),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def memalign(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Outcome:
    """Run a command to its end."""
    process = await started(folder, *arguments, env=env)
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    return Outcome(code=process.returncode or 0, out=out.decode(), err=err.decode())


def ended(*arguments: str) -> object:
    """With what a command ends in this process: its code, or the sentence that goes to stderr with code 1."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


def sentence(outcome: Outcome) -> str:
    """The one sentence of a command that failed."""
    assert outcome.code == 1, outcome
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith("memalign: ")
    assert "Traceback" not in outcome.err
    return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A running bot on a folder whose settings file other commands read too."""

    harness: BotInWorkspace
    folder: Path


# --- wrong usage, wrong settings


@pytest.mark.parametrize(
    "arguments",
    [(), ("dance",), ("forget",), ("digest", "--format", "xml"), ("demo", "--port", "x"), ("align",)],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "usage: memalign" in output.err


@pytest.mark.parametrize(
    "command", ["", "demo", "run", "check", "align", "judge", "guidelines", "forget", "digest", "export"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*command.split(), "--help") == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert f"usage: memalign {command}".strip() in output.out


@pytest.mark.parametrize(
    "arguments", [("run",), ("check",), ("guidelines",), ("digest",), ("export",), ("forget", "tr-1")]
)
def test_a_settings_error_ends_with_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert str(ended(*arguments)).startswith("memalign: There is no settings file memalign.toml")
    (tmp_path / "memalign.toml").write_text("[storage]\ncolour = 1")
    assert "storage.colour: unknown key" in str(ended(*arguments))


async def test_the_sentence_goes_to_stderr_and_the_code_is_1(tmp_path: Path) -> None:
    assert "There is no settings file" in sentence(await memalign(tmp_path, "guidelines"))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("guidelines",), "store"),
        (("export",), "store"),
        (("digest",), "store"),
        (("forget", "tr-1"), "nothing to forget"),
    ],
)
async def test_reading_before_the_bot_ever_ran_is_told(
    folder: Path, arguments: tuple[str, ...], part: str
) -> None:
    assert part in sentence(await memalign(folder, *arguments))
    assert not (folder / "store").exists()


# --- beside a running bot


async def test_reading_commands_work_while_the_bot_runs(beside: Beside) -> None:
    listed = await memalign(beside.folder, "guidelines", "POLITENESS")
    assert (listed.code, listed.err) == (0, "")
    assert RULE in listed.out
    digest = await memalign(beside.folder, "digest", "--format", "json")
    (line,) = [json.loads(line) for line in digest.out.splitlines()]
    assert (line["judge"], line["n"], line["agreed"], line["people"]) == ("politeness", 1, 0, 1)
    assert "agreement 0 of 1" in (await memalign(beside.folder, "digest")).out
    exported = await memalign(beside.folder, "export", "--judge", "politeness")
    kinds = [json.loads(line)["type"] for line in exported.out.splitlines()]
    assert kinds == ["trace", "verdict", "feedback", "guideline", "episode"]
    feedback = json.loads(exported.out.splitlines()[2])
    assert (feedback["annotator"], feedback["vote"], feedback["rationale"]) == (
        beside.harness.ana.id,
        "down",
        RULE,
    )


@pytest.mark.parametrize("week", ["2026-W54", "2026-47", "yesterday", "9999-W52"])
def test_a_week_that_is_none_is_wrong_usage(week: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["digest", "--week", week])
    assert end.value.code == 2
    assert f"there is no week {week}; write it like 2026-W47" in capsys.readouterr().err


async def test_an_unknown_judge_is_told_with_those_there_are(beside: Beside) -> None:
    for arguments in (("guidelines", "wit"), ("export", "--judge", "wit")):
        assert "the judges are: politeness" in sentence(await memalign(beside.folder, *arguments))


async def test_forget_asks_the_running_bot(beside: Beside) -> None:
    assert "a trace “tr-9”" in sentence(await memalign(beside.folder, "forget", "tr-1", "tr-9"))
    assert beside.harness.rules() == [RULE]
    outcome = await memalign(beside.folder, "forget", "tr-1")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("tr-1: forgotten")
    assert beside.harness.rules() == []
    await beside.harness.until(lambda: beside.harness.shown("tr-1") is None)
    assert "forgotten already" in sentence(await memalign(beside.folder, "forget", "tr-1"))


async def test_a_second_bot_on_the_folder_is_refused(beside: Beside) -> None:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert "Another memalign" in sentence(await memalign(beside.folder, "run", env=tokens))


async def test_forget_works_on_the_store_when_no_bot_runs(folder: Path) -> None:
    async with bot_in_workspace(folder) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, RULE)
        await harness.learned()
    outcome = await memalign(folder, "forget", "tr-1", env={"SLACK_API_URL": "http://127.0.0.1:9/api/"})
    assert outcome.code == 0
    assert outcome.out.startswith("tr-1: forgotten; 1 remembered case and 1 guideline went with it")
    async with await Database.open(folder / "store", read_only=True) as database:
        assert await database.traces.get("tr-1") is None
        assert (await database.memories.load("politeness")).guidelines == ()


async def test_forget_takes_any_id_as_it_is(folder: Path) -> None:
    odd = [
        "--yes",
        "<x>",
        "&lt;x&gt;",
        "two  blanks",
        "run.example.com",
        "https://a.b/archives/C1/p1700000000000000",
    ]
    async with await Database.open(folder / "store") as database:
        await database.traces.add([(Trace(trace_id=name), []) for name in [*odd, "x"]], 1, 100)
    ran = await memalign(folder, "forget", "--", *odd, env={"SLACK_API_URL": "http://127.0.0.1:9/api/"})
    assert (ran.code, ran.err) == (0, "")
    assert [line.rpartition(": forgotten;")[0] for line in ran.out.splitlines()] == odd
    async with await Database.open(folder / "store", read_only=True) as database:
        assert [name for name in [*odd, "x"] if await database.traces.get(name)] == ["x"]


# --- run


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An embedded Slack for bots in processes of their own."""

    slack: SlackServer
    folder: Path
    port: int

    @property
    def env(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
        }


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    workspace, _, _, channel = peopled(Workspace())
    port = free_port()
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel=channel.id, port=port))
    async with SlackServer(workspace) as slack:
        yield Office(slack=slack, folder=tmp_path, port=port)


async def line_of(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    async with asyncio.timeout(120):
        return (await stream.readline()).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_bot_runs_until_it_is_told_to_stop(office: Office, number: signal.Signals) -> None:
    process = await started(office.folder, "run", env=office.env)
    assert f"http://127.0.0.1:{office.port}/traces" in await line_of(process.stdout)
    await office.slack.connected()
    trace: Json = {"trace_id": "tr-1", "inputs": "Hello?", "outputs": "Go away."}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{office.port}/traces", json=trace) as answer,
    ):
        assert answer.status == 202
    channel = next(iter(office.slack.workspace.channels))
    async with asyncio.timeout(120):
        while not office.slack.workspace.messages(channel):  # noqa: ASYNC110 - the workspace has no event for it
            await asyncio.sleep(0.01)
    await office.slack.settled()
    process.send_signal(number)
    async with asyncio.timeout(10):  # what the contract allows a stop to take
        _, err = await process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in err.decode()


async def test_the_bot_can_be_stopped_before_slack_ever_answered(office: Office) -> None:
    hold = office.slack.faults.hold("auth.test")
    process = await started(office.folder, "run", env=office.env)
    await hold.reached.wait()
    process.terminate()
    async with asyncio.timeout(10):
        await process.communicate()
    hold.release()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("missing", "part"),
    [("SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN is not set"), ("SLACK_APP_TOKEN", "SLACK_APP_TOKEN")],
)
async def test_a_missing_token_is_told(office: Office, missing: str, part: str) -> None:
    env = {**office.env, missing: ""}
    assert part in sentence(await memalign(office.folder, "run", env=env))


async def test_a_wrong_token_is_told(office: Office) -> None:
    env = {**office.env, "SLACK_BOT_TOKEN": "xoxb-wrong"}
    assert "check SLACK_BOT_TOKEN" in sentence(await memalign(office.folder, "run", env=env))


async def test_a_port_that_is_taken_is_told(office: Office) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", office.port))
        other.listen()
        message = sentence(await memalign(office.folder, "run", env=office.env))
    assert f"Cannot listen on 127.0.0.1 port {office.port}" in message
    assert "choose another [ingest] port" in message


async def test_a_data_folder_that_is_a_file_is_told(office: Office) -> None:
    (office.folder / "store").write_text("not a folder")
    message = sentence(await memalign(office.folder, "run", env=office.env))
    assert "The store in store cannot be used" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_data_folder_that_cannot_be_written_is_told(office: Office) -> None:
    (office.folder / "store").mkdir(mode=0o500)
    message = sentence(await memalign(office.folder, "run", env=office.env))
    assert "The store in store cannot be used" in message


@pytest.mark.parametrize("workers", ["0", "many", "²"])
async def test_a_wrong_number_of_workers_is_told(office: Office, workers: str) -> None:
    env = {**office.env, "MEMALIGN_MAX_WORKERS": workers}
    assert f"MEMALIGN_MAX_WORKERS is '{workers}'" in sentence(await memalign(office.folder, "run", env=env))


# --- check


async def test_check_says_line_by_line_that_all_is_well_and_changes_nothing(office: Office) -> None:
    before = sorted(office.folder.rglob("*"))
    outcome = await memalign(office.folder, "check", env=office.env)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert all(line.startswith("ok    ") for line in lines), outcome.out
    subjects = (
        "settings",
        "storage",
        "bot token",
        "app token",
        "channel",
        "embedding",
        "reflection",
        "judge",
    )
    assert [subject for subject in subjects if not any(subject in line for line in lines)] == []
    assert sorted(office.folder.rglob("*")) == before
    assert {call.method for call in office.slack.calls} == {
        "auth.test",
        "apps.connections.open",
        "conversations.info",
    }


async def test_check_names_the_remedy_for_each_thing_that_is_wrong(office: Office) -> None:
    workspace = office.slack.workspace
    channel = next(iter(workspace.channels.values()))
    workspace.leave(workspace.bot.id, channel.id)
    outcome = await memalign(office.folder, "check", env={**office.env, "SLACK_APP_TOKEN": "xapp-wrong"})
    assert outcome.code == 1
    wrong = [line for line in outcome.out.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 2
    assert any("SLACK_APP_TOKEN" in line for line in wrong)
    assert any("/invite" in line for line in wrong)
    assert "2 of" in sentence(outcome)


async def test_check_names_missing_scopes(tmp_path: Path) -> None:
    workspace, _, _, channel = peopled(Workspace())
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel=channel.id, port=0))
    async with SlackServer(workspace, scopes=["chat:write", "channels:read"]) as slack:
        office = Office(slack=slack, folder=tmp_path, port=0)
        outcome = await memalign(tmp_path, "check", env=office.env)
    assert outcome.code == 1
    assert "reactions:read" in outcome.out
    assert "manifest.yml" in outcome.out


async def test_a_guideline_is_approved_through_the_running_bot_or_on_the_store(folder: Path) -> None:
    settings = (folder / "memalign.toml").read_text().replace("[memory]", '[memory]\napproval = "manual"')
    (folder / "memalign.toml").write_text(settings)
    models = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
    async with bot_in_workspace(folder, memory={**models, "approval": "manual"}) as harness:
        for number, rule in enumerate((RULE, "Answers must always name the price with tax.")):
            card = await harness.show(f"tr-{number}")
            harness.react(card, "-1")
            harness.reply(card, rule)
            await harness.learned()
        first, second = (rule.id for rule in harness.bot.memories[JUDGE].guidelines)
        listed = await memalign(folder, "guidelines")
        unknown = await memalign(folder, "guideline", "approve", JUDGE, "g-unknown")
        asked = await memalign(folder, "guideline", "approve", JUDGE, first)
        assert [rule.state for rule in harness.bot.memories[JUDGE].guidelines] == ["used", "pending"]
    stored = await memalign(folder, "guideline", "approve", JUDGE, second)
    exported = await memalign(folder, "export")

    assert f"to use it: memalign guideline approve {JUDGE} {first}" in listed.out
    assert 'has no guideline whose id begins with "g-unknown"' in sentence(unknown)
    assert [outcome.out for outcome in (asked, stored)] == [
        f"Approved {first}: {RULE}\n",
        f"Approved {second}: Answers must always name the price with tax.\n",
    ]
    lines = [json.loads(line) for line in exported.out.splitlines()]
    assert [line["state"] for line in lines if line["type"] == "guideline"] == ["used", "used"]
