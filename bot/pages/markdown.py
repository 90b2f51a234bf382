"""Text of others inside GitHub's Markdown: it shows as it is, and neither formats, nor links, nor mentions anybody."""

import re
from collections.abc import Sequence

from bot.visible_text import visible_line

WORD_JOINER = "\u2060"
"""Has no width: after an @ it keeps GitHub from taking the name for a person to notify."""
_SIGNS = re.compile(r"[\\`*_\[\]<>#!|~$]|&(?=[#\w])|:(?=\S)")
_ORDERED_MARKER = re.compile(r"(?P<number>\d{1,9})(?=[.)])")
_LINK_START = re.compile(r"\bwww\.", re.IGNORECASE)


def escape_markdown(text: str) -> str:
    """Return a text in one line, escaped as CommonMark 0.31 has it in 2.4; it may stand in the cell of a table, too."""
    line = " ".join(visible_line(text).split())
    escaped = _SIGNS.sub(lambda sign: f"\\{sign[0]}", line).replace("@", f"@{WORD_JOINER}")
    escaped = _LINK_START.sub(lambda match: match[0].replace(".", "\\."), escaped)
    if ordered := _ORDERED_MARKER.match(escaped):
        return f"{ordered['number']}\\{escaped[ordered.end() :]}"
    return f"\\{escaped}" if escaped[:1] in ("-", "+", "=") else escaped


def markdown_link(text: str, address: str) -> str:
    """Return a link, or the text alone where the address is none of the web's."""
    if not re.fullmatch(r"https?://[^\s<>]+", address):
        return escape_markdown(text)
    return f"[{escape_markdown(text)}](<{address}>)"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
