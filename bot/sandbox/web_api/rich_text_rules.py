"""Slack's rules for rich text: sections, quotes, lists, preformatted text, and what stands in them."""

from collections.abc import Mapping

from bot.sandbox.web_api.composition_rules import BLOCK_ID
from bot.sandbox.web_api.validators import (
    Rule,
    array,
    choice,
    complain,
    flag,
    record,
    string,
    tagged,
    whole_number,
)

MAX_RICH_TEXT_CHARACTERS = 250_000
"""Slack names no limit for one text: the message or the view around it is what is limited."""
MAX_RICH_TEXT_PARTS = 1000
MAX_LIST_INDENT = 8

_TEXT_STYLE = record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), flag))
_MENTION_STYLE = record(
    {}, dict.fromkeys(("bold", "italic", "strike", "highlight", "client_highlight", "unlink"), flag)
)
_BORDER = {"border": whole_number(0, 1)}
_LATEST_SECOND = 10**11


def _hex_color(value: object, pointer: str, complaints: list[str]) -> None:
    digits = value[1:] if isinstance(value, str) and value.startswith("#") else ""
    if len(digits) != 6 or not set(digits.lower()) <= set("0123456789abcdef"):
        complain(complaints, "must be a hex color", pointer)


def _inline(kind: str, required: Mapping[str, Rule], optional: Mapping[str, Rule], style: Rule) -> Rule:
    return record({"type": choice(kind), **required}, {"style": style, **optional})


_INLINE: Mapping[str, Rule] = {
    "text": _inline("text", {"text": string(MAX_RICH_TEXT_CHARACTERS)}, {}, _TEXT_STYLE),
    "link": _inline(
        "link",
        {"url": string(3000)},
        {"text": string(MAX_RICH_TEXT_CHARACTERS), "unsafe": flag},
        _TEXT_STYLE,
    ),
    "emoji": _inline(
        "emoji",
        {"name": string(255)},
        {"unicode": string(255), "url": string(3000), "skin_tone": whole_number(1, 6)},
        _MENTION_STYLE,
    ),
    "user": _inline("user", {"user_id": string(255)}, {}, _MENTION_STYLE),
    "usergroup": _inline("usergroup", {"usergroup_id": string(255)}, {}, _MENTION_STYLE),
    "team": _inline("team", {"team_id": string(255)}, {}, _MENTION_STYLE),
    "channel": _inline("channel", {"channel_id": string(255)}, {}, _MENTION_STYLE),
    "broadcast": _inline("broadcast", {"range": choice("here", "channel", "everyone")}, {}, _MENTION_STYLE),
    "date": _inline(
        "date",
        {"timestamp": whole_number(0, _LATEST_SECOND), "format": string(255)},
        {"url": string(3000), "fallback": string(3000)},
        _TEXT_STYLE,
    ),
    "color": _inline("color", {"value": _hex_color}, {}, _TEXT_STYLE),
}
_LINE = array(tagged(_INLINE), MAX_RICH_TEXT_PARTS, 0)
_SECTION = record({"type": choice("rich_text_section"), "elements": _LINE})

_PARTS: Mapping[str, Rule] = {
    "rich_text_section": _SECTION,
    "rich_text_quote": record({"type": choice("rich_text_quote"), "elements": _LINE}, _BORDER),
    "rich_text_preformatted": record(
        {
            "type": choice("rich_text_preformatted"),
            "elements": array(tagged(_INLINE, frozenset({"text", "link"})), MAX_RICH_TEXT_PARTS),
        },
        {"language": string(255), **_BORDER},
    ),
    "rich_text_list": record(
        {
            "type": choice("rich_text_list"),
            "style": choice("bullet", "ordered"),
            "elements": array(tagged({"rich_text_section": _SECTION}), MAX_RICH_TEXT_PARTS),
        },
        {
            "indent": whole_number(0, MAX_LIST_INDENT),
            "offset": whole_number(0, MAX_RICH_TEXT_PARTS),
            **_BORDER,
        },
    ),
}


RICH_TEXT: Rule = record(
    {"type": choice("rich_text"), "elements": array(tagged(_PARTS), MAX_RICH_TEXT_PARTS)},
    {"block_id": BLOCK_ID},
)
