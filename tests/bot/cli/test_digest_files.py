"""`memalign digest --out`: files to hand on, also while the bot runs, and what it refuses in a sentence."""

import csv
import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.charts.theme import DARK, LIGHT
from bot.runtime.clock import from_ms, now_ms, week_of
from storage.database import Database
from tests.bot.cli.test_cli import Beside, ended, memalign, sentence
from tests.bot.cli.test_report import files_of
from tests.bot.pages.page_reader import PageReader
from tests.bot.report_store import FedCard, FedVote, feed

FED_WEEK = "2026-W32"


def corner(file: Path) -> str:
    """The colour of a picture's first pixel."""
    with Image.open(file) as image:
        return "#" + image.convert("RGB").crop((0, 0, 1, 1)).tobytes().hex()


async def fed(folder: Path) -> None:
    """A store with three answered cards in week 32."""
    votes = [{"U1": FedVote(emoji="+1")}, {"U1": FedVote(emoji="-1")}, {"U1": FedVote(emoji="shrug")}]
    cards = [FedCard(trace_id=f"=tr-{number}", value=True, votes=each) for number, each in enumerate(votes)]
    async with await Database.open(folder / "store") as database:
        await feed(database, "politeness", cards)


async def test_each_ending_makes_its_kind_of_file(folder: Path) -> None:
    await fed(folder)
    for name in ("week.md", "week.html", "week.CSV", "week.png"):
        told = await memalign(folder, "digest", "--week", FED_WEEK, "--out", name)
        assert (told.code, told.err) == (0, "")
        assert name in told.out
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert "The judge was right on 1 of 2 verdicts" in (folder / "week.md").read_text(encoding="utf-8")
    assert PageReader((folder / "week.html").read_text(encoding="utf-8")).is_balanced
    with (folder / "week.CSV").open(newline="", encoding="utf-8") as file:
        assert [row["trace_id"] for row in csv.DictReader(file)] == ["'=tr-0", "'=tr-1"]
    assert corner(folder / "week.png") == LIGHT.background
    assert not [name for name in files_of(folder) if name.endswith(".part")]


async def test_it_is_written_while_the_bot_runs_with_names_and_links_of_slack(beside: Beside) -> None:
    slack = beside.harness.slack
    env = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    told = await memalign(beside.folder, "digest", "--out", "week.html", env=env)
    assert told.code == 0, told.err
    page = PageReader((beside.folder / "week.html").read_text(encoding="utf-8"))
    card = await beside.harness.card("tr-1")
    domain = beside.harness.workspace.domain
    assert page.links == [f"https://{domain}.slack.com/archives/{card.channel}/p{card.ts.replace('.', '')}"]
    assert "Thanks to Ana Ruiz." in page.text


async def test_a_dark_picture_is_dark(folder: Path) -> None:
    await fed(folder)
    for theme in ("light", "dark"):
        told = await memalign(folder, "digest", "--week", FED_WEEK, "--out", f"{theme}.png", "--theme", theme)
        assert told.code == 0, told.err
    assert [corner(folder / f"{theme}.png") for theme in ("light", "dark")] == [
        LIGHT.background,
        DARK.background,
    ]


async def test_a_dash_is_standard_output_in_the_chosen_format(folder: Path) -> None:
    await fed(folder)
    plain = await memalign(folder, "digest", "--week", FED_WEEK)
    assert "agreement 1 of 2" in plain.out
    assert (await memalign(folder, "digest", "--week", FED_WEEK, "--out", "-")).out == plain.out
    told = await memalign(folder, "digest", "--week", FED_WEEK, "--out", "-", "--format", "json")
    assert json.loads(told.out)["n"] == 2


async def test_a_week_that_nobody_answered_has_no_table_of_zeros(folder: Path) -> None:
    async with await Database.open(folder / "store") as database:
        await feed(database, "politeness", [FedCard(trace_id="tr-1", value=True, votes={})])
    told = (await memalign(folder, "digest", "--week", FED_WEEK)).out
    assert "nobody voted" in told
    assert "majority" not in told
    assert "judge pass" not in told


async def test_a_week_that_has_not_begun_is_no_quiet_week(folder: Path) -> None:
    await fed(folder)
    told = await memalign(folder, "digest", "--week", "2999-W05")
    assert told.out.endswith("2999-W05: this week has not begun yet.\n")
    assert (await memalign(folder, "digest", "--week", "2999-W05", "--out", "week.md")).code == 0
    page = (folder / "week.md").read_text(encoding="utf-8")
    assert "This week has not begun yet." in page
    assert "quiet" not in page


async def test_last_is_the_week_before_this_one(folder: Path) -> None:
    await fed(folder)
    last = week_of((from_ms(now_ms()) - timedelta(days=7)).date())
    told = await memalign(folder, "digest", "--week", "last", "--format", "json")
    assert json.loads(told.out)["week"] in {last, week_of(from_ms(now_ms()).date() - timedelta(days=6))}


@pytest.mark.parametrize("week", ["", "0001-W01", "1970-W52", "lastly"])
def test_a_week_that_is_none_is_wrong_usage(week: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("digest", "--week", week) == 2
    assert "write it like 2026-W47" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "week.pdf"), "has to end in .md, .html, .csv or .png"),
        (("--out", "week"), "has to end in .md, .html, .csv or .png"),
        (("--out", "nowhere/week.md"), "There is no folder nowhere"),
        (("--out", "store/week.md"), "is in the folder of the store"),
        (("--out", "folder.md"), "is a folder"),
        (("--out", "week.md", "--format", "json"), "--format is for standard output"),
        (("--out", "week.md", "--theme", "dark"), "--theme is for a picture"),
        (("--theme", "dark"), "--theme is for a picture"),
    ],
)
async def test_what_cannot_be_written_is_told_in_a_sentence(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    await fed(folder)
    (folder / "folder.md").mkdir()
    before = files_of(folder)
    assert words in sentence(await memalign(folder, "digest", "--week", FED_WEEK, *arguments))
    assert files_of(folder) == before


async def test_a_store_without_anything_makes_a_page_that_says_so(folder: Path) -> None:
    async with await Database.open(folder / "store"):
        pass
    for name in ("week.md", "week.html", "week.csv", "week.png"):
        assert (await memalign(folder, "digest", "--week", FED_WEEK, "--out", name)).code == 0
    assert "A quiet week" in (folder / "week.md").read_text(encoding="utf-8")
