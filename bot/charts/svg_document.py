"""matplotlib's SVG made part of a page: named, with colours that follow the reader's system, and ids of its own."""

import re
from html import escape

from bot.charts.chart import Chart
from bot.charts.theme import DARK, LIGHT, Theme
from bot.visible_text import visible_line

PAGE_FONTS = "system-ui, &apos;DejaVu Sans&apos;, sans-serif"

_ROOT = re.compile(r'<svg [^>]*viewBox="(?P<box>[^"]*)"[^>]*>')
_TAG = re.compile(r"<[^>]+>")
_FONTS = re.compile(r"font-family: [^;\"]*")
_ID = re.compile(r"(?P<before>\bid=\"|href=\"#|url\(#)")
_RULE_FOR_ALL = re.compile(r"\*\{[^}]*\}")


def page_svg(document: str, chart: Chart, chart_id: str) -> str:
    """Return an SVG document of matplotlib's, drawn with `LIGHT`, as an element that an HTML page can hold.

    Args:
        document: The document, whose texts are texts.
        chart: The chart that it shows.
        chart_id: Its id on the page.
    """
    root = _ROOT.search(document)
    if root is None:
        raise ValueError("matplotlib wrote an SVG without a size")
    body = _TAG.sub(lambda tag: _page_tag(tag[0], chart_id), document[root.end() :])
    body = _RULE_FOR_ALL.sub("", body, count=1)  # within a page it would be for the whole page
    names = f'aria-labelledby="{chart_id}-title {chart_id}-desc"'
    width = round(chart.width * 96)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" id="{chart_id}" '
        f'class="chart" role="img" {names} viewBox="{root["box"]}" '
        f'style="--chart-width: {width}px; width: 100%; max-width: {width}px; stroke-linejoin: round">\n'
        f'<title id="{chart_id}-title">{escape(visible_line(chart.title))}</title>\n'
        f'<desc id="{chart_id}-desc">{escape(visible_line(chart.description))}</desc>\n'
        f"<style>{_colour_rules(chart_id)}</style>{body.strip()}"
    )


def _page_tag(tag: str, chart_id: str) -> str:
    """Return a tag with the page's fonts, colours by variable, and ids that are the chart's own."""
    if "style=" in tag:
        tag = _FONTS.sub(f"font-family: {PAGE_FONTS}", tag)
        for name, colour in LIGHT.variables.items():
            tag = tag.replace(colour, f"var({name})")
    return _ID.sub(lambda match: f"{match['before']}{chart_id}-", tag)


def _colour_rules(chart_id: str) -> str:
    """Return the rules that give the colours their values; on paper they are the light ones."""
    light, dark = _rule(chart_id, LIGHT), _rule(chart_id, DARK)
    return f"{light} @media screen and (prefers-color-scheme: dark) {{ {dark} }}"


def _rule(chart_id: str, theme: Theme) -> str:
    values = " ".join(f"{name}: {colour};" for name, colour in theme.variables.items())
    return f"#{chart_id} {{ {values} }}"
