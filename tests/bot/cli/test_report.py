"""`memalign report`: one page on a judge, also while the bot runs."""

import stat
from pathlib import Path

import pytest

from storage.database import Database
from tests.bot.cli.test_cli import RULE, Beside, memalign, sentence
from tests.bot.pages.page_reader import PageReader
from tests.bot.report_store import FedCard, FedVote, feed

SECOND_JUDGE = """
[[judges]]
name = "brevity"
channel = "C0000000001"
model = "local:/cases"
instructions = "Is it short? {{ outputs }}"
"""


def files_of(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_it_is_written_while_the_bot_runs_with_names_and_links_of_slack(beside: Beside) -> None:
    slack = beside.harness.slack
    env = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    told = await memalign(beside.folder, "report", "politeness", "--out", "page.html", env=env)
    assert (told.code, told.out.splitlines()) == (
        0,
        ["The report on politeness is in page.html; it holds people's words: pass it on with care."],
    )
    page = PageReader((beside.folder / "page.html").read_text(encoding="utf-8"))
    card = await beside.harness.card("tr-1")
    (link,) = [each for each in page.links if each.startswith("https://")]
    domain = beside.harness.workspace.domain
    assert link == f"https://{domain}.slack.com/archives/{card.channel}/p{card.ts.replace('.', '')}"
    (rule,) = page.table("In use").rows[1:]
    assert rule[1] == RULE
    assert rule[6] == "Ana Ruiz"


async def test_without_a_token_it_names_ids_and_links_nowhere(beside: Beside) -> None:
    told = await memalign(
        beside.folder, "report", "--out", "page.html", env={"SLACK_API_URL": "http://127.0.0.1:9/"}
    )
    assert told.code == 0, told.err
    page = PageReader((beside.folder / "page.html").read_text(encoding="utf-8"))
    assert [each for each in page.links if not each.startswith("#")] == []
    assert page.table("In use").rows[1][6] == beside.harness.ana.id


async def test_a_page_that_is_there_is_replaced_and_only_its_owner_reads_it(folder: Path) -> None:
    async with await Database.open(folder / "store") as database:
        await feed(
            database, "politeness", [FedCard(trace_id="tr-1", value=True, votes={"ana": FedVote(emoji="+1")})]
        )
    target = folder / "elsewhere.html"
    target.write_text("old")
    (folder / "page.html").symlink_to(target)
    assert (await memalign(folder, "report", "--out", "page.html")).code == 0
    assert (folder / "page.html").is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [name for name in files_of(folder) if name.endswith(".part")] == []


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("page.md", "has to end in .html"),
        ("page", "has to end in .html"),
        ("nowhere/page.html", "There is no folder nowhere"),
        ("store/page.html", "is in the folder of the store"),
        ("folder.html", "is a folder"),
    ],
)
async def test_a_place_that_no_page_can_have_is_told_in_a_sentence(
    folder: Path, out: str, words: str
) -> None:
    async with await Database.open(folder / "store"):
        pass
    (folder / "folder.html").mkdir()
    before = files_of(folder)
    assert words in sentence(await memalign(folder, "report", "--out", out))
    assert files_of(folder) == before


async def test_of_several_judges_one_has_to_be_named(folder: Path) -> None:
    with (folder / "memalign.toml").open("a") as settings:
        settings.write(SECOND_JUDGE)
    async with await Database.open(folder / "store"):
        pass
    told = sentence(await memalign(folder, "report", "--out", "page.html"))
    assert told.endswith("The judges are: politeness, brevity.")
    unknown = sentence(await memalign(folder, "report", "brevty", "--out", "page.html"))
    assert "Did you mean brevity?" in unknown
    assert (await memalign(folder, "report", "brevity", "--out", "page.html")).code == 0
    assert (await memalign(folder, "report", "brevity")).code == 2
