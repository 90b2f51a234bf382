"""Samples of Slack's newer blocks, for the tests of their rules and of the page that draws them."""

from collections.abc import Iterable, Sequence

from bot.sandbox.workspace.records import Payload


def plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def words(text: str, **style: bool) -> Payload:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def rich_section(*parts: Payload) -> Payload:
    return {"type": "rich_text_section", "elements": list(parts)}


def rich_quote(*parts: Payload, **more: object) -> Payload:
    return {"type": "rich_text_quote", "elements": list(parts), **more}


def preformatted(text: str, **more: object) -> Payload:
    return {"type": "rich_text_preformatted", "elements": [words(text)], **more}


def rich_list(style: str, *items: str, **more: object) -> Payload:
    sections = [rich_section(words(item)) for item in items]
    return {"type": "rich_text_list", "style": style, "elements": sections, **more}


def rich_text(*parts: Payload, **more: object) -> Payload:
    return {"type": "rich_text", "elements": list(parts), **more}


def line(*parts: Payload) -> Payload:
    return rich_text(rich_section(*parts))


def feedback(action_id: str = "verdict", **more: object) -> Payload:
    return {
        "type": "feedback_buttons",
        "action_id": action_id,
        "positive_button": {
            "text": plain("Right"),
            "value": "up",
            "accessibility_label": "The judge is right",
        },
        "negative_button": {"text": plain("Wrong"), "value": "down"},
        **more,
    }


def icon(action_id: str = "remove", **more: object) -> Payload:
    return {
        "type": "icon_button",
        "action_id": action_id,
        "icon": "trash",
        "text": plain("Remove"),
        "value": "r-1",
        **more,
    }


def context_actions(*elements: Payload, **more: object) -> Payload:
    return {"type": "context_actions", "elements": list(elements), **more}


def raw(text: str) -> Payload:
    return {"type": "raw_text", "text": text}


def number(value: float, text: str | None = None) -> Payload:
    return {"type": "raw_number", "value": value, "text": text or str(value)}


def table(*rows: Sequence[Payload], **more: object) -> Payload:
    return {"type": "table", "rows": [list(row) for row in rows], **more}


def data_table(*rows: Sequence[Payload], **more: object) -> Payload:
    return {"type": "data_table", "caption": "Guidelines", "rows": [list(row) for row in rows], **more}


def numbered_table(rows: int, columns: int = 1, **more: object) -> Payload:
    """Return a data table with a header and so many rows."""
    header = [raw(f"h{column}") for column in range(columns)]
    return data_table(header, *([number(row)] * columns for row in range(rows)), **more)


def series(name: str, categories: Iterable[str], *values: float) -> Payload:
    points = zip(categories, values, strict=True)
    return {"name": name, "data": [{"label": label, "value": value} for label, value in points]}


def axis_chart(kind: str, categories: Sequence[str], *lines: Payload, **axis: str) -> Payload:
    return {
        "type": "data_visualization",
        "title": "Agreement",
        "chart": {
            "type": kind,
            "series": list(lines),
            "axis_config": {"categories": list(categories), **axis},
        },
    }


def pie(*segments: tuple[str, float], **more: object) -> Payload:
    parts = [{"label": label, "value": value} for label, value in segments]
    chart = {"type": "pie", "segments": parts}
    return {"type": "data_visualization", "title": "Votes", "chart": chart, **more}


def markdown(text: str) -> Payload:
    return {"type": "markdown", "text": text}


def ask(element: Payload, label: str = "Value", **more: object) -> Payload:
    """Return an input block around an element."""
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": element, **more}


def choices(kind: str, *values: str, **more: object) -> Payload:
    options = [{"text": plain(value), "value": value} for value in values]
    return {"type": kind, "action_id": "choice", "options": options, **more}


def number_input(**more: object) -> Payload:
    return {"type": "number_input", "action_id": "number", "is_decimal_allowed": False, **more}


def rich_text_input(**more: object) -> Payload:
    return {"type": "rich_text_input", "action_id": "reason", **more}
