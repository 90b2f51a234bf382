"""Charts as pictures: well-formed, the same each time, readable by everybody, unharmed by what people write."""

import asyncio
import re
from dataclasses import replace
from io import BytesIO
from itertools import combinations
from xml.etree import ElementTree

import pytest
from PIL import Image

from bot.charts.chart import Chart
from bot.charts.drawing import chart_png, chart_svg
from bot.charts.learning_curve import learning_curve_chart
from bot.charts.theme import DARK, LIGHT, Theme
from bot.records import CurvePoint
from tests.bot.charts.samples import HOSTILE_TEXTS, estimate, point, points

SVG = "{http://www.w3.org/2000/svg}"


def curve(*weeks: CurvePoint, title: str = "Polite") -> Chart:
    return learning_curve_chart(title, weeks)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def texts_of(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_and_lines_stand_out_from_the_background(theme: Theme) -> None:
    assert min(contrast(colour, theme.background) for colour in (theme.text, theme.muted)) >= 4.5
    assert min(contrast(colour, theme.background) for colour in (theme.judge, theme.base)) >= 3


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_colours_of_a_theme_differ_so_that_each_becomes_a_variable_of_its_own(theme: Theme) -> None:
    assert all(first != second for first, second in combinations(theme.variables.values(), 2))


def test_an_svg_says_all_that_it_shows_in_words() -> None:
    weeks = (point("2026-W46", (3, 4)), point("2026-W47", (45, 50), (30, 50)))
    root = parsed(chart_svg(curve(*weeks, title="Is it polite?"), "chart-1"))
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]
    assert title.text == "Is it polite?"
    assert desc.text == (
        "2026-W46: 3 of 4 verdicts. 2026-W47: 45 of 50 verdicts (90%, likely 79% to 96%); without what it learned 60%, "
        "30 of 50 where it agreed on 31 with it."
    )


def test_the_words_of_an_svg_are_text_with_the_number_of_verdicts_below_each_week() -> None:
    shown = texts_of(chart_svg(curve(*points(3, n=37)), "c"))
    assert shown.count("37") == 3
    assert {"judge", "judge without what it learned", "W32", "W33"} <= set(shown)


def test_a_judge_without_second_values_has_one_line_and_few_verdicts_are_marked() -> None:
    shown = texts_of(chart_svg(curve(*points(3, n=5, with_base=False)), "c"))
    assert "judge without what it learned" not in shown
    assert "fewer than 10 verdicts" in shown


def test_a_few_second_values_among_many_weeks_are_no_line() -> None:
    weeks = [*points(5, with_base=False), point("2026-W36", (9, 17), (0, 2))]
    shown = texts_of(chart_svg(curve(*weeks), "c"))
    assert not {"judge without what it learned", "fewer than 10 verdicts"} & set(shown)
    for base, others in (((4, 10), 5), ((0, 2), 1)):
        weeks = [*points(others, with_base=False), point("2026-W36", (9, 17), base)]
        assert "judge without what it learned" in texts_of(chart_svg(curve(*weeks), "c"))


def test_of_few_second_values_the_counts_are_told_alone() -> None:
    desc = parsed(chart_svg(curve(point("2026-W47", (45, 50), (4, 9))), "c")).findtext(f"{SVG}desc")
    assert str(desc).endswith("; without what it learned 4 of 9 where it agreed on 5 with it.")


def test_weeks_without_labels_keep_their_place() -> None:
    weeks = (point("2026-W52", (1, 2)), point("2027-W02", (2, 2)))
    shown = texts_of(chart_svg(curve(*weeks), "c"))
    assert [word for word in shown if re.fullmatch(r"W\d\d|\d{4}", word)] == [
        *("W52", "2026", "W53", "W01", "2027", "W02"),
    ]
    assert [word for word in shown if re.fullmatch(r"\d", word)] == ["2", "0", "0", "2"]


def test_the_share_is_the_one_that_the_counts_stand_for() -> None:
    week = replace(point("2026-W47", (45, 50)), estimate=estimate(40, 50))
    desc = parsed(chart_svg(curve(week), "c")).findtext(f"{SVG}desc")
    assert desc == ("2026-W47: 45 of 50 verdicts (weighed by chance of being picked 80%, likely 67% to 89%).")


@pytest.mark.parametrize("number", [26, 52, 300])
def test_many_weeks_have_as_many_names_as_fit(number: int) -> None:
    shown = texts_of(chart_svg(curve(*points(number, n=123)), "c"))
    assert 5 <= sum(re.fullmatch(r"W\d\d", word) is not None for word in shown) <= 13
    assert 13 <= shown.count("123") <= 40


def test_colours_follow_the_reader_and_paper_is_light() -> None:
    svg = chart_svg(curve(*points(12)), "c")
    style, _, drawn = svg.partition("</style>")
    assert f"--chart-judge: {LIGHT.judge}" in style
    assert "@media screen and (prefers-color-scheme: dark)" in style
    assert f"--chart-judge: {DARK.judge}" in style
    assert re.findall(r"#[0-9a-fA-F]{6}\b", drawn) == []
    assert all(f"var({name})" in drawn for name in LIGHT.variables)


def test_two_charts_of_a_page_share_no_id_and_refer_to_their_own() -> None:
    charts = [chart_svg(curve(*points(12)), name) for name in ("chart-1", "chart-2")]
    ids = [[each.attrib["id"] for each in parsed(svg).iter() if "id" in each.attrib] for svg in charts]
    assert len({*ids[0], *ids[1]}) == len(ids[0]) + len(ids[1])
    for svg, own in zip(charts, ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(own)


def test_an_svg_asks_for_nothing_from_outside() -> None:
    svg = chart_svg(curve(*points(12)), "c")
    addresses = set(re.findall(r"https?://[^\"' ]+", svg))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<metadata" not in svg


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_title_in_any_script_is_words_and_nothing_else(text: str) -> None:
    chart = curve(*points(2), title=text)
    root = parsed(chart_svg(chart, "c"))
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "g", "path", "use", "text", "clipPath", "rect"),
    }
    assert Image.open(BytesIO(chart_png([chart], LIGHT))).format == "PNG"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_png_has_the_theme_s_background_and_two_pixels_for_one(theme: Theme) -> None:
    chart = curve(*points(12))
    image = Image.open(BytesIO(chart_png([chart, chart], theme))).convert("RGB")
    assert image.width == round(chart.width * 96 * 2)
    assert image.height > 2 * chart.height * 96 * 2
    assert "#" + image.crop((1, 1, 2, 2)).tobytes().hex() == theme.background


def test_many_charts_get_fewer_pixels_each() -> None:
    chart = curve(*points(1))
    image = Image.open(BytesIO(chart_png([chart] * 20, LIGHT)))
    assert image.width < chart.width * 96 * 2
    assert 19_000_000 < image.width * image.height <= 20_000_000


def test_a_judge_without_votes_says_so() -> None:
    svg = chart_svg(curve(), "c")
    assert "Nobody has voted on a verdict yet." in texts_of(svg)
    assert chart_png([curve()], DARK)


async def test_charts_drawn_at_once_in_threads_are_those_drawn_alone() -> None:
    charts = [curve(*points(number), title=f"Judge {number}") for number in range(1, 7)]
    alone = [(chart_svg(chart, "c"), chart_png([chart], DARK)) for chart in charts]
    svgs = await asyncio.gather(*(asyncio.to_thread(chart_svg, chart, "c") for chart in charts))
    pngs = await asyncio.gather(*(asyncio.to_thread(chart_png, [chart], DARK) for chart in charts))
    assert list(zip(svgs, pngs, strict=True)) == alone
