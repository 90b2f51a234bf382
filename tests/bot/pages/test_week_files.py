"""A week as files to hand on: figures as in the digest, texts of others harmless, every kind read by a real parser."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import resources

import pytest
import pytest_asyncio
from markdown_it import MarkdownIt
from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Request, async_playwright

from bot.charts.theme import DARK, LIGHT
from bot.judge_week import JudgeWeek
from bot.pages.week_files import RENDERERS, ThemeName
from bot.pages.week_markdown import digest_markdown
from bot.pages.week_page import digest_page
from bot.pages.week_rows import WEEK_ROW_HEADER, week_rows
from bot.report_words import headline
from storage.records import CardSelection
from tests.bot.charts.samples import HOSTILE_TEXTS, points
from tests.bot.pages.page_reader import PageReader
from tests.bot.pages.week_factory import LINK, RULE, a_full_week, a_week
from tests.bot.reports.test_digest import DOWN, UNSURE, UP, voted
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

MARKDOWN = MarkdownIt("commonmark").enable("table")
QUIET_WEEK = a_week([], title="Nobody's judge")
CATEGORIES = ["complete", "partial", "=none"]


def category_week() -> JudgeWeek:
    cases = [voted(1, "complete", ("up", "complete")), voted(2, "partial", ("down", "=none"))]
    return a_week([*cases, voted(3, "=none", ("down", None))], CATEGORIES, title="Complete?")


def number_week() -> JudgeWeek:
    cases = [voted(number, number % 5 - 2, ("down", -2)) for number in range(12)]
    return a_week([*cases, voted(20, 1, ("down", None))], "int", title="Score", curve=points(3))


def text_week() -> JudgeWeek:
    return a_week([voted(1, "a tone", ("up", "a tone")), voted(2, "b", ("down", "c"))], "str", title="Tone")


ALL_KINDS = [a_full_week(), category_week(), number_week(), text_week(), QUIET_WEEK]


def hostile_week(text: str) -> JudgeWeek:
    """A week in which everything that people or traces may write is one text."""
    week = a_full_week(title=text, learned=(replace(RULE, text=text, authors=(text,)),), people=(text,))
    overruled = [replace(each, question=text) for each in week.report.verdicts]
    return replace(week, report=replace(week.report, verdicts=tuple(overruled)))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


# --- CSV


def test_the_rows_are_the_verdicts_that_the_digest_counts() -> None:
    week = a_week(
        [voted(1, True, UP), voted(2, True, DOWN, DOWN, UP), voted(3, True, UP, DOWN), voted(4, True, UNSURE)]
    )
    rows = rows_of(week_rows([week]))
    assert len(rows) == week.report.figures.n
    assert sum(row["agreed"] == "true" for row in rows) == week.report.figures.agreed
    assert [(row["trace_id"], row["judge_value"], row["people_label"], row["people"]) for row in rows] == [
        ("tr-1", "pass", "pass", "1"),
        ("tr-2", "pass", "fail", "3"),
    ]
    assert {row["link"] for row in rows} == {LINK}


def test_several_judges_share_a_file_with_one_head() -> None:
    rows = rows_of(week_rows(ALL_KINDS))
    assert len(rows) == sum(week.report.figures.n for week in ALL_KINDS)
    assert set(rows[0]) == set(WEEK_ROW_HEADER)


def test_a_row_tells_how_its_card_was_picked() -> None:
    stored, feedback = voted(1, True, UP)
    selection = CardSelection(probability=0.125, reason="new_rule")
    week = a_week([(replace(stored, selection=selection, is_blind=True, revealed_at="1.0"), feedback)])
    (row,) = rows_of(week_rows([week]))
    assert (row["inclusion_probability"], row["blind"]) == ("0.125", "true")
    assert row["chosen_because"] == "picked to try a new rule"


def test_a_verdict_that_its_card_does_not_show_yet_is_not_told_by_its_row() -> None:
    stored, feedback = voted(1, True, DOWN)
    (row,) = rows_of(week_rows([a_week([(replace(stored, is_blind=True), feedback)])]))
    assert (row["judge_value"], row["agreed"], row["people_label"]) == ("not shown yet", "", "fail")


def test_a_verdict_that_its_card_does_not_show_yet_is_not_listed_as_overruled() -> None:
    stored, feedback = voted(1, True, DOWN)
    hidden = a_week([(replace(stored, is_blind=True), feedback), voted(2, True, DOWN)])
    assert [each.trace_id for each in hidden.report.overruled] == ["tr-2"]


def test_an_unnamed_label_is_empty_and_numbers_stay_numbers() -> None:
    rows = rows_of(week_rows([number_week()]))
    assert rows[-1]["people_label"] == ""
    assert rows[-1]["agreed"] == "false"
    assert float(rows[0]["judge_value"]) == -2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(start: str) -> None:
    stored, feedback = voted(1, True, UP)
    verdict = replace(stored.verdict, trace_id=f'{start}HYPERLINK("https://evil.example";"a, b")')
    (row,) = rows_of(week_rows([a_week([(replace(stored, verdict=verdict), feedback)])]))
    assert row["trace_id"][0] in "' H"
    assert row["trace_id"].endswith('HYPERLINK("https://evil.example";"a, b")')


def test_a_file_of_rows_ends_each_line_as_the_standard_has_it() -> None:
    text = week_rows([a_full_week()])
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == 29
    assert text.endswith("\r\n")


def test_a_week_without_verdicts_has_the_head_alone() -> None:
    assert week_rows([QUIET_WEEK]) == ",".join(WEEK_ROW_HEADER) + "\r\n"


# --- Markdown


def test_markdown_tells_the_week_as_the_digest_does() -> None:
    week = a_full_week()
    told = headline(week.report)
    text = digest_markdown([week])
    assert text.startswith("# Digest of 2026-W48 (23–29 Nov)\n\n## Polite\n\n")
    assert f"**{told.agreement}** ({told.evidence})" in text
    assert "Always too lenient (7 of 7)." in text
    assert "| Judge: pass | 14 | 7 |" in text
    assert "| Name the place. | new | Ana, Ben, 3 cases |" in text
    assert "Thanks to Ana and Ben." in text
    assert "- Cards posted: 0 · answered: 28" in text


def test_a_quiet_week_is_one_line_and_no_judge_hides_another() -> None:
    text = digest_markdown(ALL_KINDS)
    headings = [token.content for token in MARKDOWN.parse(text) if token.type == "inline"]
    assert [
        head for head in ("Polite", "Complete?", "Score", "Tone", "Nobody's judge") if head in headings
    ] == [
        *("Polite", "Complete?", "Score", "Tone", "Nobody's judge"),
    ]
    assert text.endswith("A quiet week: nobody voted, and nothing was learned.\n")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_foreign_text_in_markdown_adds_no_html_no_picture_and_no_link_of_its_own(text: str) -> None:
    tokens = MARKDOWN.parse(digest_markdown([hostile_week(text)]))
    inline = [child for token in tokens for child in token.children or []]
    assert not {token.type for token in (*tokens, *inline)} & {"html_block", "html_inline", "image", "fence"}
    links = {child.attrs["href"] for child in inline if child.type == "link_open"}
    assert links <= {LINK}
    plain = MARKDOWN.parse(digest_markdown([hostile_week("plain")]))
    assert [token.type for token in tokens] == [token.type for token in plain]


# --- HTML


@pytest.mark.parametrize("week", ALL_KINDS, ids=lambda week: week.report.title)
def test_a_page_is_well_formed_and_needs_nothing_beside_it(week: JudgeWeek) -> None:
    source = digest_page([week])
    page = PageReader(source)
    assert page.is_balanced
    assert set(page.ids.values()) <= {1}
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.elements)
    assert [value for name, value in page.attributes if name.startswith("on")] == []
    assert set(re.findall(r"https?://[^\"' ]+", source)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert [level for level, _ in page.headings][:2] == [1, 2]


def test_a_page_tells_what_the_digest_tells() -> None:
    page = PageReader(digest_page([a_full_week()]))
    assert page.table("Guidelines of the week").rows[1] == ["Name the place.", "new", "Ana, Ben, 3 cases"]
    assert len(page.table("Most overruled").rows) == 8
    assert "75% agreement" in page.text
    assert "Thanks to Ana and Ben." in page.text


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_foreign_text_on_a_page_is_text(text: str) -> None:
    page, plain = (
        PageReader(digest_page([hostile_week(text)])),
        PageReader(digest_page([hostile_week("plain")])),
    )
    assert page.is_balanced
    assert page.elements == plain.elements


def test_names_are_left_out_where_votes_are_not_shown() -> None:
    week = a_full_week(people=(), unnamed_people=2, learned=(replace(RULE, authors=()),))
    for told in (digest_page([week]), digest_markdown([week])):
        assert "Ana" not in told
        assert "Thanks to everybody who answered." in told


def test_pages_are_part_of_an_installed_package() -> None:
    files = {each.name for each in resources.files("bot.pages").iterdir()}
    assert {"base.html", "digest.html", "page.css"} <= files


# --- PNG


@pytest.mark.parametrize(("theme", "background"), [("light", LIGHT.background), ("dark", DARK.background)])
def test_a_picture_shows_all_judges_in_the_theme(theme: ThemeName, background: str) -> None:
    content = RENDERERS[".png"](ALL_KINDS, theme)
    assert isinstance(content, bytes)
    image = Image.open(io.BytesIO(content)).convert("RGB")
    assert "#" + image.crop((1, 1, 2, 2)).tobytes().hex() == background
    assert image.width == 1632
    assert image.height > 5 * 3 * 96 * 2


# --- in a browser


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_a_page_fits_its_window_asks_for_nothing_and_follows_the_system(
    browser: Browser, scheme: str, width: int
) -> None:
    page = await browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    told: list[str] = []

    def note(event: ConsoleMessage | Request) -> None:
        told.append(event.text if isinstance(event, ConsoleMessage) else event.url)

    page.on("console", note)
    page.on("request", note)
    await page.set_content(digest_page([hostile_week(HOSTILE_TEXTS[0]), *ALL_KINDS]))
    assert told == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    line = page.locator("svg path[style*='--chart-judge']").first
    colour = await line.evaluate("node => getComputedStyle(node).stroke")
    theme = DARK if scheme == "dark" else LIGHT
    assert colour == "rgb({}, {}, {})".format(*bytes.fromhex(theme.judge[1:]))


@pytest.mark.browser
async def test_on_paper_a_page_is_light(browser: Browser) -> None:
    page = await browser.new_page(color_scheme="dark")
    await page.set_content(digest_page([a_full_week()]))
    await page.emulate_media(media="print")
    line = page.locator("svg path[style*='--chart-judge']").first
    colour = await line.evaluate("node => getComputedStyle(node).stroke")
    assert colour == "rgb({}, {}, {})".format(*bytes.fromhex(LIGHT.judge[1:]))
