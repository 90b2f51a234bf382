"""Rich text: runs of text that Slack shows as they are.

Nothing in a run is parsed, so text of traces and models needs no escaping here: it can neither ping anyone nor become
a link. Only control and direction characters are taken out of it.
"""

from bot.blocks.primitives import Block
from bot.visible_text import visible

EMPTY = "(empty)"
FENCE = "```"


def run(text: str, *, style: str = "") -> Block:
    """Return a run of text; `style` is bold, italic, strike or code, or several of them with blanks between."""
    shown: Block = {"type": "text", "text": visible(text) or EMPTY}
    return {**shown, "style": dict.fromkeys(style.split(), True)} if style else shown


def rich_text(*parts: Block) -> Block:
    """Return a block of sections, quotes, lists and preformatted text."""
    return {"type": "rich_text", "elements": list(parts)}


def rich_section(*runs: Block) -> Block:
    """Return a paragraph."""
    return {"type": "rich_text_section", "elements": list(runs)}


def link_run(text: str, url: str) -> Block:
    """Return a run of text that leads to an address."""
    return {"type": "link", "url": url, "text": visible(text) or EMPTY}


def bullets(*lines: Block) -> Block:
    """Return a list of paragraphs with bullets."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def quote(*runs: Block) -> Block:
    """Return a quotation."""
    return {"type": "rich_text_quote", "elements": list(runs)}


def preformatted(text: str) -> Block:
    """Return text in a font of equal widths."""
    return {"type": "rich_text_preformatted", "elements": [run(text)]}


def passages_of(text: str) -> list[tuple[bool, str]]:
    """Part a text into prose and fenced code, as models write it; True for code. Joined, the passages are the text."""
    lines = text.splitlines(keepends=True)
    passages: list[tuple[bool, str]] = []
    start, opened = 0, -1
    for place, line in enumerate(lines):
        if opened >= start and line.strip() == FENCE:
            passages += [(False, "".join(lines[start:opened])), (True, "".join(lines[opened : place + 1]))]
            start = place + 1
        elif opened < start and line.startswith(FENCE) and line.count(FENCE) == 1:
            opened = place
    passages.append((False, "".join(lines[start:])))
    return [(is_code, passage) for is_code, passage in passages if passage]
