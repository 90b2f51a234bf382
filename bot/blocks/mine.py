"""All that is held about a person, and the list of past forgettings."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import escape, escape_name, format_label, join_names, quoted
from bot.blocks.primitives import SlackMessage, context, paragraphs, section, text_message
from bot.blocks.rich_text import preformatted, rich_text
from bot.blocks.trace_line import question_line
from bot.plain_text import TERMINAL_NAME, pluralise
from bot.records import OwnRecord, OwnVote, PastForgetting

MAX_VOTES_SHOWN, MAX_RULES_SHOWN, MAX_FORGETTINGS_SHOWN = 20, 20, 50
FILE_PAGE_LENGTH = 2800
MAX_FILE_PAGES = 18
"""Number of pages that fit into Slack's five responses to a command."""


def nothing_held(record: OwnRecord) -> SlackMessage:
    """Return the answer to somebody of whom nothing is held."""
    return text_message("\n".join(["I hold no votes and no words of yours.", *_muted(record)]))


def own_record(record: OwnRecord) -> SlackMessage:
    """Return a person's votes, reasons and rules."""
    reasons = sum(bool(vote.rationale) for vote in record.votes)
    votes = sum(vote.vote is not None for vote in record.votes)
    head = (
        f"*What I hold about you:* {pluralise(votes, 'vote')}, {pluralise(reasons, 'reason')}, "
        f"and {pluralise(len(record.rules), 'rule')} that rest on your words."
    )
    lines = [head, *_muted(record), *_hidden(record)]
    shown, rules = record.votes[:MAX_VOTES_SHOWN], record.rules[:MAX_RULES_SHOWN]
    blocks = [
        *paragraphs("\n".join(lines)),
        *(section(vote_entry(vote)) for vote in shown),
        *([section("*Rules from your words*")] if rules else []),
        *(section(f"• {escape(rule.text, 700)} _({escape_name(judge, 100)})_") for judge, rule in rules),
        context(
            f"{_more(record)}`/memalign mine file` has it all as JSON lines. "
            "`/memalign forget --person me` takes it all back."
        ),
    ]
    return SlackMessage(text=head, blocks=tuple(blocks))


def vote_entry(vote: OwnVote) -> str:
    """Return one vote in a line, with its reason below; escaped."""
    subject = escape(question_line(vote.trace), 150) if vote.trace else "an answer that is gone"
    words = {"up": "👍", "down": "👎", "unsure": "🤷"}.get(vote.vote or "", "no vote")
    if vote.stored.is_hidden and vote.value is not None:  # a thumb would tell whether the judge says the same
        words = "your answer"
    value = f" ({format_label(vote.value)})" if vote.value is not None else ""
    reason = f"\n{quoted(vote.rationale, 300)}" if vote.rationale else ""
    return f"{words}{value} · {vote.at.day} {vote.at:%b %Y} · {subject}{reason}"


def own_file(lines: Sequence[str]) -> list[SlackMessage]:
    """Return lines of JSON to copy, in blocks in which nothing is interpreted."""
    if not lines:
        return [text_message("I hold no votes and no words of yours.")]
    pages: list[str] = [""]
    for line in lines:
        for start in range(0, len(line), FILE_PAGE_LENGTH):
            piece = line[start : start + FILE_PAGE_LENGTH]
            if pages[-1] and len(pages[-1]) + len(piece) > FILE_PAGE_LENGTH:
                pages.append("")
            pages[-1] = f"{pages[-1]}\n{piece}" if pages[-1] else piece
    head = f"{pluralise(len(lines), 'line')} of JSON; save them as mine.jsonl."
    if len(pages) > MAX_FILE_PAGES:
        head += " It is too long for Slack; `memalign export --person` on the server writes all of it."
    blocks = (section(head), *(rich_text(preformatted(page)) for page in pages[:MAX_FILE_PAGES]))
    return [SlackMessage(text=head, blocks=blocks)]


def forgotten_list(entries: Sequence[PastForgetting]) -> SlackMessage:
    """Return what was forgotten, newest first."""
    if not entries:
        return text_message("Nothing was forgotten yet.")
    lines = [_past(entry) for entry in entries[:MAX_FORGETTINGS_SHOWN]]
    if (more := len(entries) - MAX_FORGETTINGS_SHOWN) > 0:
        lines.append(f"• and {more} earlier; `memalign forgotten` on the server lists them all")
    return text_message("\n".join(["*What was forgotten*", *lines]))


def _past(entry: PastForgetting) -> str:
    by = escape_name(entry.by, 80) if entry.by else TERMINAL_NAME
    subject = (
        f"everything {join_names(entry.people)} said and voted on"
        if entry.people
        else f"trace {', '.join(escape_name(each, 100) for each in entry.trace_ids)}"
    )
    return f"• {entry.at.day} {entry.at:%b %Y %H:%M}: {subject}, by {by}"


def _muted(record: OwnRecord) -> list[str]:
    return ["You muted me: I ask you nothing privately."] if record.is_muted else []


def _hidden(record: OwnRecord) -> list[str]:
    if not record.hidden:
        return []
    return [f"There is more on {pluralise(record.hidden, 'card')} in channels that you are no longer in."]


def _more(record: OwnRecord) -> str:
    more = max(0, len(record.votes) - MAX_VOTES_SHOWN) + max(0, len(record.rules) - MAX_RULES_SHOWN)
    return f"{more} more not shown. " if more else ""
