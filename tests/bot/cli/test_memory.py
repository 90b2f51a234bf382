"""`memalign memory log|diff|rollback` and `memalign judge --judge`, through the running bot and on the store."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from pathlib import Path

import pytest

from bot.__main__ import main, parser
from memalign.errors import MemAlignError
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.bot.cli.test_cli import SETTINGS, ended
from tests.bot.cli.test_status_and_forget import typed

RULE = "The answer should never send people away."
PRICE = "Answers must always name the price with tax."
Command = Callable[..., Awaitable[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel="C0000000001", port=0))
    return tmp_path


async def teach(harness: BotInWorkspace) -> None:
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    rule = harness.bot.memories[JUDGE].guidelines[0]
    await harness.bot.guidelines.edit(JUDGE, rule.id, PRICE, harness.ben.id)


@pytest.fixture(params=["through the running bot", "on the store"])
async def memory(
    request: pytest.FixtureRequest, folder: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Command]:
    """Runs a command in this process; what it prints, or the sentence with which it fails."""

    async def run(*arguments: str) -> str:
        options = parser().parse_args([*arguments, "--config", str(folder / "memalign.toml")])
        module, name = options.function.split(":")
        try:
            await getattr(import_module(module), name)(options)
        except MemAlignError as error:
            return str(error)
        return capsys.readouterr().out

    async with bot_in_workspace(folder) as harness:
        await teach(harness)
        if request.param == "through the running bot":
            yield run
    if request.param == "on the store":
        yield run


async def test_the_log_tells_who_changed_what_newest_first(memory: Command) -> None:
    newest, first = (await memory("memory", "log", JUDGE)).splitlines()
    assert f"edited by U0000000002: ~ “{PRICE}” (was: “{RULE}”)" in newest
    assert newest.startswith("   2  ")
    assert f"learned from U0000000001: + “{RULE}”; 1 case added" in first
    assert (await memory("memory", "log", JUDGE, "--limit", "1")).splitlines() == [newest]
    assert await memory("memory", "log", JUDGE, "--limit", "0") == ""
    lines = [
        json.loads(line) for line in (await memory("memory", "log", JUDGE, "--format", "json")).splitlines()
    ]
    assert [(line["number"], line["kind"], line["people"]) for line in lines] == [
        (2, "edit", ["U0000000002"]),
        (1, "lesson", ["U0000000001"]),
    ]
    assert lines[0]["changed"][0]["after"]["text"] == PRICE
    assert lines[1]["cases_came"] == ["tr-1"]
    assert len((await memory("memory", "log", JUDGE, "--limit", "1")).splitlines()) == 1


async def test_versions_are_compared_gone_back_to_and_the_way_back_is_undone(memory: Command) -> None:
    assert await memory("memory", "diff", JUDGE) == (
        f"{JUDGE}, from version 1 to version 2 (now):\n  ~ “{PRICE}” (was: “{RULE}”)\n"
    )
    assert (await memory("memory", "diff", JUDGE, "0", "1")).splitlines()[1:] == [
        f"  + “{RULE}”",
        "  1 case added:",
        "    + tr-1  Can you help me?",
    ]
    shown = await memory("memory", "rollback", JUDGE, "0", "--dry-run")
    assert f"  - “{PRICE}”" in shown
    assert shown.endswith("Nothing was changed.\n")

    done = await memory("memory", "rollback", JUDGE)
    assert done.startswith(f"{JUDGE} is back at version 1: ~ “{RULE}” (was: “{PRICE}”)\n")
    assert "went back to version 1, by somebody at the terminal" in await memory("memory", "log", JUDGE)
    undone = await memory("memory", "rollback", JUDGE)
    assert f"~ “{PRICE}” (was: “{RULE}”)" in undone
    assert "nothing differs" in await memory("memory", "diff", JUDGE, "2", "4")


async def test_what_cannot_be_done_is_one_sentence(memory: Command) -> None:
    assert await memory("memory", "rollback", JUDGE, "9") == (
        f"The memory of {JUDGE} has no version 9; its versions are 0 to 2."
    )
    assert "its versions are 0 to 2" in await memory("memory", "diff", JUDGE, "9")
    assert "nothing was changed" in await memory("memory", "rollback", JUDGE, "2")
    assert "Did you mean politeness?" in await memory("memory", "log", "politness")


async def test_a_file_is_judged_with_any_version_of_what_the_bot_has_learned(
    memory: Command, folder: Path
) -> None:
    traces = folder / "traces.jsonl"
    lines = [{"trace_id": "t", "inputs": {"question": "Can you help me?"}, "outputs": "Go away."}]
    traces.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")

    async def verdict(*version: str) -> str:
        out = folder / f"{'-'.join(version) or 'now'}.jsonl"
        told = await memory("judge", str(traces), "--judge", JUDGE, "--out", str(out), *version)
        return str(json.loads(out.read_text())["retrieved_trace_ids"]) if out.exists() else told

    assert await verdict() == await verdict("--memory-version", "1") == "['tr-1']"
    assert await verdict("--memory-version", "0") == "[]"
    assert "has no version 5" in await verdict("--memory-version", "5")


@pytest.mark.parametrize("kind", ['"int"', '"str"', '["kind", "curt"]'])
async def test_no_file_is_judged_by_cases_with_labels_of_another_type(
    memory: Command, folder: Path, kind: str
) -> None:
    traces, config = folder / "traces.jsonl", folder / "memalign.toml"
    traces.write_text(
        '{"trace_id": "t", "inputs": "Can you help me?", "outputs": "Go away."}', encoding="utf-8"
    )
    named = f'name = "{JUDGE}"'
    config.write_text(config.read_text().replace(named, f"{named}\nfeedback_value_type = {kind}"))

    told = await memory("judge", str(traces), "--judge", JUDGE)

    assert f"The judge {JUDGE} has 1 case with fail, and takes" in told
    assert '"trace_id": "t"' in await memory("judge", str(traces), "--judge", JUDGE, "--memory-version", "0")


def test_a_memory_that_nothing_changed_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(folder / "memalign.toml"))
    assert "There is no data" in str(ended("memory", "rollback", JUDGE, *config))
    (folder / "store").mkdir()
    asyncio.run(empty_store(folder))
    main(["memory", "log", JUDGE, *config])
    main(["memory", "diff", JUDGE, *config])
    assert capsys.readouterr().out.count("No change of this memory is recorded yet") == 2
    assert "nothing to undo" in str(ended("memory", "rollback", JUDGE, *config))
    assert ended("memory", "diff", JUDGE, "-1", *config) == 2


async def empty_store(folder: Path) -> None:
    async with bot_in_workspace(folder):
        pass


async def test_on_a_terminal_it_shows_what_changes_and_asks(folder: Path) -> None:
    async with bot_in_workspace(folder) as harness:
        await teach(harness)
    refused = await typed(folder, "n\n", "memory", "rollback", JUDGE)
    assert f"~ “{RULE}” (was: “{PRICE}”)" in refused.out
    assert refused.out.endswith("Nothing was changed.\n")
    agreed = await typed(folder, "y\n", "memory", "rollback", JUDGE)
    assert f"{JUDGE} is back at version 1" in agreed.out
