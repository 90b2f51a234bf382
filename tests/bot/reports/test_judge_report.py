"""A judge's report from the store to the page: its figures are those that other code computes from what was fed."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from bot.blocks.selection import SELECTION_WORDS
from bot.config import Settings
from bot.judge_report import JudgeReport
from bot.judging.settings_changes import fingerprint_of
from bot.pages.judge_report import judge_report_page
from bot.pages.report_limits import report_limits
from bot.plain_text import capitalised
from bot.reports.digest import read_digest
from bot.reports.judge_report_reader import ReportSources, read_judge_report
from bot.runtime.clock import from_ms
from memalign.ports import MemoryChange
from memalign.records import Handling, Json, Label
from memalign.value_types import value_type_of
from storage.database import Database
from storage.records import AuditLine, CardSelection, ShadowVerdict, StoredVerdict
from tests.bot.bot_in_workspace import JUDGE, settings_for
from tests.bot.pages.page_reader import PageReader
from tests.bot.report_store import CHANNEL, MONDAY_MS, WEEK_MS, FedCard, FedVote, feed
from tests.factories import a_guideline, a_source

BERLIN = ZoneInfo("Europe/Berlin")
NOW = from_ms(MONDAY_MS + 11 * WEEK_MS, BERLIN)
UP, DOWN, UNSURE = FedVote(emoji="+1"), FedVote(emoji="-1"), FedVote(emoji="shrug")


async def no_names(people: Iterable[str]) -> Mapping[str, str]:
    return {person: person for person in people}


async def no_links(_cards: Sequence[StoredVerdict]) -> Mapping[str, str]:
    """Know of no workspace."""
    return {}


async def links_to(cards: Sequence[StoredVerdict]) -> Mapping[str, str]:
    return {
        card.verdict_id: f"https://acme.slack.com/archives/{card.channel}/p{card.message_ts.replace('.', '')}"
        for card in cards
        if card.message_ts
    }


def ignore(_number: int) -> None:
    """Show no progress."""


async def read(database: Database, settings: Settings, now: datetime = NOW) -> JudgeReport:
    judge = settings.judges[0]
    sources = ReportSources(
        fingerprint=fingerprint_of(judge, settings),
        names_of=no_names,
        links_to=links_to,
        advance=ignore,
    )
    return await read_judge_report(database, settings, judge, now, sources)


def berlin_settings(folder: Path, **sections: Json) -> Settings:
    return settings_for(folder, CHANNEL, digest={"timezone": "Europe/Berlin"}, **sections)


def random_cards(values: Sequence[Label], seed: int, weeks: int = 12, number: int = 240) -> list[FedCard]:
    """Cards of which people answer about two in three, with ties, people who cannot tell, and unnamed values."""
    chance = random.Random(seed)
    cards = []
    for each in range(number):
        value, votes = chance.choice(values), {}
        for person in ("ana", "ben", "chi"):
            if chance.random() < 0.4:
                right = chance.choice([other for other in values if other != value])
                names_value = len(values) > 2 and chance.random() < 0.6
                wrong = FedVote(emoji="-1", value=right if names_value else None)
                votes[person] = chance.choices([UP, wrong, UNSURE], [0.6, 0.3, 0.1])[0]
        cards.append(
            FedCard(trace_id=f"tr-{each:03d}", value=value, week=each * weeks // number, votes=votes)
        )
    return cards


def people_label(card: FedCard, values: Sequence[Label]) -> object:
    """The majority of those who can tell, counted by hand; None for a tie, or without anybody."""
    labels: Counter[object] = Counter()
    for vote in card.votes.values():
        if vote.emoji == "+1":
            labels[repr(card.value)] += 1
        elif vote.emoji == "-1" and len(values) == 2:
            labels[repr(next(each for each in values if each != card.value))] += 1
        elif vote.emoji == "-1":
            labels["unnamed" if vote.value is None else repr(vote.value)] += 1
    best = labels.most_common(2)
    return None if not best or (len(best) == 2 and best[0][1] == best[1][1]) else best[0][0]


def percent(share: float) -> str:
    return f"{share:.0%}"


def share_cell(agreed: int, n: int) -> str:
    if n < 10:
        return "–"
    low, high = proportion_confint(agreed, n, method="wilson")
    return f"{percent(agreed / n)} ({percent(low)} to {percent(high)})"


JUDGES: Mapping[str, tuple[Json, Sequence[Label]]] = {
    "pass or fail": ({"feedback_value_type": "bool"}, (True, False)),
    "categories": (
        {"feedback_value_type": ["billing", "refund", "other, or both"]},
        ("billing", "refund", "other, or both"),
    ),
    "numbers": ({"feedback_value_type": "int", "range": [1, 5]}, (1, 2, 3, 4, 5)),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", JUDGES)
async def test_the_figures_on_the_page_are_those_counted_from_what_was_fed(
    database: Database, tmp_path: Path, kind: str, seed: int
) -> None:
    judge, values = JUDGES[kind]
    settings = berlin_settings(tmp_path, judge=judge)
    cards = random_cards(values, seed)
    await feed(database, JUDGE, cards)
    page = PageReader(judge_report_page(await read(database, settings)))

    labels = {card.trace_id: people_label(card, values) for card in cards}
    compared = [card for card in cards if labels[card.trace_id] is not None]
    agreed = [card for card in compared if labels[card.trace_id] == repr(card.value)]
    answered = [card for card in cards if card.votes]
    unsure = [card for card in answered if all(vote is UNSURE for vote in card.votes.values())]
    steps = page.table("From traces to figures").body
    assert steps["Judged by this judge"] == [str(len(cards))]
    assert steps["Answered"] == [str(len(answered))]
    assert steps["Compared: people have a majority"] == [str(len(compared))]
    assert steps["Left out: nobody could tell"] == [str(len(unsure))]
    assert steps["Left out: people tie"] == [str(len(answered) - len(compared) - len(unsure))]
    assert steps["People who answered"] == ["3"]
    assert steps["Their votes"] == [str(sum(len(card.votes) for card in cards))]

    figures = page.table("Figures of all weeks").body
    recent = [card for card in compared if card.week >= 8]
    recent_agreed = [card for card in agreed if card.week >= 8]
    assert figures["Verdicts compared"] == [str(len(compared)), str(len(recent))]
    assert figures["People agreed"] == [str(len(agreed)), str(len(recent_agreed))]
    assert figures["Agreement"] == [
        share_cell(len(agreed), len(compared)),
        share_cell(len(recent_agreed), len(recent)),
    ]
    if kind != "numbers":
        pairs = [(repr(card.value), str(labels[card.trace_id])) for card in compared]
        kappa = cohen_kappa_score(*zip(*pairs, strict=True))
        assert figures["Cohen's kappa"][0].startswith(f"{kappa:.2f} (")

    weeks = page.table("Agreement by week").body
    assert len(weeks) == 12
    for number, (name, cells) in enumerate(weeks.items()):
        of_week = [card for card in compared if card.week == number]
        right = [card for card in agreed if card.week == number]
        assert name == f"2026-W{32 + number}"
        assert cells[2:5] == [str(len(of_week)), str(len(right)), share_cell(len(right), len(of_week))]

    matrix = page.table("Verdicts by the judge's value").rows[1:]
    spelled = ["pass", "fail"] if kind == "pass or fail" else [str(value) for value in values]
    columns = [*(repr(value) for value in values), *([] if len(values) == 2 else ["unnamed"])]
    assert matrix == [
        [
            f"Judge: {word}",
            *(
                str(
                    sum(
                        card.value is value or card.value == value
                        for card in compared
                        if labels[card.trace_id] == label
                    )
                )
                for label in columns
            ),
        ]
        for word, value in zip(spelled, values, strict=True)
    ]

    overruled = page.table("Verdicts that people overruled").rows[1:]
    wrong = [card for card in compared if labels[card.trace_id] != repr(card.value)]
    assert [row[0].rpartition("Trace ")[2] for row in overruled] == [
        card.trace_id for card in reversed(wrong)
    ]


async def test_weeks_on_the_page_are_those_of_the_digest(database: Database, tmp_path: Path) -> None:
    settings = berlin_settings(tmp_path)
    late = {"ana": UP, "ben": FedVote(emoji="-1", hours=24 * 9), "chi": FedVote(emoji="-1", hours=24 * 9)}
    await feed(
        database,
        JUDGE,
        [
            *random_cards((True, False), 4),
            *(FedCard(trace_id=f"late-{each}", value=True, week=3, votes=late) for each in range(6)),
        ],
    )
    report = await read(database, settings)
    for week in report.weeks:
        digest = await read_digest(database, JUDGE, value_type_of("bool"), week.week, BERLIN)
        own, other = week.as_json(), digest.as_json()
        assert own == other
    assert report.life.n == sum(week.n for week in report.weeks)
    assert report.life.agreed == sum(week.agreed for week in report.weeks)
    assert report.life.n == sum(each.verdicts for each in report.labels)
    assert report.data.late == 6
    assert any(
        "On 6 verdicts people voted after" in each
        for each in PageReader(judge_report_page(report)).text.splitlines()
    )


async def test_pages_of_the_store_are_read_to_the_last_verdict(database: Database, tmp_path: Path) -> None:
    settings = berlin_settings(tmp_path)
    cards = [
        FedCard(trace_id=f"tr-{each}", value=True, week=each // 400, votes={"ana": UP})
        for each in range(1234)
    ]
    await feed(database, JUDGE, cards)
    await feed(database, "another", [FedCard(trace_id="other", value=False, week=9, votes={"ana": DOWN})])
    read_verdicts: list[int] = []
    judge = settings.judges[0]
    sources = ReportSources(
        fingerprint=fingerprint_of(judge, settings),
        names_of=no_names,
        links_to=no_links,
        advance=read_verdicts.append,
    )
    report = await read_judge_report(database, settings, judge, NOW, sources)
    assert (report.life.n, report.life.agreed, report.data.judged) == (1234, 1234, 1234)
    assert sum(read_verdicts) == await database.verdicts.count_of_judge(JUDGE) == 1234


async def test_only_the_newest_overruled_verdicts_are_listed_and_all_are_counted(
    database: Database, tmp_path: Path
) -> None:
    cards = [FedCard(trace_id=f"tr-{each}", value=True, votes={"ana": DOWN}) for each in range(140)]
    await feed(database, JUDGE, cards)
    table = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path)))).table(
        "Verdicts that people overruled"
    )
    assert table.caption.endswith("(100 of 140)")
    assert len(table.rows) == 101
    assert "tr-139" in table.rows[1][0]
    assert "tr-40" in table.rows[-1][0]


async def test_links_lead_to_the_cards(database: Database, tmp_path: Path) -> None:
    await feed(database, JUDGE, [FedCard(trace_id="tr-1", value=True, votes={"ana": DOWN})])
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    ts = f"{MONDAY_MS / 1000:.6f}".replace(".", "")
    assert f"https://acme.slack.com/archives/{CHANNEL}/p{ts}" in page.links


async def test_what_traces_models_and_people_wrote_is_text_on_the_page(
    database: Database, tmp_path: Path
) -> None:
    hostile = "</td></table><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(2)>\u202e"
    shown = hostile.removesuffix("\u202e")
    instructions = f"Polite? {{{{ inputs }}}} {hostile.replace('{{ 7 * 7 }}', '{% raw %}')}"
    judge = {"title": "<b>Polite</b>", "instructions": instructions}
    card = FedCard(
        trace_id=f"tr {hostile}",
        value=True,
        question={"question": f"Where? {hostile}"},
        rationale=f"Because {hostile}",
        model="<i>model</i>",
        votes={"<u>ana</u>": DOWN},
    )
    await feed(database, JUDGE, [card])
    rule = a_guideline(f"Rule {hostile}", a_source(card.trace_id, "<u>ana</u>", hostile), guideline_id="g1")
    await database.memories.save(JUDGE, MemoryChange(put_guidelines=(rule,), at_ms=MONDAY_MS))
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path, judge=judge))))
    assert page.is_balanced
    assert [tag for tag in ("script", "img", "b", "i", "u") if page.elements[tag]] == []
    for words in ("Where? ", "Because ", "Rule ", "tr "):
        assert f"{words}{shown}" in page.text
    for words in ("<b>Polite</b>", "<script>alert(1)</script>{% raw %}<img", "<i>model</i>", "<u>ana</u>"):
        assert words in page.text


async def test_a_judge_without_verdicts_has_a_page_that_claims_nothing(
    database: Database, tmp_path: Path
) -> None:
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    assert "People have no majority on any verdict yet" in page.text
    assert "this page says nothing of the judge's quality" in page.text
    assert "%" not in page.text.replace("95 %", "").partition("Settings")[0]
    assert page.is_balanced


async def test_the_settings_are_those_of_the_judge(database: Database, tmp_path: Path) -> None:
    judge = {"rate": 0.0005, "max_per_day": 7, "skip": ["errors"], "title": "Polite"}
    settings = berlin_settings(
        tmp_path,
        judge=judge,
        sampling={"rate": 0.2, "max_per_day": 30, "blind": 0.025},
        storage={"path": "store", "keep_days": 90},
        redaction={"enabled": False},
    )
    text = " ".join(PageReader(judge_report_page(await read(database, settings))).text.split())
    for part in (
        "Report on Polite",
        "Share of traces sampled 0.05%",
        "at most 7 of this judge, 30 in its channel, drawn from windows over the day",
        "Cards that ask first 2.5%",
        "not removed: redaction is off",
        "deleted after 90 days",
        "Leaves out runs that ended with an error",
        "pass or fail",
        "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}",
    ):
        assert part in text


async def test_free_texts_are_said_not_to_be_comparable(database: Database, tmp_path: Path) -> None:
    settings = berlin_settings(tmp_path, judge={"feedback_value_type": "str"})
    votes = {"ana": UP, "ben": DOWN, "chi": DOWN}
    cards = [FedCard(trace_id=f"tr-{each}", value="Some text", votes=votes) for each in range(25)]
    await feed(database, JUDGE, cards)
    page = PageReader(judge_report_page(await read(database, settings)))
    assert "People called 25 of 25 texts wrong." in page.text
    assert "Free texts are not comparable" in page.text
    assert not any("kappa" in row[0] for table in page.tables for row in table.rows)


async def test_the_weighted_share_stands_beside_the_plain_counts(database: Database, tmp_path: Path) -> None:
    likely, unlikely = CardSelection(probability=1.0), CardSelection(probability=0.1, reason="unlike")
    cards = [
        *(
            FedCard(trace_id=f"a-{each}", value=True, votes={"ana": UP}, selection=likely)
            for each in range(10)
        ),
        *(
            FedCard(trace_id=f"b-{each}", value=True, votes={"ana": DOWN}, selection=unlikely)
            for each in range(10)
        ),
    ]
    await feed(database, JUDGE, cards)
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    figures = page.table("Figures of all weeks").body
    assert figures["Agreement"][0].startswith("50% (")
    assert figures["Weighted by the chance of being picked"][0].startswith("9% (")  # 10 / (10 + 10 / 0.1)
    assert page.table("The reasons for which cards").body == {
        capitalised(SELECTION_WORDS["all"]): ["10"],
        capitalised(SELECTION_WORDS["unlike"]): ["10"],
    }
    assert "Cards were picked with different chances" in page.text


async def test_what_it_learned_is_told_against_the_judge_without_memory(
    database: Database, tmp_path: Path
) -> None:
    def shadow(value: bool) -> tuple[ShadowVerdict, ...]:
        return (ShadowVerdict(kind="base", value=value),)

    cards = [
        *(
            FedCard(trace_id=f"fixed-{each}", value=True, votes={"ana": UP}, shadows=shadow(False))
            for each in range(9)
        ),
        *(
            FedCard(trace_id=f"same-{each}", value=True, votes={"ana": UP}, shadows=shadow(True))
            for each in range(4)
        ),
        FedCard(
            trace_id="broken", value=True, votes={"ana": DOWN}, shadows=shadow(False), resembles_case=True
        ),
    ]
    await feed(database, JUDGE, cards)
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    rows = page.table("The verdicts shown, beside those").rows[1:]
    assert [row[1:7] for row in rows] == [
        ["all traces", "14", "13", "5", "9", "1"],
        ["new traces", "13", "13", "4", "9", "0"],
        ["near copies of learned cases", "1", "0", "1", "0", "1"],
    ]
    assert "the memory held a near copy" in page.text


async def test_answers_before_and_after_the_verdict_was_seen_are_counted_apart(
    database: Database, tmp_path: Path
) -> None:
    cards = [
        *(
            FedCard(
                trace_id=f"blind-{each}",
                value=True,
                is_blind=True,
                votes={"ana": FedVote(emoji="", value=each < 8)},
            )
            for each in range(12)
        ),
        *(
            FedCard(trace_id=f"shown-{each}", value=True, votes={"ben": UP if each < 12 else DOWN})
            for each in range(14)
        ),
    ]
    await feed(database, JUDGE, cards)
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    assert page.table("First answers, before and after").body == {
        "Asked before it showed the verdict": ["12", "8"],
        "Showed the verdict at once": ["14", "12"],
    }
    assert not [row for row in page.table("Verdicts that people overruled").rows if "blind-" in row[0]]
    low, high = proportion_confint(8, 12, method="wilson")
    assert f"67%, likely between {percent(low)} and {percent(high)}." in page.text
    assert "With the verdict in sight it is +19 points" in page.text
    assert page.table("From traces to figures").body["Cards that asked before they showed the verdict"] == [
        "12"
    ]


async def test_a_week_that_was_worse_than_the_last_memory_is_told(database: Database, tmp_path: Path) -> None:
    def card(number: int, week: int) -> FedCard:
        shadow = ShadowVerdict(kind="last_week", value=False, version=3)
        return FedCard(
            trace_id=f"tr-{week}-{number}", value=True, week=week, votes={"ana": DOWN}, shadows=(shadow,)
        )

    await feed(
        database, JUDGE, [*(card(each, 0) for each in range(3)), *(card(each, 1) for each in range(20))]
    )
    report = await read(database, berlin_settings(tmp_path))
    assert report.worse_weeks == ["2026-W33"]
    rows = PageReader(judge_report_page(report)).table("The verdicts shown, beside those").rows[1:]
    assert rows == [["With Monday's memory", "all traces", "23", "0", "23", "0", "23", "< 0.001"]]


async def test_rules_have_their_credit_and_their_people(database: Database, tmp_path: Path) -> None:
    rule = a_guideline(
        "Name a place.", a_source("tr-1", "U-ana"), a_source("tr-2", "U-ben"), guideline_id="g1"
    )
    gone = a_guideline("Be short.", a_source("tr-3", "U-ana"), guideline_id="g2")
    retired = Handling(person="U-ben", time_ms=MONDAY_MS)
    await database.memories.save(
        JUDGE,
        MemoryChange(
            from_version=0,
            put_guidelines=(replace(rule, learned_ms=MONDAY_MS), replace(gone, retired_by=retired)),
            at_ms=MONDAY_MS,
        ),
    )
    page = PageReader(judge_report_page(await read(database, berlin_settings(tmp_path))))
    used = [row[1:] for row in page.table("In use").rows[1:]]
    assert used == [["Name a place.", "0", "0", "0", "2", "U-ana, U-ben", "3 Aug 2026"]]
    assert page.table("Retired").rows[1][1] == "Be short. Somebody retired it."
    hidden = PageReader(
        judge_report_page(await read(database, berlin_settings(tmp_path, access={"show_votes": False})))
    )
    assert hidden.table("In use").rows[1][6] == "2 people"
    assert "U-ana" not in hidden.text
    assert "U-ben" not in hidden.text


async def test_limits_are_told_only_where_they_apply(database: Database, tmp_path: Path) -> None:
    votes = dict.fromkeys(("ana", "ben", "chi"), UP)
    cards = [
        FedCard(
            trace_id=f"tr-{each}",
            value=each % 2 == 0,
            week=each // 20,
            votes=votes,
            model="openai:/gpt-5-mini",
        )
        for each in range(240)
    ]
    await feed(database, JUDGE, cards)
    settings = berlin_settings(tmp_path, judge={"model": "openai:/gpt-5-mini"})
    assert report_limits(await read(database, settings)) == [
        "People saw each verdict before they voted, which draws votes towards it; no blind card was answered."
    ]

    await database.audit.add(AuditLine(at_ms=MONDAY_MS, what="forgotten", judge=JUDGE, ids=("tr-x",)))
    await database.audit.add(AuditLine(at_ms=MONDAY_MS, what="expired", judge="", ids=("tr-y", "tr-z")))
    report = await read(database, settings, NOW + timedelta(weeks=20))
    text = PageReader(judge_report_page(report)).text
    for part in (
        "Forgotten on request, and so in no figure: 1 trace.",
        "2 unanswered traces of all judges were deleted for age",
        "Nobody answered lately",
    ):
        assert part in text
