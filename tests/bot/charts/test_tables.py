"""Charts of the judge's values beside people's: every count is shown, in words as well."""

import re
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.charts.agreement_table import AgreementTable, agreement_table_chart
from bot.charts.drawing import chart_png, chart_svg
from bot.charts.score_differences import score_differences_chart
from bot.charts.theme import DARK, LIGHT, Theme
from tests.bot.charts.samples import HOSTILE_TEXTS
from tests.bot.charts.test_charts import contrast, texts_of

NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([5e-324, -1e-12]) | st.integers(-5, 5).map(float)


def blended(hue: str, background: str, opacity: float) -> str:
    """A hue of some opacity on a background."""
    pairs = [(int(hue[at : at + 2], 16), int(background[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(opacity * over + (1 - opacity) * under):02x}" for over, under in pairs)


def test_a_table_shows_every_count_under_the_words_of_judge_and_people() -> None:
    table = AgreementTable(labels=["pass", "fail"], rows=[[1210, 17, 0], [5, 40, 0]])
    chart = agreement_table_chart("t", table)
    assert texts_of(chart_svg(chart, "c")) == [
        *("pass", "fail", "people", "pass", "fail", "judge", "1,210", "17", "5", "40"),
    ]
    assert chart.description == (
        "1272 verdicts. judge pass, people pass: 1210; judge pass, people fail: 17; judge fail, people pass: 5; "
        "judge fail, people fail: 40."
    )


def test_verdicts_that_people_only_call_wrong_have_a_column_of_their_own() -> None:
    table = AgreementTable(labels=["a", "b", "c"], rows=[[3, 0, 0, 2], [0, 1, 0, 0], [0, 0, 0, 0]])
    chart = agreement_table_chart("t", table)
    assert "not so" in texts_of(chart_svg(chart, "c"))
    assert "judge a, people not so: 2" in chart.description


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_counts_stand_out_from_the_fullest_cell(theme: Theme) -> None:
    for hue in (theme.judge, theme.base):
        assert contrast(theme.text, blended(hue, theme.background, 0.45)) >= 4.5


@pytest.mark.parametrize("label", HOSTILE_TEXTS)
def test_a_category_in_any_script_is_words_and_nothing_else(label: str) -> None:
    table = AgreementTable(labels=[label, "other"], rows=[[3, 1, 0], [0, 2, 0]])
    chart = agreement_table_chart("t", table)
    svg = chart_svg(chart, "c")
    assert set(re.findall(r"<(\w+)", svg)) <= {
        *("svg", "title", "desc", "style", "defs", "g", "path", "use", "text", "clipPath", "rect"),
    }
    assert Image.open(BytesIO(chart_png([chart], DARK))).format == "PNG"


def test_whole_differences_have_a_bar_each_also_those_that_nobody_gave() -> None:
    svg = chart_svg(score_differences_chart("t", [0, 0, 0, -2, 1]), "c")
    assert [text for text in texts_of(svg) if re.fullmatch(r"[+−]?\d", text)][:5] == [
        "−2",
        "−1",
        "0",
        "+1",
        "+2",
    ]


def test_differences_are_told_in_words() -> None:
    chart = score_differences_chart("t", [0, 0.5, -1, -2])
    assert chart.description == (
        "4 verdicts. The judge's number is equal to people's on 1, too low on 2 and too high on 1."
    )
    assert score_differences_chart("t", []).description == "No verdicts with a number of people's."


@settings(max_examples=8, deadline=None)
@given(st.lists(NUMBERS, max_size=40))
def test_any_differences_make_a_chart_whose_bars_hold_all_verdicts(differences: list[float]) -> None:
    chart = score_differences_chart("t", differences)
    counts = [text for text in texts_of(chart_svg(chart, "c")) if text.isdigit()]
    assert sum(map(int, counts)) >= len(differences)  # the axis has numbers, too
    assert chart_png([chart], LIGHT)
