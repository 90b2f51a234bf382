"""A judge that a bad rule makes worse: its channel is warned once, and one press goes back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.blocks.memory_history import SHOW_HISTORY
from bot.blocks.worsening import GO_BACK_TO_MONDAY
from bot.sandbox import Workspace
from bot.sandbox.workspace.records import Message
from memalign.records import Json
from tests.bot.bot_in_workspace import IN_A_HURRY, BotInWorkspace, bot_in_workspace, words
from tests.model_server import ModelServer, running_model_server

RULE = "Short answers are always rude."
AS_GUIDELINE = f'"text": "{RULE}"'
"""The rule as the judge's prompts show it."""
PACE = replace(IN_A_HURRY, check_seconds=0.1)
WORSE_THAN_MONDAY = "has become worse than it was on Monday"
WORSE_THAN_BASE = "worse this week than it would be without anything it learned"
REMOTE: dict[str, Json] = {
    "judge": {"model": "openai:/m"},
    "memory": {
        "reflection_lm": "local:/extract",
        "embedding_model": "local:/wordllama",
        "trial_calls_per_day": 0,
    },
}


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A judge's model that lets everything pass, unless it is shown the rule."""
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        running.verdicts = {AS_GUIDELINE: False, "Judge this record.": True}
        yield running


async def cards_by_a_bad_rule(harness: BotInWorkspace, number: int = 10) -> Sequence[Message]:
    """Cards of verdicts that are wrong since somebody taught the rule."""
    taught = await harness.show("taught", "No.")
    harness.react(taught, "-1")
    harness.reply(taught, RULE)
    await harness.until(lambda: RULE in harness.rules())
    await harness.learned()
    return [await harness.show(f"tr-{each}", f"It is number {each}.") for each in range(number)]


def warnings(harness: BotInWorkspace, sentence: str) -> list[Message]:
    return [
        each
        for each in harness.workspace.messages(harness.channel.id)
        if sentence in words(each.blocks, each.text)
    ]


async def warned(harness: BotInWorkspace) -> Message:
    """Vote against the verdicts of a bad rule, and wait for the warning."""
    for card in await cards_by_a_bad_rule(harness):
        harness.react(card, "-1", by=harness.ben)
    return await harness.until(lambda: next(iter(warnings(harness, WORSE_THAN_MONDAY)), None))


async def test_one_press_goes_back_and_the_warning_tells_so(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, pace=PACE, **REMOTE) as harness:
        warning = await warned(harness)
        told = words(warning.blocks)
        assert (
            "10 are wrong that would have been right with Monday's memory; none is the other way round"
            in told
        )
        assert told.count("|verdict ") == 3
        await harness.learned()

        answer = await harness.ephemeral_answer(harness.press(warning, GO_BACK_TO_MONDAY))

        assert "Back at version 0" in answer
        assert harness.rules() == []
        await harness.until(lambda: "Monday's memory again" in words(warning_now(harness).blocks))
        assert "Go back" not in words(warning_now(harness).blocks)
        assert "See what changed" not in words(warning_now(harness).blocks)
        await harness.until(lambda: warnings(harness, "back to version 0 of what it has learned"))


def warning_now(harness: BotInWorkspace) -> Message:
    (warning,) = warnings(harness, WORSE_THAN_MONDAY)
    return warning


async def test_a_warning_is_given_once_over_restarts(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, pace=PACE, **REMOTE) as harness:
        await warned(harness)
    async with bot_in_workspace(tmp_path, workspace=workspace, pace=PACE, **REMOTE) as harness:
        await harness.show("later", "It is later.")
        await harness.learned()
        assert len(warnings(harness, WORSE_THAN_MONDAY)) == 1
        assert warnings(harness, WORSE_THAN_BASE) == [], "it knew nothing on Monday"


async def test_who_may_not_manage_is_told_so_alone_and_sees_what_changed(tmp_path: Path) -> None:
    workspace = Workspace()
    boss = workspace.add_user("boss", real_name="Bo Boss")
    access: dict[str, Json] = {"access": {"manage": [boss.id]}}
    async with bot_in_workspace(tmp_path, workspace=workspace, pace=PACE, **REMOTE, **access) as harness:
        warning = await warned(harness)

        answer = await harness.ephemeral_answer(harness.press(warning, GO_BACK_TO_MONDAY))

        assert "Bo Boss" in answer
        assert harness.rules() != []
        assert "Go back to Monday's memory" in words(warning_now(harness).blocks)
        history = await harness.ephemeral_answer(harness.press(warning, SHOW_HISTORY))
        assert RULE in history


async def test_where_nobody_answers_nothing_happens(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, pace=PACE, **REMOTE) as harness:
        await cards_by_a_bad_rule(harness)
        await harness.learned()
        assert warnings(harness, "worse") == []
