"""Text typed into a rich text input, as the rich text that Slack's editor sends."""

from collections.abc import Iterator

from bot.sandbox.workspace.records import Payload


def entered_rich_text(element: Payload, entry: object) -> Payload | None:
    """Return a typed text as rich text; the element's own initial value when its words were not changed."""
    initial = element.get("initial_value")
    if isinstance(entry, dict) or entry in (None, ""):
        return entry if isinstance(entry, dict) else None
    if isinstance(initial, dict) and plain_words(initial) == entry:
        return initial
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(entry)}]}
    return {"type": "rich_text", "elements": [section]}


def plain_words(rich_text: Payload) -> str:
    """Return the words of rich text without their styles, as the editor of the sandbox shows them."""
    return "\n".join(_lines(rich_text["elements"]))


def _lines(parts: list[Payload]) -> Iterator[str]:
    for part in parts:
        if part["type"] == "rich_text_list":
            yield from _lines(part["elements"])
        else:
            yield "".join(_inline_words(inline) for inline in part["elements"])


def _inline_words(inline: Payload) -> str:
    if inline["type"] == "emoji":
        return f":{inline['name']}:"
    return str(inline.get("text") or inline.get("url") or inline.get("fallback") or "")
