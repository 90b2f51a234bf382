"""`memalign rename-judge`: a team renames a judge, and goes on where it was."""

import asyncio
from pathlib import Path

import pytest

from bot.blocks.guideline_buttons import EDIT_GUIDELINE, GUIDELINE_MENU, PIN_GUIDELINE, RETIRE_GUIDELINE
from bot.blocks.guideline_list import TURN_PAGE
from bot.sandbox import Workspace
from memalign.ports import MemoryChange
from memalign.records import Trace
from storage.database import Database
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.bot.cli.test_cli import RULE, SETTINGS, ended, memalign, sentence
from tests.bot.listeners.test_guidelines_in_workspace import (
    choose,
    click,
    lesson,
    now,
    problems,
    save,
    taught,
    the_list,
)
from tests.storage.test_memories import episode

NEW = "tone"
TONE = {"name": NEW}
BETTER = "The answer should always offer some help."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_settings(tmp_path, NEW)
    return tmp_path


def write_settings(folder: Path, judge: str) -> None:
    text = SETTINGS.format(channel="C0000000001", port=0)
    (folder / "memalign.toml").write_text(text.replace('"politeness"', f'"{judge}"'))


async def the_rule(harness: BotInWorkspace, state: str, text: str = RULE) -> None:
    def as_expected() -> bool:
        return [(rule.text, rule.state) for rule in harness.bot.memories[NEW].guidelines] == [(text, state)]

    await harness.until(as_expected)


async def test_a_team_renames_a_judge_and_goes_on_where_it_was(folder: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(folder, workspace=workspace) as harness:
        card = await taught(harness)
        told = lesson(harness, card)
        listed = await the_list(harness)
        open_card = await harness.show("tr-2", "Of course, gladly!")
        # until it is noted that the card is posted
        await harness.learned()

    outcome = await memalign(folder, "rename-judge", JUDGE, NEW)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"Renamed {JUDGE} to {NEW}; it keeps 1 guideline, 1 case and 2 verdicts.\n"

    async with bot_in_workspace(folder, workspace=workspace, judge=TONE) as harness:
        assert harness.rules(NEW) == [RULE]
        assert harness.labels(NEW) == {"tr-1": False}
        # marks and buttons on cards of earlier days
        harness.react(open_card, "+1")
        await harness.learned()
        assert harness.labels(NEW).keys() == {"tr-1", "tr-2"}
        await harness.press(open_card, "vote_down", by=harness.ben)
        assert {"ana", "ben"} == set(await harness.feedback(open_card))
        # buttons and menus that name the judge by its former name
        await harness.press(told, RETIRE_GUIDELINE)
        await the_rule(harness, "retired")
        assert RULE in now(harness, listed)
        fresh = await the_list(harness, text=f"guidelines {NEW}")
        assert RULE in now(harness, fresh)
        assert not any(
            "no judge named" in text for text in await harness.asked(harness.ana, f"stats {JUDGE}")
        )
        # a retired rule stays so when it is said again
        again = await harness.show("tr-3", "Leave.")
        harness.react(again, "-1")
        harness.reply(again, RULE)
        await harness.learned()
        await the_rule(harness, "retired")
        # applications that name the judge as before
        await harness.send({"trace_id": "tr-4", "inputs": "Hi", "outputs": "Go!", "judges": [JUDGE]})
        await harness.card("tr-4")
        assert problems(harness) == []


async def test_lists_and_modals_of_earlier_days_are_of_the_judge_as_it_is_called_now(folder: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(folder, workspace=workspace) as harness:
        await taught(harness)
        for number in range(25):
            await harness.bot.guidelines.add(JUDGE, f"Answers should name source {number}.", harness.ana.id)
        listed, edited = await the_list(harness), await the_list(harness)
        await choose(harness, edited, RULE, EDIT_GUIDELINE)
        await asyncio.sleep(0.2)

    assert (await memalign(folder, "rename-judge", JUDGE, NEW)).code == 0

    async with bot_in_workspace(folder, workspace=workspace, judge=TONE) as harness:
        await click(harness, listed, f"{TURN_PAGE}:next")
        await harness.until(lambda: "Previous" in now(harness, listed))
        await click(harness, listed, f"{TURN_PAGE}:previous")
        await harness.until(lambda: RULE in now(harness, listed))
        await choose(harness, listed, RULE, PIN_GUIDELINE)
        await harness.until(lambda: any(rule.pinned for rule in harness.bot.memories[NEW].guidelines))
        await save(harness, harness.ana, BETTER)
        await harness.until(lambda: BETTER in harness.rules(NEW))
        assert GUIDELINE_MENU in str(harness.workspace.person_views.ephemeral(listed.user, listed.ts))
        assert problems(harness) == []


async def test_buttons_find_their_guideline_where_two_judges_have_swapped_names(folder: Path) -> None:
    workspace, judges = Workspace(), [{}, {"name": "wit"}]
    async with bot_in_workspace(folder, workspace=workspace, judges=judges) as harness:
        told = lesson(harness, await taught(harness))
        # both judges show a card of the trace
        first, second = sorted((JUDGE, "wit"), key=lambda name: not harness.rules(name))
        await harness.bot.guidelines.add(second, BETTER, harness.ana.id)
    for old, new in ((first, "between"), (second, first), ("between", second)):
        assert (await memalign(folder, "rename-judge", old, new)).code == 0
    async with bot_in_workspace(folder, workspace=workspace, judges=judges) as harness:
        await harness.press(told, RETIRE_GUIDELINE)
        states = {name: memory.guidelines for name, memory in harness.bot.memories.items()}
        await harness.until(
            lambda: [rule.state for rule in harness.bot.memories[second].guidelines] == ["retired"]
        )
        assert [(rule.text, rule.state) for rule in states[first]] == [(BETTER, "used")]


async def store_of(folder: Path, *judges: str) -> None:
    """Make a store in which judges have learned from one case each."""
    async with await Database.open(folder / "store") as database:
        for judge in judges:
            await database.memories.save(judge, MemoryChange(put_episodes=(episode("tr-1"),)))


async def judges_in(folder: Path) -> list[str]:
    async with await Database.open(folder / "store", read_only=True) as database:
        return [judge.name for judge in await database.judges.learned()]


async def test_a_trace_that_waited_for_the_judge_is_judged_under_the_new_name(folder: Path) -> None:
    async with await Database.open(folder / "store") as database:
        trace = Trace(trace_id="tr-9", inputs="Hello?", outputs="Go away.", judges=(JUDGE,))
        await database.traces.add([(trace, [JUDGE])], 1, 100)
    assert (await memalign(folder, "rename-judge", JUDGE, NEW)).code == 0
    async with bot_in_workspace(folder, judge=TONE) as harness:
        await harness.card("tr-9")
        verdict = await harness.bot.database.verdicts.of_judge(NEW, "tr-9")
        assert verdict is not None


async def test_it_is_refused_while_the_bot_runs(folder: Path) -> None:
    async with bot_in_workspace(folder) as harness:
        await taught(harness)
        line = sentence(await memalign(folder, "rename-judge", JUDGE, NEW))
        assert line.endswith("store: stop it, and run the same command again.")
        assert harness.rules() == [RULE]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("politness", NEW), 'Nothing is stored of a judge named "politness"'),
        ((JUDGE, JUDGE), 'The judge is called "politeness" already'),
        ((JUDGE, "wit"), '"wit" has learned from one case itself'),
    ],
)
async def test_a_renaming_that_cannot_be_is_told_in_one_sentence(
    folder: Path, arguments: tuple[str, str], part: str
) -> None:
    await store_of(folder, JUDGE, "wit")
    assert part in sentence(await memalign(folder, "rename-judge", *arguments))
    assert await judges_in(folder) == [JUDGE, "wit"]


async def test_a_name_that_the_settings_lack_is_told(folder: Path) -> None:
    await store_of(folder, JUDGE)
    outcome = await memalign(folder, "rename-judge", JUDGE, "manners")
    assert outcome.out.splitlines()[1:] == [
        "manners is not in the settings yet: name it there before you start the bot."
    ]
    write_settings(folder, "manners")
    outcome = await memalign(folder, "rename-judge", "manners", "good manners")
    assert outcome.out.splitlines()[1:] == [
        'good manners is not in the settings yet: change name = "manners" there before you start the bot.'
    ]
    assert await judges_in(folder) == ["good manners"]


async def test_without_data_there_is_nothing_to_rename_and_nothing_is_made(folder: Path) -> None:
    assert "no judge to rename" in sentence(await memalign(folder, "rename-judge", JUDGE, NEW))
    assert not (folder / "store").exists()


@pytest.mark.parametrize("arguments", [(), (JUDGE,), (JUDGE, " tone"), ("", NEW), (JUDGE, "a\nb")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("rename-judge", *arguments) == 2
    assert "usage: memalign rename-judge" in capsys.readouterr().err
