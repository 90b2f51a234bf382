"""A judge's guidelines as a list that people search, turn, and decide in."""

import json
from collections.abc import Sequence

from bot.blocks.commands import state_note
from bot.blocks.guideline_buttons import (
    EDIT_GUIDELINE,
    GUIDELINE_MENU,
    PIN_GUIDELINE,
    RESTORE_GUIDELINE,
    RETIRE_GUIDELINE,
    UNPIN_GUIDELINE,
    action_label,
    approval_actions,
)
from bot.blocks.memory_history import history_button
from bot.blocks.mrkdwn import escape, escape_name, join_names
from bot.blocks.primitives import Block, SlackMessage, actions, button, overflow, section
from bot.guideline_page import (
    GUIDELINES_PER_PAGE,
    GuidelineEntry,
    GuidelinePage,
    GuidelineQuery,
)
from bot.judge_names import short_name
from bot.plain_text import agreement, days_ago, pluralise, trial_sentence
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline

TURN_PAGE = "guidelines_page"
"""Beginning of the action ids of all buttons that show a page of guidelines."""
SHOW_GUIDELINES = "show_guidelines"
"""The button in a message for a whole channel: the list is shown to the person who presses it."""
MAX_ROW_TEXT = 300
"""Characters of a guideline in the list: with them, a page of the longest fits into one message."""
MAX_NAMES_IN_ROW, MAX_NAME_IN_ROW = 3, 25
MAX_BLOCK_ID = 255
"""Slack allows 255 characters in a block's id."""
MAX_JUDGES_SHOWN = 40


def guidelines_message(page: GuidelinePage, notice: Sequence[Block] = (), hint: str = "") -> SlackMessage:
    """Return a page of guidelines with what can be decided on each.

    Args:
        page: the page.
        notice: blocks on what was just decided, above the list.
        hint: a sentence below an empty list, escaped.
    """
    title = _title(page)
    blocks = (
        *notice,
        section(f"{title}\n{hint}" if hint else title),
        *(_row(page, entry) for entry in page.entries),
        *_page_buttons(page),
    )
    return SlackMessage(text=title, blocks=blocks)


def overview_message(pages: Sequence[GuidelinePage]) -> SlackMessage:
    """Return how many guidelines each of several judges has, each with a button that lists them."""
    rows = tuple(_overview_row(page) for page in pages[:MAX_JUDGES_SHOWN])
    title = "Whose guidelines?"
    return SlackMessage(text=title, blocks=(section(title), *rows))


def row_id(query: GuidelineQuery, guideline_id: str) -> str:
    """Return the id of a guideline's block, which carries what its menu decides on and where."""
    carried = [short_name(query.judge), guideline_id, query.offset, query.words]
    block_id = json.dumps(carried, ensure_ascii=False, separators=(",", ":"))
    if len(block_id) <= MAX_BLOCK_ID:
        return block_id
    return json.dumps([*carried[:3], ""], ensure_ascii=False, separators=(",", ":"))[:MAX_BLOCK_ID]


def menu_actions(rule: Guideline) -> tuple[str, ...]:
    """Return the action ids that a guideline offers in the list."""
    if rule.retired:
        return (RESTORE_GUIDELINE,)
    pin = UNPIN_GUIDELINE if rule.pinned else PIN_GUIDELINE
    return (*approval_actions(rule), EDIT_GUIDELINE, RETIRE_GUIDELINE, pin)


def _title(page: GuidelinePage) -> str:
    judge = f"*{escape_name(page.title, 150)}*"
    words = escape_name(page.query.words, 200)
    if not page.total:
        return (
            f"{judge} has no guidelines yet. A thumb with a reason teaches it, and so does `/memalign teach`."
        )
    if not page.matches:
        return f"No guideline of {judge} says “{words}”; it has {page.total:,} in all."
    shown = "" if page.matches == len(page.entries) else f" {_range(page)}"
    if page.query.words:
        return f"{page.matches} of {pluralise(page.total, 'guideline')} of {judge} with “{words}”{shown}"
    return f"{pluralise(page.total, 'guideline')} of {judge}{shown}"


def _range(page: GuidelinePage) -> str:
    first = page.query.offset + 1
    return f"({first}–{page.query.offset + len(page.entries)} of {page.matches})"


def _row(page: GuidelinePage, entry: GuidelineEntry) -> Block:
    rule = entry.rule
    options = [(action_label(action, rule), action) for action in menu_actions(rule)]
    return {
        **section(f"{_text(entry)}\n{' · '.join(_details(entry, page.now_ms))}"),
        "block_id": row_id(page.query, rule.id),
        "accessory": overflow(GUIDELINE_MENU, options),
    }


def _text(entry: GuidelineEntry) -> str:
    rule = entry.rule
    text = escape(rule.text, MAX_ROW_TEXT).replace("\n", " ") if rule.has_words else ""
    return f"*{entry.number}.* {text}{state_note(rule)}"


def _details(entry: GuidelineEntry, now_ms: int) -> list[str]:
    rule = entry.rule
    by_hand = "added by hand" if rule.added_by else "no case counts for it now"
    details = [pluralise(len(rule.source_trace_ids), "case") if rule.sources else by_hand]
    if entry.authors:
        details.append(_names(entry.authors))
    if entry.editor:
        details.append(f"edited by {_names([entry.editor])}")
    if entry.verdicts:
        led = f", led {pluralise(entry.led, 'verdict')}" if entry.led else ""
        details.append(f"used {entry.verdicts:,}×{led}, last {days_ago(entry.last_ms, now_ms)}")
    else:
        details.append("no verdict used it yet")
    if trial_sentence(rule) and (trial := rule.trial):
        details.append(f"tried on {pluralise(trial.tried, 'case')}: fixed {trial.fixed}, broke {trial.broke}")
    if votes := agreement(rule):
        details.append(votes)
    if number := len(tuple(merged_into(rule))):
        details.append(f"stands for {pluralise(number, 'more rule')}")
    return details


def _names(names: Sequence[str]) -> str:
    told = [name if len(name) <= MAX_NAME_IN_ROW else f"{name[:MAX_NAME_IN_ROW]}…" for name in names]
    if len(told) <= MAX_NAMES_IN_ROW:
        return join_names(told)
    more = len(told) - MAX_NAMES_IN_ROW + 1
    return f"{', '.join(escape_name(name) for name in told[: MAX_NAMES_IN_ROW - 1])} and {more} others"


def _page_buttons(page: GuidelinePage) -> tuple[Block, ...]:
    query = page.query
    row = []
    if query.offset:
        row.append(_page_button("Previous", "previous", query.at(query.offset - GUIDELINES_PER_PAGE)))
    after = query.offset + len(page.entries)
    if after < page.matches:
        more = min(GUIDELINES_PER_PAGE, page.matches - after)
        row.append(_page_button(f"Next {more}", "next", query.at(after)))
    if query.words and page.total:
        row.append(_page_button("All guidelines", "all", GuidelineQuery(judge=query.judge)))
    if page.total:
        row.append(history_button(query.judge))
    return (actions(TURN_PAGE, *row),) if row else ()


def _page_button(text: str, which: str, query: GuidelineQuery) -> Block:
    return button(text, f"{TURN_PAGE}:{which}", query.to_json())


def _overview_row(page: GuidelinePage) -> Block:
    judge = f"*{escape_name(page.title, 150)}*"
    words = f" with “{escape_name(page.query.words, 200)}”" if page.query.words else ""
    row = section(f"{judge}: {pluralise(page.matches, 'guideline')}{words}")
    return {**row, "accessory": _page_button("Show", "show", page.query)} if page.matches else row
