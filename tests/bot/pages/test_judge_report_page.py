"""The page of a judge's report: whatever others wrote is text on it, and it reads well by eye, by tool and on paper."""

import re
from collections.abc import AsyncIterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bot.judge_report import (
    JudgeCard,
    JudgeReport,
    LabelCount,
    ModelUse,
    OverruledCard,
    ReportData,
    ReportRule,
    ReportSettings,
    ReportVersion,
    Rollback,
    SettingsChange,
    VersionHistory,
)
from bot.pages.judge_report import judge_report_page
from bot.records import AgreementShare, BlindAgreement, CurvePoint, Digest, EstimatedShare, SingleVotes
from memalign.records import GuidelineTrial, Json
from memalign.value_types import value_type_of
from tests.bot.pages.page_reader import PageReader
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

T = TypeVar("T")
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOSTILE = (
    "</pre></td><script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>"
    "{{ 7 * 7 }}{% raw %}\"'><b>&lt;i&gt;</b>\u202egnp.exe\x00\x1b[31m \ud83d"
)
SHOWN = (
    "</pre></td><script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>"
    "{{ 7 * 7 }}{% raw %}\"'><b>&lt;i&gt;</b>gnp.exe[31m \ufffd"
)


def figures(week: str = "", n: int = 40, agreed: int = 31) -> Digest:
    return Digest(
        judge="polite",
        week=week,
        n=n,
        agreed=agreed,
        agreement=agreed / n,
        wilson_low=0.6,
        wilson_high=0.9,
        table={
            "judge_pass_people_pass": 21,
            "judge_pass_people_fail": 7,
            "judge_fail_people_pass": 2,
            "judge_fail_people_fail": 10,
        },
        kappa=0.52,
        ac1=0.6,
        people=3,
        guidelines_learned=2,
        guidelines_retired=1,
        forgotten=1,
        shown=60,
        answered=45,
        unsure=2,
        split=3,
        kappa_low=0.2,
        kappa_high=0.8,
        weighted_agreement=agreed / n,
        weighted_low=0.6,
        weighted_high=0.9,
        blind=BlindAgreement(
            n=20,
            agreed=13,
            agreement=0.65,
            low=0.43,
            high=0.82,
            anchored_n=30,
            anchored_agreed=25,
            effect=0.18,
            effect_low=0.02,
            effect_high=0.4,
        ),
        single_votes=SingleVotes(
            with_judge=AgreementShare(agreed=30, n=40, low=0.6, high=0.9),
            among_people=AgreementShare(agreed=15, n=20, low=0.5, high=0.9),
        ),
    )


def point(week: str) -> CurvePoint:
    share = AgreementShare(agreed=31, n=40, low=0.6, high=0.9)
    estimate = EstimatedShare(share=0.775, low=0.6, high=0.9)
    return CurvePoint(
        week=week, shown=share, beside_base=share, base=share, estimate=estimate, base_share=estimate.share
    )


def full_report() -> JudgeReport:
    """A report with something in every field."""
    return JudgeReport(
        card=JudgeCard(
            name="polite",
            title="Polite",
            instructions="Is it polite?\n{{ inputs }} {{ outputs }}",
            value_type=value_type_of("bool"),
            model="openai:/gpt-5-mini",
            embedding_model="openai:/text-embedding-3-small",
            reflection_model="openai:/gpt-5-mini",
            skipped=("errors",),
            memory_version=7,
            cases=12,
        ),
        made_at=AT,
        program_version="0.1.0",
        first_verdict=AT,
        last_verdict=AT,
        life=figures(),
        recent=figures(n=12, agreed=9),
        weeks=[figures(f"2026-W{week}") for week in range(40, 48)],
        curve=[point(f"2026-W{week}") for week in range(40, 48)],
        worse_weeks=(),
        data=ReportData(
            traces=500,
            sampled_lately=300,
            judged=70,
            shown=60,
            blind=6,
            reasons={"random": 40, "unlike": 20},
            lowest_chance=0.1,
            highest_chance=1.0,
            cards_without_chance=5,
            near_copies=2,
            models=[ModelUse(model="openai:/gpt-5-mini", verdicts=70, first=AT, last=AT)],
            forgotten_traces=1,
            forgotten_people=1,
            expired=3,
            late=4,
            most_by_one=40,
            votes=60,
            damaged_records=0,
        ),
        settings=ReportSettings(
            rate=0.1,
            max_per_day=20,
            max_per_day_of_channel=30,
            spread=True,
            blind=0.1,
            max_model_calls_per_day=1000,
            keep_days=90,
            is_redacted=True,
            keeps_originals=True,
            min_people=2,
            needs_approval=True,
            changes=["The instructions were changed."],
        ),
        labels=[
            LabelCount(value=True, people=True, verdicts=21),
            LabelCount(value=True, people=False, verdicts=7),
            LabelCount(value=False, people=True, verdicts=2),
            LabelCount(value=False, people=False, verdicts=10),
        ],
        overruled=[
            OverruledCard(
                trace_id="tr-1",
                question="Where is my parcel?",
                judged_at=AT,
                value=True,
                rationale="It is short.",
                people_label=False,
                supporters=2,
                voters=3,
                link="https://acme.slack.com/archives/C1/p17",
            )
        ],
        rules=[
            ReportRule(
                number=1,
                text="Greet the user.",
                group=group,
                note="In doubt.",
                up=5,
                down=2,
                cases=3,
                people=2,
                names=("Ana", "Ben"),
                since=AT,
                led=9,
                trial=GuidelineTrial(fixed=3, broke=1, tried=20),
            )
            for group in ("used", "doubtful", "waiting", "retired")
        ],
        history=VersionHistory(
            total=30,
            newest=[
                ReportVersion(number=7, at=AT, cause="learned from Ana", changes=["+ “Greet the user.”"])
            ],
            rollbacks=[Rollback(at=AT, number=6, to=4)],
            settings=[SettingsChange(at=AT, note="The instructions were changed.")],
        ),
    )


def with_text_everywhere(record: T, text: str) -> T:
    """Return the record with the text in every field that holds free text, the trace's link and closed sets left."""
    closed = {
        "group",
        "skipped",
        "worse_weeks",
        "kind",
        "model",
        "embedding_model",
        "reflection_model",
        "week",
        "program_version",
        "link",
        "reasons",
        "value_type",
    }
    if isinstance(record, str):
        return text  # type: ignore[return-value]
    if isinstance(record, list | tuple):
        return type(record)(with_text_everywhere(each, text) for each in record)
    if not is_dataclass(record) or isinstance(record, type):
        return record
    values: dict[str, Json] = {
        each.name: with_text_everywhere(getattr(record, each.name), text)
        for each in fields(record)
        if each.init and each.name not in closed
    }
    return replace(record, **values)


def names_of(attributes: list[tuple[str, str | None]]) -> list[str]:
    return sorted(name for name, _ in attributes)


def test_text_of_others_is_text_and_adds_no_element() -> None:
    plain = PageReader(judge_report_page(full_report()))
    hostile_page = judge_report_page(with_text_everywhere(full_report(), HOSTILE))
    hostile = PageReader(hostile_page)
    assert hostile.elements == plain.elements
    assert names_of(hostile.attributes) == names_of(plain.attributes)
    assert hostile.is_balanced
    assert hostile.links == plain.links
    # title (twice), name, instructions, question, trace, two reasons, rules with notes and names, versions, settings
    assert hostile.text.count(SHOWN) >= 20
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", hostile_page)


@pytest.mark.parametrize("value", [HOSTILE, "refund"])
def test_categories_and_free_texts_are_text_as_well(value: str) -> None:
    report = full_report()
    hostile = replace(
        report,
        card=replace(report.card, value_type=value_type_of([value, "other"])),
        life=replace(report.life, table=None),
        labels=[
            LabelCount(value=value, people="other", verdicts=9),
            LabelCount(value="other", people=None, verdicts=22),
        ],
        overruled=[replace(report.overruled[0], value=value, people_label=value)],
    )
    page = PageReader(judge_report_page(hostile))
    assert page.is_balanced
    assert page.elements["script"] == page.elements["img"] == 0
    shown = SHOWN if value == HOSTILE else value
    assert f"People: {shown}" in page.text
    said = f"{SHOWN[:119]}…" if value == HOSTILE else value
    assert f"it most often says “{said}” for “other”: 9 of 9 times." in page.text


def test_nothing_is_fetched_and_no_script_is_needed() -> None:
    page = judge_report_page(full_report())
    read = PageReader(page)
    assert [tag for tag in ("script", "link", "img", "iframe", "object", "form") if read.elements[tag]] == []
    assert not re.search(r"url\((?!#)|@import|\bsrc=|\bon\w+=|href=\"(?!#|https://acme)", page)
    assert "default-src 'none'" in page


def test_headings_descend_one_by_one_and_tables_name_themselves() -> None:
    page = PageReader(judge_report_page(full_report()))
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.tables) >= 10
    assert [table for table in page.tables if not table.caption] == []
    assert {scope for table in page.tables for scope in table.scopes} == {"col", "row"}
    assert [name for name, number in page.ids.items() if number > 1] == []
    assert all(page.elements[landmark] for landmark in ("header", "main", "nav", "footer"))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    named = {
        name for key, value in page.attributes if key == "aria-labelledby" for name in (value or "").split()
    }
    assert named <= set(page.ids)


def test_the_short_sentences_have_at_most_25_words() -> None:
    page = judge_report_page(full_report())
    short = re.search(r'id="short".*?</section>', page, re.DOTALL)
    assert short is not None
    sentences = [
        each for text in re.findall(r"<p>(.*?)</p>", short[0]) for each in re.split(r"(?<=[.])\s", text)
    ]
    assert len(sentences) >= 3
    assert [each for each in sentences if len(each.split()) > 25] == []


def test_the_anchoring_effect_is_told_with_its_interval() -> None:
    report = full_report()
    page = PageReader(judge_report_page(report))
    assert page.table("First answers, before and after").body == {
        "Asked before it showed the verdict": ["20", "13"],
        "Showed the verdict at once": ["30", "25"],
    }
    assert "people who had not seen the verdict: 65%, likely between 43% and 82%." in page.text
    assert "it is +18 points, likely between +2 and +40." in page.text
    few = replace(report, life=replace(report.life, blind=replace(blind_of(report), n=4)))
    told = PageReader(judge_report_page(few)).text
    assert "Only 4 answers came before the verdict was shown" in told
    assert "65%" not in told


def blind_of(report: JudgeReport) -> BlindAgreement:
    assert report.life.blind is not None
    return report.life.blind


def test_unequal_lengths_of_labels_make_no_table_without_end() -> None:
    report = full_report()
    labels = [LabelCount(value=each / 7, people=each / 9, verdicts=1) for each in range(1, 60)]
    numbers = replace(
        report,
        card=replace(report.card, value_type=value_type_of("float")),
        life=replace(
            report.life,
            table=None,
            has_scores=True,
            n=59,
            agreed=0,
            mean_absolute_error=0.4,
            weighted_kappa=0.7,
        ),
        labels=labels,
    )
    page = PageReader(judge_report_page(numbers))
    assert not any(table.caption.startswith("Verdicts by the judge's value") for table in page.tables)
    assert "too low 0, the same 0, too high 59 times" in page.text
    assert "Where they differ, its number is mostly too high: 59 of 59 times." in page.text


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        await opened.close()


CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let worst = 21;
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return worst;
}"""
"""WCAG 2.2's contrast ratio, the lowest of all texts."""


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_a_browser_shows_it_from_a_file_without_a_request_or_an_error(
    browser: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    file = tmp_path / "report.html"
    file.write_text(judge_report_page(with_text_everywhere(full_report(), HOSTILE)), encoding="utf-8")
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = await context.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(file.as_uri())
    assert requests == [file.as_uri()]
    assert problems == []
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    stacks = (
        "[...document.querySelectorAll('table.stack')].every((each) => each.scrollWidth <= each.clientWidth)"
    )
    assert await page.evaluate(stacks)
    assert await page.evaluate("document.body.textContent.includes('{{ 7 * 7 }}')")
    assert await page.evaluate(CONTRAST) >= 4.5
    await context.close()


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
async def test_it_prints_within_the_paper(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(judge_report_page(full_report()), encoding="utf-8")
    page = await browser.new_page(viewport={"width": 672, "height": 900}, color_scheme="dark")
    await page.goto(file.as_uri())
    await page.emulate_media(media="print")
    assert (
        await page.evaluate("document.documentElement.scrollWidth") <= 672
    )  # A4 less its margins, in pixels
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert await page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert (await page.pdf(prefer_css_page_size=True)).startswith(b"%PDF")
