"""The elements of Slack messages, within Slack's limits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.blocks.mrkdwn import MAX_SECTION_LENGTH, escape
from bot.plain_text import format_label_plain
from bot.visible_text import visible
from memalign.records import Json, Label

Block = dict[str, Json]

MAX_VIEW_BLOCKS, MAX_VIEW_LENGTH = 100, 240_000
"""A modal may hold 100 blocks, and 250,000 characters with all that JSON adds."""
MAX_OPTION_LENGTH = 75
"""Slack allows 75 characters in a menu's option."""
MAX_MENU_OPTIONS = 100
MAX_MESSAGE_LENGTH, MAX_MESSAGE_BLOCKS = 12_000, 45
"""Slack takes about 13,200 characters and 50 blocks in a message."""
MAX_LINE_LENGTH = 2800
"""Of a single line, below the length of a section."""
MAX_TEXT_LENGTH = 3000
"""Of the text for notifications, which nobody reads further."""
MAX_RESPONSES = 5
"""Slack accepts five responses to one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """Content of a message to Slack: blocks, and the text for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...]

    def arguments(self) -> dict[str, Json]:
        """Return the content as arguments of Slack's methods; Slack makes no links or mentions of words in it."""
        return {"text": self.text, "blocks": list(self.blocks), "parse": "none", "link_names": False}


def mrkdwn(text: str) -> Block:
    """Return a text object of mrkdwn, in which Slack makes no links or mentions by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str) -> Block:
    """Return a text object without markup."""
    return {"type": "plain_text", "text": visible(text)}


def section(text: str) -> Block:
    """Return a paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def paragraphs(text: str) -> tuple[Block, ...]:
    """Return a text of many lines as sections, cut between lines."""
    pages: list[str] = [""]
    for long_line in text.splitlines():
        line = long_line if len(long_line) <= MAX_SECTION_LENGTH else f"{long_line[:MAX_LINE_LENGTH]}…"
        if pages[-1] and len(pages[-1]) + len(line) + 1 > MAX_SECTION_LENGTH:
            pages.append("")
        pages[-1] = f"{pages[-1]}\n{line}" if pages[-1] else line
    return tuple(section(page) for page in pages)


def pack_messages(messages: Sequence[SlackMessage]) -> list[SlackMessage]:
    """Pack the blocks into as few messages as Slack's limits allow, at most `MAX_RESPONSES`."""
    pages: list[SlackMessage] = []
    used = 0
    for message in messages:
        for block in message.blocks:
            size = _size(block)
            if not pages or used + size > MAX_MESSAGE_LENGTH or len(pages[-1].blocks) == MAX_MESSAGE_BLOCKS:
                pages.append(SlackMessage(text=message.text[:MAX_TEXT_LENGTH], blocks=()))
                used = 0
            pages[-1] = replace(pages[-1], blocks=(*pages[-1].blocks, block))
            used += size
    if len(pages) <= MAX_RESPONSES:
        return pages
    cut = context("There is more than Slack lets me say here.")
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
    return {"type": "context", "elements": [mrkdwn(text)]}


def text_message(text: str) -> SlackMessage:
    """Return a message of mrkdwn lines, which must be escaped already."""
    return SlackMessage(text=text, blocks=paragraphs(text))


def small_message(text: str) -> SlackMessage:
    """Return a message in small print, which must be escaped already."""
    return SlackMessage(text=text, blocks=(context(text),))


def plain_message(text: str) -> SlackMessage:
    """Return a message of one sentence, escaping it."""
    return text_message(escape(text))


def actions(block_id: str, *elements: Block) -> Block:
    """Return a row of buttons or menus."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def button(text: str, action_id: str, value: str, *, spoken: str = "") -> Block:
    """Return a button; `spoken` is what screen readers say where its text is an emoji alone."""
    label = {**plain_text(text), "emoji": True}
    drawn: Block = {"type": "button", "text": label, "action_id": action_id, "value": value}
    return {**drawn, "accessibility_label": spoken} if spoken else drawn


def fits_a_menu(choice: Label) -> bool:
    """Return True if the value is short enough for an option of a menu; a longer one has to be typed."""
    return len(json.dumps(choice, ensure_ascii=False)) <= MAX_OPTION_LENGTH


def menu(placeholder: str, action_id: str, choices: Sequence[Label]) -> Block:
    """Return a menu of values; each option's value is the label as JSON."""
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder),
        "options": label_options(choices[:MAX_MENU_OPTIONS]),
    }


def label_options(choices: Sequence[Label]) -> list[Block]:
    """Return values as options of a menu or of radio buttons; each option's value is the label as JSON."""
    return [
        {"text": plain_text(format_label_plain(choice)), "value": json.dumps(choice, ensure_ascii=False)}
        for choice in choices
    ]


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return a menu of decisions behind three dots: the words and the value of each; Slack allows five."""
    return {
        "type": "overflow",
        "action_id": action_id,
        "options": [{"text": plain_text(text), "value": value} for text, value in options],
    }


def field(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    """Return a field of a modal."""
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": plain_text(label),
        "element": element,
    }


def fit_modal(blocks: Sequence[Block]) -> list[Block]:
    """Return as many blocks as a modal can hold; if some are left out, the last one says so."""
    count, used = 0, 0
    while count < len(blocks) and used <= MAX_VIEW_LENGTH:
        used += len(json.dumps(blocks[count]))
        count += 1
    if count == len(blocks) <= MAX_VIEW_BLOCKS and used <= MAX_VIEW_LENGTH:
        return list(blocks)
    more = context("Slack lets me show no more here; the rest is where the trace came from.")
    return [*blocks[: min(count, MAX_VIEW_BLOCKS) - 1], more]


def modal(callback_id: str, title: str, blocks: Sequence[Block]) -> Block:
    """Return a modal; Slack allows 24 characters of title."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title),
        "close": plain_text("Close"),
        "blocks": list(blocks),
    }
