"""The versions of what a judge has learned, and the way back to one of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from bot.blocks.mrkdwn import escape, escape_name
from bot.blocks.primitives import Block, SlackMessage, actions, button, context, section, text_message
from bot.memory_words import (
    MAX_CASES_NAMED,
    GuidelineLine,
    case_titles,
    case_words,
    difference_words,
    guideline_lines,
    line_words,
    version_words,
)
from bot.plain_text import pluralise
from bot.runtime.clock import from_ms
from memalign.records import MemoryDiff
from storage.memory_history import LogEntry

SHOW_HISTORY = "show_memory_history"
GO_BACK = "go_back_to_version"
"""Shows what going back would change."""
CONFIRM_GO_BACK = "confirm_go_back_to_version"
STAY = "stay_at_version"
MAX_VERSIONS_SHOWN = 10
MAX_CHANGES_SHOWN = 3
"""Guidelines that a version tells in words; it counts the others."""
MAX_PREVIEW_LINES = 10
MAX_CHANGE_LENGTH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """The newest versions of one judge's memory."""

    judge: str
    title: str
    entries: Sequence[LogEntry]
    zone: tzinfo
    """The digest's time zone, in which times are told."""
    names: Mapping[str, str]
    """Names of people by id."""
    may_go_back: bool
    """True if whoever reads it may go back."""


def history_message(page: HistoryPage) -> SlackMessage:
    """Return the newest versions, each with a button that goes back to it."""
    title = f"*{escape_name(page.title, 150)}*"
    if not page.entries:
        return text_message(
            f"No change of what {title} has learned is recorded yet. Each one from now on is shown here."
        )
    head = f"What {title} has learned, newest change first"
    newest = page.entries[0]
    rows = [_row(page, entry, is_newest=entry is newest) for entry in page.entries]
    oldest = page.entries[-1].version.number
    first = (_first_row(page),) if oldest == 1 else ()
    more = (context(f"{pluralise(oldest - 1, 'earlier version')}: `memalign memory log` on the server."),)
    return SlackMessage(text=head, blocks=(section(head), *rows, *(first or more)))


def rollback_preview(judge: str, title: str, version: int, difference: MemoryDiff) -> SlackMessage:
    """Return what going back to a version would change, to be confirmed."""
    lines = [_told(line) for line in guideline_lines(difference)]
    more = len(lines) - MAX_PREVIEW_LINES
    shown = [*lines[:MAX_PREVIEW_LINES], *([f"and {pluralise(more, 'more guideline')}"] if more > 0 else [])]
    shown += _case_lines(difference)
    question = f"Go back to version {version} of *{escape_name(title, 150)}*? This would change:"
    text = "\n".join([question, *shown])
    note = (
        "Nothing forgotten comes back, all votes and reasons are kept, and you can undo it like any change."
    )
    row = actions(
        "go-back",
        button("Go back", CONFIRM_GO_BACK, version_value(judge, version)),
        button("Leave it", STAY, version_value(judge, version)),
    )
    return SlackMessage(text=question, blocks=(*text_message(text).blocks, context(note), row))


def nothing_to_go_back(title: str, version: int) -> SlackMessage:
    """Return the answer where a version holds what the memory holds."""
    return text_message(
        f"*{escape_name(title, 150)}* is just as it was in version {version}, so there is nothing to change."
    )


def stayed() -> SlackMessage:
    """Return the answer to somebody who leaves the memory as it is."""
    return text_message("Nothing was changed.")


def history_button(judge: str, words: str = "History") -> Block:
    """Return the button that shows a judge's versions."""
    return button(words, SHOW_HISTORY, judge)


def version_value(judge: str, version: int) -> str:
    """Return the value of a button on a version."""
    return json.dumps([judge, version], ensure_ascii=False)


def _row(page: HistoryPage, entry: LogEntry, *, is_newest: bool) -> Block:
    version, at = entry.version, from_ms(entry.version.at_ms, page.zone)
    who = escape(version_words(version, page.names))
    head = f"*{version.number}* · {at.day} {at:%b} {at:%H:%M} · {who}"
    row = section("\n".join([head, *_changes(entry)]))
    if is_newest or not page.may_go_back:
        return row
    return {**row, "accessory": _back_button(page, version.number)}


def _first_row(page: HistoryPage) -> Block:
    row = section("*0* · before the first of these changes")
    return {**row, "accessory": _back_button(page, 0)} if page.may_go_back else row


def _back_button(page: HistoryPage, version: int) -> Block:
    return button("Go back to here", GO_BACK, version_value(page.judge, version))


def _changes(entry: LogEntry) -> list[str]:
    pieces = difference_words(entry.version, entry.difference)
    told = [escape(piece, MAX_CHANGE_LENGTH) for piece in pieces[:MAX_CHANGES_SHOWN]]
    more = len(pieces) - MAX_CHANGES_SHOWN
    return [*told, f"and {pluralise(more, 'more change')}"] if more > 0 else told


def _case_lines(difference: MemoryDiff) -> list[str]:
    """Return how many cases change, and the first words of a few of them."""
    cases = list(case_titles(difference))
    if not cases:
        return []
    named = [f"• {sign} {escape(title, MAX_CHANGE_LENGTH)}" for sign, _, title in cases[:MAX_CASES_NAMED]]
    more = len(cases) - MAX_CASES_NAMED
    rest = [f"and {pluralise(more, 'more case')}"] if more > 0 else []
    return [f"{case_words(difference)}:", *named, *rest]


def _told(line: GuidelineLine) -> str:
    return escape(line_words(line), MAX_CHANGE_LENGTH)
