"""Slack's rules for the `data_visualization` block: line, bar, area and pie charts."""

from collections import Counter
from collections.abc import Iterator

from bot.sandbox.web_api.composition_rules import BLOCK_ID
from bot.sandbox.web_api.validators import (
    Rule,
    any_number,
    array,
    both,
    choice,
    complain,
    record,
    string,
    tagged,
)
from bot.sandbox.workspace.records import Payload

MAX_CHARTS = 2
"""Of one message."""
MAX_CHART_TITLE_CHARACTERS = 50
MAX_CHART_LABEL_CHARACTERS = 20
"""Of a segment, a category or a series."""
MAX_AXIS_LABEL_CHARACTERS = 50
MAX_CHART_SERIES = 6
"""As Slack documents it. Some apps were seen to send up to 12."""
MAX_CHART_SEGMENTS = 6
MAX_CHART_CATEGORIES = 20

_LABEL = string(MAX_CHART_LABEL_CHARACTERS)


def _positive(value: object, pointer: str, complaints: list[str]) -> None:
    any_number(value, pointer, complaints)
    if isinstance(value, int | float) and value <= 0:
        complain(complaints, "must be greater than 0", pointer)


_SERIES = record(
    {
        "name": _LABEL,
        "data": array(record({"label": _LABEL, "value": any_number}), MAX_CHART_CATEGORIES),
    }
)
_AXES = record(
    {"categories": array(_LABEL, MAX_CHART_CATEGORIES)},
    {"x_label": string(MAX_AXIS_LABEL_CHARACTERS), "y_label": string(MAX_AXIS_LABEL_CHARACTERS)},
)


def _dicts(value: object) -> list[Payload]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _repeated(names: Iterator[object]) -> list[str]:
    return [name for name, times in Counter(str(name) for name in names).items() if times > 1]


def _series_match_categories(value: object, pointer: str, complaints: list[str]) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("axis_config"), dict):
        return
    categories = value["axis_config"].get("categories")
    if not isinstance(categories, list):
        return
    series = _dicts(value.get("series"))
    for name in _repeated(iter(categories)):
        complain(complaints, f"category {name} already exists", f"{pointer}/axis_config/categories")
    for name in _repeated(each.get("name") for each in series):
        complain(complaints, f"series {name} already exists", f"{pointer}/series")
    for index, each in enumerate(series):
        labels = [str(point.get("label")) for point in _dicts(each.get("data"))]
        if sorted(labels) != sorted(map(str, categories)):
            complain(complaints, "must have one point for each category", f"{pointer}/series/{index}/data")


def _segments_differ(value: object, pointer: str, complaints: list[str]) -> None:
    segments = _dicts(value.get("segments") if isinstance(value, dict) else None)
    for name in _repeated(segment.get("label") for segment in segments):
        complain(complaints, f"segment {name} already exists", f"{pointer}/segments")


def _axis_chart(kind: str) -> Rule:
    shape = record({"type": choice(kind), "series": array(_SERIES, MAX_CHART_SERIES), "axis_config": _AXES})
    return both(shape, _series_match_categories)


_PIE = both(
    record(
        {
            "type": choice("pie"),
            "segments": array(record({"label": _LABEL, "value": _positive}), MAX_CHART_SEGMENTS),
        }
    ),
    _segments_differ,
)
_CHARTS = {kind: _axis_chart(kind) for kind in ("line", "bar", "area")} | {"pie": _PIE}

DATA_VISUALIZATION: Rule = record(
    {
        "type": choice("data_visualization"),
        "title": string(MAX_CHART_TITLE_CHARACTERS),
        "chart": tagged(_CHARTS),
    },
    {"block_id": BLOCK_ID},
)


def check_chart_count(blocks: list[Payload], complaints: list[str]) -> None:
    """Complain about every chart of a message beyond those Slack takes."""
    charts = [index for index, block in enumerate(blocks) if block["type"] == "data_visualization"]
    for index in charts[MAX_CHARTS:]:
        what = f"no more than {MAX_CHARTS} data_visualization blocks allowed"
        complain(complaints, what, f"/blocks/{index}")
