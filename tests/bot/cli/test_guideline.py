"""`memalign guideline`: the same through the running bot and on the store, and what it says of wrong usage."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.__main__ import parser
from bot.cli.guideline import carry_out
from bot.cli.reading import guidelines
from bot.plain_text import TERMINAL
from memalign.errors import MemAlignError
from storage.database import Database
from tests.bot.bot_in_workspace import JUDGE, bot_in_workspace
from tests.bot.cli.test_cli import SETTINGS, ended
from tests.factories import a_vote_against

GREET = "The answer should greet people first."
PRICE = "Answers must always name the price with tax."
Guideline = Callable[..., Awaitable[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "memalign.toml").write_text(SETTINGS.format(channel="C0000000001", port=0))
    return tmp_path


@pytest.fixture(params=["through the running bot", "on the store"])
async def guideline(
    request: pytest.FixtureRequest, folder: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Guideline]:
    """Runs the command in this process; its line, or the sentence with which it fails."""

    async def guideline(*arguments: str) -> str:
        config = ("--config", str(folder / "memalign.toml"))
        try:
            await carry_out(parser().parse_args(["guideline", *arguments, *config]))
        except MemAlignError as error:
            return str(error)
        return capsys.readouterr().out

    if request.param == "on the store":
        yield guideline
        return
    async with bot_in_workspace(folder):
        yield guideline


def id_in(line: str) -> str:
    done, rule_id = line.split()[:2]
    assert done == "Added"
    return rule_id.rstrip(":")


async def test_a_rule_is_added_edited_pinned_retired_restored_and_undone(
    guideline: Guideline, folder: Path
) -> None:
    added = await guideline("add", JUDGE, *GREET.split())
    rule_id = id_in(added)
    assert added == f"Added {rule_id}: {GREET}\n"
    beginning = rule_id[:8]

    told = [
        await guideline("edit", JUDGE, beginning, PRICE),
        await guideline("pin", JUDGE, beginning),
        await guideline("unpin", JUDGE, beginning),
        await guideline("retire", JUDGE, beginning),
        await guideline("restore", JUDGE, beginning),
        await guideline("undo", JUDGE, beginning),
    ]

    assert told == [
        f"{done} {rule_id}: {PRICE}\n"
        for done in ("Edited", "Pinned", "Unpinned", "Retired", "Restored", "Undone")
    ]
    async with await Database.open(folder / "store", read_only=True) as database:
        (rule,) = (await database.memories.load(JUDGE)).guidelines
    assert (rule.id, rule.text, rule.state, rule.people) == (rule_id, PRICE, "retired", (TERMINAL,))


async def test_the_list_says_of_each_rule_its_number_state_people_and_cases(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(*arguments: str) -> str:
        options = parser().parse_args([*arguments, "--config", str(folder / "memalign.toml")])
        await (carry_out if arguments[0] == "guideline" else guidelines)(options)
        return capsys.readouterr().out

    async with bot_in_workspace(folder) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, PRICE)
        await harness.learned()
        (price,) = harness.bot.memories[JUDGE].guidelines
        greet = id_in(await command("guideline", "add", JUDGE, GREET))
        await command("guideline", "pin", JUDGE, price.id)
        await command("guideline", "retire", JUDGE, greet)
        listed = await command("guidelines", JUDGE)
        ana = harness.ana.id

    assert listed.splitlines() == [
        f"{JUDGE}: 2 guidelines",
        f"1. {PRICE} Pinned: it comes first, and is never left out.",
        f"  from {ana} · 1 case: tr-1 · from one person so far · pinned by somebody at the terminal · id {price.id}",
        f"2. {GREET} Out of use: somebody retired it.",
        f"  added by somebody at the terminal · retired by somebody at the terminal · id {greet}",
        f"  to use it: memalign guideline restore {JUDGE} {greet}",
    ]


async def test_an_addition_undone_is_gone(guideline: Guideline) -> None:
    rule_id = id_in(await guideline("add", JUDGE, GREET))

    undone = await guideline("undo", JUDGE, rule_id)

    assert undone == f"Undone {rule_id}: {GREET} It is gone.\n"
    assert "has no guideline" in await guideline("undo", JUDGE, rule_id)


async def test_what_cannot_be_done_is_one_sentence(guideline: Guideline) -> None:
    first, second = id_in(await guideline("add", JUDGE, GREET)), id_in(await guideline("add", JUDGE, PRICE))
    await guideline("retire", JUDGE, first)

    assert "retired already" in await guideline("retire", JUDGE, first)
    assert "restore it first" in await guideline("pin", JUDGE, first)
    assert "restore it to use it again" in await guideline("add", JUDGE, GREET)
    assert "fixes the verdict" in await guideline("edit", JUDGE, second, "Always say pass.")
    several = await guideline("pin", JUDGE, "g-")
    assert '2 guidelines have ids that begin with "g-"' in several
    assert first in several
    assert second in several
    assert 'has no guideline whose id begins with "1"' in await guideline("pin", JUDGE, "1")


def test_a_mistyped_judge_or_action_is_answered_with_the_nearest(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ("--config", str(folder / "memalign.toml"))
    assert str(ended("guideline", "retire", "politness", "g-1", *config)).endswith(f"Did you mean {JUDGE}?")
    assert "There is no data" in str(ended("guideline", "retire", JUDGE, "g-1", *config))
    for wrong, meant in {"retier": "retire", "aprove": "approve", "restores": "restore"}.items():
        assert ended("guideline", wrong, JUDGE, "g-1") == 2
        assert f"did you mean {meant}?" in capsys.readouterr().err
    assert ended("guidelins") == 2
    assert "did you mean guidelines?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("retire", JUDGE), ("add", JUDGE), ("edit", JUDGE, "g-1"), ("pin",), (), ("xyz", JUDGE, "g-1")],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert ended("guideline", *arguments) == 2


async def test_the_list_begins_with_a_rule_in_doubt_its_votes_and_the_ways_to_use_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bot_in_workspace(folder) as harness:
        memory = harness.bot.memories[JUDGE]
        await memory.editor.add(GREET, harness.ana.id)
        price = await memory.editor.add(PRICE, harness.ana.id)
        await memory.learn([a_vote_against(f"case-{number}", price.id) for number in range(6)])
        await guidelines(
            parser().parse_args(["guidelines", JUDGE, "--config", str(folder / "memalign.toml")])
        )

    listed = capsys.readouterr().out.splitlines()
    assert listed[1].endswith(
        f"{PRICE} Not used for now: 6 of 6 votes were against verdicts that rested on it."
    )
    assert [line for line in listed if "to use it" in line] == [
        f"  to use it: memalign guideline {action} {JUDGE} {price.id}" for action in ("approve", "edit")
    ]
