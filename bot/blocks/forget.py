"""Forgetting a trace or a person: preview, result, refusals, and what stands where a card stood."""

from collections.abc import Sequence
from datetime import datetime

from bot.blocks.mrkdwn import escape, escape_name, join_names
from bot.blocks.primitives import (
    SlackMessage,
    actions,
    button,
    paragraphs,
    plain_message,
    small_message,
    text_message,
)
from bot.plain_text import DATABASE_COPIES, did_you_mean, pluralise
from bot.records import ForgetResult
from memalign.records import ForgetTarget, PersonTarget, TraceTarget

FORGET_TRACE, FORGET_PERSON, KEEP = "forget_confirm", "forget_person_confirm", "forget_cancel"
MAX_PREVIEW_LENGTH = 8000
"""Characters of a preview's list: so much fits into one message, and the buttons are always in it."""
MAX_RULES_SHOWN = 5
"""Guidelines of a judge that a preview shows in words."""
MAX_LINKS_SHOWN = 20
"""Links to replies that one answer shows."""
MAX_RULES_LENGTH = 2000
"""Characters of the guidelines that a result names in one line."""
FORGET_SHORTCUT = "forget_trace"


def which_trace() -> SlackMessage:
    """Return the answer to a command that names no trace."""
    return text_message("Which trace? Type `/memalign forget` and its id, or a link to its card.")


def which_person() -> SlackMessage:
    """Return the answer to a command that names no person."""
    return text_message(
        "Whose words? Type `/memalign forget --person @name` and choose the name that Slack offers, "
        "or `--person me`."
    )


def not_allowed(target: ForgetTarget, named: Sequence[str]) -> SlackMessage:
    """Return the refusal for somebody who may know of the target; `named` are those whom the settings allow it."""
    if isinstance(target, TraceTarget):
        who = (
            "Only those named in the settings"
            if named
            else "Only members of this workspace who are in every channel where it was shown"
        )
        return plain_message(f"{who} can forget this trace; please ask one of them.")
    who = "Only those named in the settings can" if named else "Nobody is named in the settings who can"
    return plain_message(f"{who} take another person's words back; everybody can for themselves.")


def no_trace_of_yours(reference: str, guess: str | None) -> SlackMessage:
    """Return the answer to somebody who may not know whether there is, or was, such a trace.

    Args:
        reference: what they typed.
        guess: the trace that may be meant, if one is like it.
    """
    return plain_message(
        f"I don't know a trace “{reference}” in your channels.{did_you_mean(guess)} "
        "Only members of the channels where it was shown can forget a trace."
    )


def unknown_trace(error: str, guess: str | None) -> SlackMessage:
    """Return the answer to somebody who may know of every trace; `guess` as for `no_trace_of_yours`."""
    return plain_message(f"{error}{did_you_mean(guess)}")


def nothing_of_person(name: str) -> SlackMessage:
    """Return the answer for a person who said and voted nothing."""
    return text_message(f"I hold no words and no votes of {escape_name(name, 100)}.")


def forget_preview(preview: ForgetResult, names: Sequence[str], *, of_oneself: bool = False) -> SlackMessage:
    """Return what would go, with the buttons that decide.

    Args:
        preview: what would go.
        names: the names of the people whose words go.
        of_oneself: True if the reader's own words are to go.
    """
    match preview.target:
        case TraceTarget(trace_id=known_id):
            confirm, lines = FORGET_TRACE, _trace_preview(known_id, preview, names)
        case PersonTarget(person=known_id):
            confirm, lines = (
                FORGET_PERSON,
                _person_preview(None if of_oneself else join_names(names), preview),
            )
    text = "\n".join([*_cut(lines), *_database_copies(preview)])
    forget = {**button("Forget", confirm, known_id), "style": "danger"}
    return SlackMessage(
        text=text, blocks=(*paragraphs(text), actions("forget", forget, button("Keep", KEEP, known_id)))
    )


def _cut(lines: list[str], room: int = MAX_PREVIEW_LENGTH) -> list[str]:
    """Return as many lines as one message holds beside its buttons, and a line on how many more there are."""
    kept = 0
    while kept < len(lines) and room >= len(lines[kept]):
        room -= len(lines[kept])
        kept += 1
    more = len(lines) - kept
    return lines if not more else [*lines[:kept], f"• and {more} more"]


def _trace_preview(trace_id: str, preview: ForgetResult, names: Sequence[str]) -> list[str]:
    lines = [f"Forget trace {escape_name(trace_id, 300)}? This can't be undone. What goes:"]
    for judge, part in preview.judges.items():
        if part.trace_ids:
            lines.append(f"• the case that {escape_name(judge, 150)} remembers")
        lines += _folded(
            [
                *(f"• {_guideline(rule.text)}" for rule in part.retired),
                *(
                    f"• {_guideline(rule.text)} also rests on other traces; I'll relearn it from those"
                    for rule in part.waiting
                ),
            ]
        )
    if names:
        lines.append(f"• what {join_names(names)} said of it")
    return [*lines, *_rest(preview), "• its text, its verdict and its card"]


def _person_preview(name: str | None, preview: ForgetResult) -> list[str]:
    """Return what would go of a person; `name` is None where that person reads it."""
    they = "you've" if name is None else f"{name} has"
    whose = "your" if name is None else "their"
    lines = [
        f"Forget everything {they} said and voted on? This can't be undone. What goes:",
        f"• {whose} votes and reasons on {pluralise(preview.verdicts, 'card')}",
    ]
    for judge, part in preview.judges.items():
        if part.trace_ids:
            count = pluralise(len(part.trace_ids), "case")
            lines.append(f"• {whose} part in {count} that {escape_name(judge, 150)} remembers")
        lines += _folded(
            [
                *(f"• {_guideline(rule.text)}" for rule in part.retired),
                *(
                    f"• {_guideline(rule.text)} also rests on what others said; I'll relearn it from them"
                    for rule in part.waiting
                ),
            ]
        )
    return [*lines, *_rest(preview)]


def _folded(rules: list[str]) -> list[str]:
    """Return the lines of the first guidelines, and one on how many more there are."""
    more = len(rules) - MAX_RULES_SHOWN
    return rules if more <= 0 else [*rules[:MAX_RULES_SHOWN], f"• and {pluralise(more, 'more guideline')}"]


def _rest(preview: ForgetResult) -> list[str]:
    return ["• what belongs to it in channels that you are not in"] if preview.is_partial else []


def _guideline(text: str) -> str:
    return f"the guideline “{escape(text, 300)}”"


def forget_result(
    result: ForgetResult, names: Sequence[str], *, of_oneself: bool = False, links: Sequence[str] = ()
) -> SlackMessage:
    """Return what went.

    Args:
        result: what went.
        names: as for `forget_preview`.
        of_oneself: as for `forget_preview`.
        links: the replies that are still in Slack.
    """
    match result.target:
        case TraceTarget(trace_id=trace_id):
            lines = _trace_result(trace_id, result)
        case PersonTarget():
            lines = _person_result(None if of_oneself else join_names(names), result)
    return text_message("\n".join([*lines, *_remaining(links), *_database_copies(result)]))


def _database_copies(result: ForgetResult) -> list[str]:
    """Return the line on what a database server keeps by itself."""
    return [DATABASE_COPIES] if result.is_on_server else []


def _remaining(links: Sequence[str]) -> list[str]:
    """Return the line with the links to the replies that only their authors can delete."""
    if not links:
        return []
    shown = " ".join(f"<{link}|{number}>" for number, link in enumerate(links[:MAX_LINKS_SHOWN], start=1))
    more = len(links) - MAX_LINKS_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return [f"These replies are still in Slack; their authors can delete them: {shown}{rest}"]


def _trace_result(trace_id: str, result: ForgetResult) -> list[str]:
    lines = [
        f"Trace {escape_name(trace_id, 300)} is forgotten: its text, its verdict and what people said of it are gone.",
        *_retired(result),
    ]
    if distilled := result.distilled:
        rules = " ".join(_cut([f"“{escape(text, 300)}”" for text in distilled], MAX_RULES_LENGTH))
        lines.append(f"Relearned from what remains: {rules}")
    if result.left:
        verb = "is" if result.left == 1 else "are"
        rules = pluralise(result.left, "guideline")
        lines.append(f"{rules} {verb} out of use until I've relearned from what remains.")
    if not result.retired and not result.waiting:
        lines.append("No guideline rested on it.")
    return lines


def _person_result(name: str | None, result: ForgetResult) -> list[str]:
    count = pluralise(result.verdicts, "card")
    whose = "you" if name is None else name
    lines = [f"Everything {whose} said and voted on {count} is gone.", *_retired(result)]
    if result.waiting:
        rules = pluralise(result.waiting, "guideline")
        verb = "is" if result.waiting == 1 else "are"
        lines.append(f"{rules} {verb} out of use until I've relearned from what others said.")
    if result.cases:
        lines.append("What others said on the same traces is learned again now.")
    return lines


def _retired(result: ForgetResult) -> list[str]:
    if not result.retired:
        return []
    return [f"{pluralise(result.retired, 'guideline')} rested on it alone and went with it."]


def nothing_forgotten() -> SlackMessage:
    """Return the answer to Keep."""
    return plain_message("Nothing was forgotten.")


def forgotten_card(at: datetime, name: str | None) -> SlackMessage:
    """Return what takes a card's place once its trace is forgotten.

    Args:
        at: when it was forgotten.
        name: who asked for it; None for somebody at the terminal.
    """
    by = f" by {escape_name(name, 80)}" if name else " from the server"
    return small_message(
        f"Forgotten on {at.day} {at:%b %Y}{by}. I keep nothing of it but a hash of its id, so that it stays gone.\n"
        "Any replies below are still in Slack; their authors can delete them."
    )


def forgotten_reply() -> SlackMessage:
    """Return what takes the place of the bot's own words in the thread of a forgotten card."""
    return small_message("This was forgotten together with the card above.")


def expired_card() -> SlackMessage:
    """Return what takes a card's place once its trace is older than `[storage] keep_days`."""
    return small_message("This trace was older than I keep traces, so its text and the verdict are gone.")
