"""Text in Slack's markup.

Text that comes from traces, models or people passes through `escape`: it can neither ping anyone nor disguise a link,
nor hide characters or turn the direction of the text around it.
"""

import re
from collections.abc import Sequence

from bot.plain_text import capitalised, format_label_plain
from bot.visible_text import isolated, visible, visible_line
from memalign.records import Label

MAX_SECTION_LENGTH = 2900
"""Slack allows 3,000 characters in a section."""
LINK_CODES = {"<": "%3C", ">": "%3E", "|": "%7C", "&": "&amp;"}
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str, limit: int = MAX_SECTION_LENGTH) -> str:
    """Escape text for Slack, cutting it so that the escaped form keeps within `limit` characters."""
    text = visible(text)
    escaped: list[str] = []
    used = 0
    for place, character in enumerate(text):
        piece = ESCAPES.get(character, character)
        is_last = place == len(text) - 1
        if used + len(piece) > (limit if is_last else limit - 1):
            return "".join(escaped) + "…"
        escaped.append(piece)
        used += len(piece)
    return "".join(escaped)


def escape_name(name: str, limit: int = MAX_SECTION_LENGTH) -> str:
    """Escape a name or an id that stands among other words, in one line."""
    return isolated(escape(visible_line(name), limit))


def escape_address(address: str) -> str:
    """Escape the address of a link."""
    return "".join(LINK_CODES.get(sign, sign) for sign in visible_line(address))


def quoted(text: str, limit: int) -> str:
    """Return the text escaped and quoted line by line, with single blank lines, within `limit` characters."""
    lines = re.sub(r"\n\s*\n", "\n\n", text.strip()).splitlines()
    marked = "\n>".join(lines or ["(empty)"])
    return ">" + escape(marked, limit).replace("\n&gt;", "\n>")


def format_label(value: Label) -> str:
    """Return a judge's or a person's value in words, escaped."""
    if isinstance(value, bool):
        return "pass ✅" if value else "fail ❌"
    return escape(str(value), 200)


def format_verdict(value: Label) -> str:
    """Return a judge's value as a card begins: its mark, and the word with a capital in bold; escaped."""
    mark = ("✅ " if value else "❌ ") if isinstance(value, bool) else ""
    return f"{mark}*{escape_name(capitalised(format_label_plain(value)), 100)}*"


def join_names(names: Sequence[str]) -> str:
    """Join people's names for a sentence, escaped; nobody is mentioned, so nobody is pinged."""
    escaped = [escape_name(name, 80) for name in names] or ["somebody"]
    if len(escaped) == 1:
        return escaped[0]
    if len(escaped) > 4:
        return ", ".join(escaped[:3]) + f" and {len(escaped) - 3} others"
    return ", ".join(escaped[:-1]) + " and " + escaped[-1]
