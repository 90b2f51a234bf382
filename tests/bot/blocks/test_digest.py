"""The digest as a lead reads it: no figure contradicts another, and foreign words stay words."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.chart import without_charts
from bot.blocks.digest import digest_message, weekly_digest_message
from bot.blocks.digest_details import digest_figures_message, digest_rows_message
from bot.blocks.judge_stats import judge_stats_message
from bot.digest_words import shown_percent
from bot.judge_stats import JudgeStats
from bot.records import AgreementShare
from bot.report_words import curve_lines, headline
from bot.sandbox.web_api.block_checks import check_message_blocks
from bot.vote_marks import Vote
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport
from storage.records import CardSelection, ShadowVerdict
from tests.bot.blocks.block_examples import text_objects
from tests.bot.report_factory import Answered, report_of
from tests.bot.reports.test_digest import DOWN, UP, many, voted

HOSTILE = "<!channel> <@U123> *now* <https://evil.example|a>"


def answered(cases: Sequence[tuple[bool, str, float]]) -> Answered:
    """Verdicts with people's votes (a letter each) and their chance of being picked."""
    votes: dict[str, tuple[Vote, bool | None]] = {
        "u": ("up", None),
        "d": ("down", None),
        "?": ("unsure", None),
    }
    told = []
    for number, (value, letters, probability) in enumerate(cases):
        named = [
            (vote, {"up": value, "down": not value}.get(vote))
            for vote, _ in (votes[each] for each in letters)
        ]
        stored, feedback = voted(number, value, *named)
        told.append((replace(stored, selection=CardSelection(probability=probability)), feedback))
    return told


def weeks(probabilities: st.SearchStrategy[float]) -> st.SearchStrategy[Answered]:
    letters = st.text("ud?", min_size=1, max_size=3)
    return st.lists(st.tuples(st.booleans(), letters, probabilities), max_size=40).map(answered)


EQUAL, DIFFERENT = st.just(1.0), st.sampled_from([0.05, 0.3, 1.0])
ANY_WEEK = weeks(EQUAL) | weeks(DIFFERENT)
TRIES = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@TRIES
@given(ANY_WEEK, ANY_WEEK)
def test_the_counts_of_the_headline_are_those_of_the_tables(now: Answered, before: Answered) -> None:
    report = report_of(now, before)
    week, text = report.figures, digest_message(report).text
    if not week.n:
        assert "%" not in text.splitlines()[1 if week.people else 0]
        return
    counts = re.search(r"(?:\(|right on |agreed with )(\d+) of (\d+)", text)
    assert counts is not None
    assert (int(counts[1]), int(counts[2])) == (week.agreed, week.n)
    rows = re.findall(
        r"^judge: (?:pass|fail) +(\d+) +(\d+)$", digest_figures_message(report).text, re.MULTILINE
    )
    (pass_pass, pass_fail), (fail_pass, fail_fail) = [tuple(map(int, row)) for row in rows]
    assert (pass_pass + fail_fail, pass_pass + pass_fail + fail_pass + fail_fail) == (week.agreed, week.n)
    lines = digest_rows_message(report)
    assert lines is not None
    cells = [line.split(",") for line in lines.text.splitlines()[2:-1]]
    assert sum(judge == people for _, judge, people, *_ in cells) == week.agreed
    assert sum(people in ("pass", "fail") for _, _, people, *_ in cells) == week.n
    if mistakes := re.search(r"(Mostly|Always) \*too (lenient|strict)\* \((\d+) of (\d+)\)", text):
        assert int(mistakes[4]) == week.n - week.agreed
        assert int(mistakes[3]) == (pass_fail if mistakes[2] == "lenient" else fail_pass)


@TRIES
@given(ANY_WEEK, ANY_WEEK)
def test_the_change_is_the_difference_of_the_percentages_that_both_weeks_show(
    now: Answered, before: Answered
) -> None:
    report = report_of(now, before)
    shares = [re.match(r"(\d+)% agreement", headline(report_of(each)).agreement) for each in (now, before)]
    change = headline(report).change
    if None in shares:
        assert change == ""
        return
    points = int(shares[0][1]) - int(shares[1][1])  # type: ignore[index]
    if not points:
        assert change.startswith("the same as the week before")
        return
    arrow, number = re.match(r"([▲▼]) (\d+) points? on the week before", change).groups()  # type: ignore[union-attr]
    assert (arrow, int(number)) == ("▲" if points > 0 else "▼", abs(points))
    assert report.change is not None
    assert ("could be chance" in change) == (report.change.low <= 0 <= report.change.high)


@TRIES
@given(ANY_WEEK)
def test_few_verdicts_claim_nothing_and_all_and_none_are_said_of_all_and_none(now: Answered) -> None:
    report = report_of(now)
    week = report.figures
    if week.n < 10:
        # single people's labels are more than the verdicts, and have a figure of their own
        report = replace(report, figures=replace(week, single_votes=None))
        assert "%" not in f"{digest_message(report).text}\n{digest_figures_message(report).text}"
    told = headline(report).agreement
    assert (told.startswith("100%") and week.n >= 10) == (week.agreed == week.n >= 10)
    assert told.startswith("0%") == (week.agreed == 0 and week.n >= 10)


@TRIES
@given(ANY_WEEK, ANY_WEEK)
def test_the_chart_ends_with_the_percentage_of_the_headline(now: Answered, before: Answered) -> None:
    report = report_of(now, before)
    charts = [block for block in digest_message(report).blocks if block["type"] == "data_visualization"]
    if min(report.figures.n, report.before.n) < 10:
        assert charts == []
        return
    [series] = charts[0]["chart"]["series"]
    assert f"{series['data'][-1]['value']}% agreement" == headline(report).agreement
    assert all(0 <= point["value"] <= 100 for point in series["data"])


@TRIES
@given(ANY_WEEK, ANY_WEEK)
def test_slack_takes_every_digest_with_and_without_charts(now: Answered, before: Answered) -> None:
    report = report_of(now, before, people=("Ana", "Ben"), unanswered=2)
    for message in (weekly_digest_message(report, report.figures), digest_figures_message(report)):
        check_message_blocks(list(message.blocks))
        check_message_blocks(list(without_charts(message).blocks), unknown=["data_visualization"])
    if rows := digest_rows_message(report):
        check_message_blocks(list(rows.blocks))


def text_of(report: WeeklyReport) -> str:
    return digest_message(report).text


GOOD_WEEK = many((56, True, [UP]), (25, True, [DOWN]), (9, False, [("down", True)]))


def test_a_week_is_told_as_a_lead_reads_it() -> None:
    rule = ReportedRule(guideline_id="g-1", text="Name the park.", authors=("Ana", "Ben"), cases=12)
    doubtful = ReportedRule(guideline_id="g-2", text="Be short.", authors=("Chi",), is_doubtful=True)
    report = report_of(
        GOOD_WEEK,
        many((10, True, [UP]), (10, True, [DOWN])),
        title="Answers the question",
        learned=(rule,),
        doubtful=(doubtful,),
        people=("Ana", "Ben", "Chi"),
        unnamed_people=0,
        unanswered=12,
    )
    report = replace(
        report, figures=replace(report.figures, guidelines_learned=5, guidelines_retired=2, split=10)
    )
    assert text_of(report).splitlines() == [
        "*Answers the question* · 23–29 Nov",
        "*62% agreement* (56 of 90, likely 52–72%) ▲ 12 points on the week before (could be chance)",
        "Agreement by week",
        "*Judge* · 16 Nov: 50% · 23 Nov: 62%",
        "Mostly *too lenient* (25 of 34). Most overruled:",
        *(f"• “Question {number}?”: judge says pass, 1 person says fail" for number in (56, 57, 58)),
        "*5 new guidelines*, 2 retired",
        "• “Name the park.” (Ana and Ben, 12 cases)",
        (
            "⚠️ 1 guideline is in doubt: most votes were against verdicts that rested on it. "
            "Please keep, edit or retire it."
        ),
        "The first: “Be short.”",
        "10 cards are split, 12 wait for a first answer.",
        "Thanks to Ana, Ben and Chi.",
    ]


def test_a_week_in_which_nothing_happened_is_one_line_without_replies() -> None:
    report = report_of([])
    assert text_of(report) == "*Polite* · 23–29 Nov: a quiet week, no cards and no votes."
    assert weekly_digest_message(report, report.figures) == digest_message(report)
    assert digest_rows_message(report) is None
    [block] = digest_message(replace(report, unanswered=2)).blocks
    assert block["accessory"]["text"]["text"] == "Answer two now"


@pytest.mark.parametrize(
    ("week", "today", "words"),
    [
        ("2026-W48", date(2026, 11, 30), "23–29 Nov"),
        ("2026-W49", date(2026, 12, 7), "30 Nov – 6 Dec"),
        ("2026-W53", date(2027, 1, 4), "28 Dec – 3 Jan"),
        ("2025-W05", date(2026, 11, 30), "27 Jan – 2 Feb 2025"),
        ("2026-W48", date(2026, 11, 27), "23–29 Nov, so far"),
    ],
)
def test_a_week_is_named_by_its_days(week: str, today: date, words: str) -> None:
    report = report_of(GOOD_WEEK, today=today)
    report = replace(report, figures=replace(report.figures, week=week))
    assert text_of(report).splitlines()[0] == f"*Polite* · {words}"


def test_thanks_go_to_all_by_name_and_never_by_number() -> None:
    report = report_of(GOOD_WEEK, people=("ana", "Ben"), unnamed_people=1)
    assert "Thanks to ana, Ben and everybody else who answered." in text_of(report)
    assert "Thanks to everybody who answered." in text_of(report_of(GOOD_WEEK, people=tuple("abcdefghijklm")))
    assert "Thanks to everybody who answered." in text_of(report_of(GOOD_WEEK))


def test_what_waits_is_told_of_the_last_week_alone() -> None:
    report = report_of(GOOD_WEEK, unanswered=12)
    assert "12 cards wait for a first answer." in text_of(report)
    assert "wait" not in text_of(replace(report, today=date(2026, 12, 9)))


def test_a_tie_that_nobody_can_end_any_more_has_no_button() -> None:
    report = report_of(many((10, True, [UP]), (3, True, [UP, ("down", False)])))
    assert "3 cards are split." in text_of(report)
    assert [block for block in digest_message(report).blocks if "accessory" in block] == []


def test_foreign_words_stay_words_and_ping_nobody() -> None:
    verdict = ReportedVerdict(
        verdict_id="v",
        trace_id="t",
        question=HOSTILE,
        value=HOSTILE,
        people_value=f"{HOSTILE} not",
        agreed=False,
        majority=2,
        labels=2,
        link="https://slack.example/archives/C1/p1",
    )
    rule = ReportedRule(guideline_id="g", text=HOSTILE, authors=(HOSTILE,), cases=1, is_doubtful=True)
    report = report_of(
        GOOD_WEEK,
        title=HOSTILE,
        learned=(rule,),
        retired=(rule,),
        doubtful=(rule,),
        people=(HOSTILE,),
    )
    figures = replace(report.figures, guidelines_learned=1, guidelines_retired=1)
    report = replace(report, figures=figures, verdicts=(verdict, verdict))
    rows = digest_rows_message(report)
    assert rows is not None
    for message in (digest_message(report), digest_figures_message(report), rows):
        markup = [each["text"] for each in text_objects(message) if each["type"] == "mrkdwn"]
        assert [text for text in (*markup, message.text) if re.search(r"<[!@]|<https://evil", text)] == []
        assert not {"user", "usergroup", "broadcast"} & set(
            re.findall(r"'type': '(\w+)'", str(message.blocks))
        )


def test_a_cell_is_never_a_formula_for_a_spreadsheet() -> None:
    report = report_of(GOOD_WEEK)
    verdict = replace(report.verdicts[0], value="=1+1", people_value=-2)
    rows = digest_rows_message(replace(report, verdicts=(verdict,)))
    assert rows is not None
    assert "t,'=1+1,-2," in rows.text.replace(verdict.trace_id, "t")


def test_rows_are_cut_where_a_message_is_full_and_say_so() -> None:
    link = f"https://slack.example/{'x' * 80}"
    report = report_of(many((300, True, [UP])))
    report = replace(report, verdicts=tuple(replace(each, link=link) for each in report.verdicts))
    rows = digest_rows_message(report)
    assert rows is not None
    shown = rows.blocks[1]["elements"][0]["elements"][0]["text"].splitlines()
    assert f"There is no room for {300 + 1 - len(shown)} more rows." in str(rows.blocks[2])
    check_message_blocks(list(rows.blocks))


def test_figures_of_a_life_are_told_in_short() -> None:
    report = report_of(GOOD_WEEK, many((10, True, [UP]), (10, True, [DOWN])))
    nothing = report_of([]).figures
    stats = JudgeStats(
        judge="politeness",
        title="Polite",
        last_week=nothing,
        last_weeks=report.before,
        weeks=4,
        life=report.figures,
        curve=report.curve,
        since=date(2026, 9, 3),
        cases=120,
        in_use=33,
        doubtful=0,
    )
    message = judge_stats_message(stats)
    assert message.text.splitlines() == [
        "*Polite* · judging since 3 Sep 2026",
        "• Last week: no votes",
        "• The last 4 weeks, with this one: 50% agreement (10 of 20, likely 30–70%)",
        f"• In all: {shown_percent(56 / 90)}% agreement (56 of 90, likely 52–72%), by 1 person",
        "Agreement by week",
        "*Judge* · 16 Nov: 50% · 23 Nov: 62%",
        "It remembers 120 cases and uses 33 guidelines.",
    ]
    check_message_blocks(list(message.blocks))
    first = judge_stats_message(replace(stats, life=nothing, curve=(), cases=0, in_use=0, since=None))
    assert first.text.splitlines() == [
        "*Polite* has judged nothing yet",
        "Nobody has voted on a verdict yet.",
        "It remembers no cases and uses no guidelines.",
    ]


def beside_base(verdicts: Answered, right: int) -> Answered:
    """Verdicts beside which the judge without memory was right so many times, by people's labels."""
    told = []
    for number, (stored, feedback) in enumerate(verdicts):
        value = stored.verdict.value
        people = value if feedback[0].vote == "up" else not value
        shadow = ShadowVerdict(kind="base", value=people if number < right else not people)
        told.append((replace(stored, shadows=(shadow,)), feedback))
    return told


def test_the_chart_shows_the_judge_without_memory_where_it_was_asked() -> None:
    now = beside_base(many((15, True, [UP]), (5, True, [DOWN])), 10)
    before = beside_base(many((12, True, [UP]), (8, True, [DOWN])), 9)
    report = report_of(now, before)
    [chart] = [block for block in digest_message(report).blocks if block["type"] == "data_visualization"]
    lines = {line["name"]: [point["value"] for point in line["data"]] for line in chart["chart"]["series"]}
    assert lines == {"Judge": [60, 75], "Without memory": [45, 50]}
    assert "*Without memory* · 16 Nov: 45% · 23 Nov: 50%" in text_of(report)
    assert "What it learned fixed " in text_of(report)


def test_of_the_judge_without_memory_0_and_100_are_said_of_none_and_all_only() -> None:
    now = beside_base(many((20, True, [UP])), 0)
    few = [*beside_base(many((1, True, [DOWN]), (9, True, [UP])), 9), *many((10, True, [UP]))]
    for verdicts, percentage in ((now, 0), (few, 95)):
        [_, (name, values)] = curve_lines(report_of(verdicts, now).curve).items()
        assert (name, values[-1]) == ("Without memory", percentage)
    clipped = replace(
        report_of(now).curve[0], base=AgreementShare(agreed=3, n=20, low=0, high=1), base_share=0.0
    )
    assert curve_lines([clipped])["Without memory"] == [1]


def test_a_line_without_memory_is_drawn_for_all_weeks_or_none() -> None:
    now, before = many((15, True, [UP]), (5, True, [DOWN])), many((20, True, [UP]))
    report = report_of(beside_base(now, 10), before)
    [chart] = [block for block in digest_message(report).blocks if block["type"] == "data_visualization"]
    assert [line["name"] for line in chart["chart"]["series"]] == ["Judge"]


@pytest.mark.parametrize(
    ("cases", "values", "told"),
    [
        (many((12, 4, [("down", 2)]), (3, 2, [("down", 4)])), int, "Mostly *too high* (12 of 15)."),
        (many((2, 1.5, [("down", 2.5)])), float, "Always *too low* (2 of 2)."),
        (
            many((3, "good", [("down", "bad")]), (1, "bad", [("down", "good")])),
            ["good", "bad", "mixed"],
            "Mostly *good where you say bad* (3 of 4).",
        ),
        (many((3, "good", [("down", None)])), ["good", "bad"], "Most overruled:"),
        (many((2, "kind", [("down", "curt")])), str, "Most overruled:"),
        (many((1, True, [DOWN])), bool, "Most overruled:"),
        (many((3, True, [DOWN]), (3, False, [("down", True)])), bool, "Most overruled:"),
    ],
)
def test_the_way_of_being_wrong_is_told_in_the_judges_own_values(
    cases: Answered, values: object, told: str
) -> None:
    assert any(line.startswith(told) for line in text_of(report_of(cases, values=values)).splitlines())


def test_the_table_of_other_values_is_in_their_order_with_unnamed_ones_last() -> None:
    cases = many((3, 10, [("up", 10)]), (2, 2, [("down", 10)]), (1, 2, [("down", None)]))
    lines = digest_figures_message(report_of(cases, values=int)).text.splitlines()
    assert [line.split() for line in (lines[1], lines[3], lines[4])] == [
        ["people:", "2", "people:", "10", "people:", "not", "so"],
        ["judge:", "2", "0", "2", "1"],
        ["judge:", "10", "0", "3", "0"],
    ]


def test_many_values_and_free_texts_have_no_table() -> None:
    many_values = report_of([voted(number, number, ("up", number)) for number in range(12)], values=int)
    texts = report_of(many((3, "kind", [("up", "kind")])), values=str)
    for report in (many_values, texts, report_of([])):
        assert "judge:" not in digest_figures_message(report).text


def test_a_verdict_that_its_card_does_not_show_yet_is_told_nowhere() -> None:
    [(stored, feedback)] = many((1, True, [("unsure", None)]))
    report = report_of([(replace(stored, is_blind=True, revealed_at=None), feedback)])
    rows = digest_rows_message(report)
    assert rows is not None
    assert "tr-0,not shown yet,cannot tell,0,0" in rows.text
    assert "pass" not in f"{rows.text}{text_of(report)}{digest_figures_message(report).text}"
