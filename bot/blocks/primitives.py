"""The elements of Slack messages, within Slack's limits.

Text that comes from traces, models or people passes through `escape`: it can neither ping
anyone nor disguise a link.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memalign.records import Json, Label

Block = dict[str, Json]

SECTION_LENGTH = 2900
"""Slack allows 3,000 characters in a section."""
PAGE_LENGTH = 2400
VIEW_BLOCKS, VIEW_LENGTH = 100, 240_000
"""A modal may hold 100 blocks, and 250,000 characters with all that JSON adds."""
MENU_LENGTH = 75
"""Slack allows 75 characters in a menu's option."""
MENU_OPTIONS = 100
RESPONSE_LENGTH, RESPONSE_BLOCKS = 12_000, 45
"""Slack takes about 13,200 characters and 50 blocks in a message."""
MAX_RESPONSES = 5
"""Slack accepts five responses to one command."""
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it is handed to Slack: blocks, and the text for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...]


def escape(text: str, limit: int = SECTION_LENGTH) -> str:
    """Escape text for Slack, cutting it so that the escaped form keeps within `limit` characters."""
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


def split_pages(text: str) -> list[str]:
    """Split a text into escaped pages, each short enough for a section."""
    pages: list[str] = []
    piece: list[str] = []
    used = 0
    for character in text:
        escaped = ESCAPES.get(character, character)
        if used + len(escaped) > PAGE_LENGTH:
            pages.append("".join(piece))
            piece, used = [], 0
        piece.append(escaped)
        used += len(escaped)
    return [page for page in (*pages, "".join(piece)) if page.strip()]


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


def format_label_plain(value: Label) -> str:
    """Return a value in words without an emoji, not escaped, for notifications and modals."""
    if isinstance(value, bool):
        return "pass" if value else "fail"
    return str(value)


def join_names(names: Sequence[str]) -> str:
    """Join people's names for a sentence, escaped; nobody is mentioned, so nobody is pinged."""
    escaped = [escape(name, 80) for name in names] or ["somebody"]
    if len(escaped) == 1:
        return escaped[0]
    if len(escaped) > 4:
        return ", ".join(escaped[:3]) + f" and {len(escaped) - 3} others"
    return ", ".join(escaped[:-1]) + " and " + escaped[-1]


def section(text: str) -> Block:
    """Return a paragraph of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def paragraphs(text: str) -> tuple[Block, ...]:
    """Return a text of many lines as sections, cut between lines."""
    pages: list[str] = [""]
    for line in text.splitlines():
        if pages[-1] and len(pages[-1]) + len(line) + 1 > SECTION_LENGTH:
            pages.append("")
        pages[-1] = f"{pages[-1]}\n{line}" if pages[-1] else line
    return tuple(section(page) for page in pages)


def pack_messages(messages: Sequence[Message]) -> list[Message]:
    """Pack the blocks into as few messages as Slack's limits allow, at most `MAX_RESPONSES`."""
    pages: list[Message] = []
    used = 0
    for message in messages:
        for block in message.blocks:
            size = _size(block)
            if not pages or used + size > RESPONSE_LENGTH or len(pages[-1].blocks) == RESPONSE_BLOCKS:
                pages.append(Message(text=message.text, blocks=()))
                used = 0
            pages[-1] = replace(pages[-1], blocks=(*pages[-1].blocks, block))
            used += size
    if len(pages) <= MAX_RESPONSES:
        return pages
    cut = context(
        "There is more than Slack lets me say here; `memalign guidelines` on the server lists it all."
    )
    kept = pages[:MAX_RESPONSES]
    return [*kept[:-1], replace(kept[-1], blocks=(*kept[-1].blocks, cut))]


def _size(part: Json) -> int:
    """Return the number of characters of all texts in a block."""
    if isinstance(part, dict):
        text = part.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(_size(value) for value in part.values())
    return sum(_size(value) for value in part) if isinstance(part, list) else 0


def context(text: str) -> Block:
    """Return a line in small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def text_message(text: str) -> Message:
    """Return a message of mrkdwn lines, which must be escaped already."""
    return Message(text=text, blocks=paragraphs(text))


def small_message(text: str) -> Message:
    """Return a message in small print, which must be escaped already."""
    return Message(text=text, blocks=(context(text),))


def plain_message(text: str) -> Message:
    """Return a message of one sentence, escaping it."""
    return text_message(escape(text))


def actions(block_id: str, *elements: Block) -> Block:
    """Return a row of buttons or menus."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(text: str, action_id: str, value: str) -> Block:
    """Return a button."""
    label = {"type": "plain_text", "text": text, "emoji": True}
    return {"type": "button", "text": label, "action_id": action_id, "value": value}


def fits_a_menu(choice: Label) -> bool:
    """Return True if the value is short enough for an option of a menu; a longer one has to be typed."""
    return len(json.dumps(choice, ensure_ascii=False)) <= MENU_LENGTH


def menu(placeholder: str, action_id: str, choices: Sequence[Label]) -> Block:
    """Return a menu of values; each option's value is the label as JSON."""
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": {"type": "plain_text", "text": placeholder},
        "options": [
            {
                "text": {"type": "plain_text", "text": str(choice)},
                "value": json.dumps(choice, ensure_ascii=False),
            }
            for choice in choices[:MENU_OPTIONS]
        ],
    }


def field(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    """Return a field of a modal."""
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }


def fit_modal(blocks: Sequence[Block]) -> list[Block]:
    """Return as many blocks as a modal can hold; if some are left out, the last one says so."""
    count, used = 0, 0
    while count < len(blocks) and used <= VIEW_LENGTH:
        used += len(json.dumps(blocks[count]))
        count += 1
    if count == len(blocks) <= VIEW_BLOCKS and used <= VIEW_LENGTH:
        return list(blocks)
    more = context("Slack lets me show no more here; the rest is where the trace came from.")
    return [*blocks[: min(count, VIEW_BLOCKS) - 1], more]


def modal(callback_id: str, title: str, blocks: Sequence[Block]) -> Block:
    """Return a modal; Slack allows 24 characters of title."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": list(blocks),
    }
