"""Answers to `/memalign`."""

from collections.abc import Sequence

from bot.blocks.primitives import (
    Message,
    actions,
    button,
    escape,
    join_names,
    paragraphs,
    plain_message,
    quoted,
    section,
    text_message,
)
from bot.plain_text import guideline_state, pluralise
from bot.records import Status
from memalign.records import Forgotten, Guideline

FORGET, KEEP = "forget_confirm", "forget_cancel"

HELP = """*What you can ask me*
• `/memalign guidelines` or `/memalign guidelines &lt;judge&gt;`: what I have learned, and from whom
• `/memalign forget &lt;trace id or link to a card&gt;`: take back what was learned; I'll show you first what goes
• `/memalign forget --person @name`: take back all that one person said and voted
• `/memalign status`: what waits, and why
• `/memalign digest`: how far the judge and you agree this week
• `/memalign help`: this list
*How to teach me*
React to a card with 👍 (the judge is right), 👎 (the judge is wrong) or 🤷 (can't tell); say why in its thread."""

AuthoredGuideline = tuple[Guideline, Sequence[str]]
"""A guideline with the names of the people it came from."""


def help_text(opening: str = "") -> Message:
    """Return the list of sub-commands and the ways to teach, below an opening sentence if there is one."""
    return text_message(f"{escape(opening, 200)}\n{HELP}" if opening else HELP)


def guidelines_message(judge: str, rules: Sequence[AuthoredGuideline]) -> Message:
    """Return a judge's guidelines with their sources; perhaps larger than one Slack message, see `pack_messages`."""
    if not rules:
        return text_message(
            f"*{escape(judge)}* has no guidelines yet. A thumb with a reason in the thread teaches it."
        )
    title = f"*{escape(judge)}* has learned {pluralise(len(rules), 'guideline')}:"
    entries = (section(_rule(rule, names)) for rule, names in rules)
    return Message(text=title, blocks=(section(title), *entries))


def _rule(rule: Guideline, names: Sequence[str]) -> str:
    lines = [f"• {escape(rule.text, 700)}{state_note(rule)}"]
    if rule.sources and _without_punctuation(rule.sources[-1].quote) != _without_punctuation(rule.text):
        lines.append(quoted(rule.sources[-1].quote, 300))
    traces = rule.source_trace_ids
    listed = ", ".join(escape(trace_id, 80) for trace_id in traces[:3]) + (", …" if len(traces) > 3 else "")
    lines.append(f"from {join_names(names)} · {pluralise(len(traces), 'trace')}: {listed}")
    return "\n".join(lines)


def state_note(rule: Guideline) -> str:
    """Return the remark that follows a guideline which is not simply in use; empty for one that is."""
    state = guideline_state(rule)
    return f" _{state}_" if state else ""


def _without_punctuation(text: str) -> str:
    return text.strip(" .\n").casefold()


def which_trace() -> Message:
    """Forget needs to know what."""
    return text_message("Which trace? Type `/memalign forget` and its id, or a link to its card.")


def not_allowed(listed: Sequence[str]) -> Message:
    """This person may not forget this trace."""
    who = "Only those named in the settings" if listed else "Only members of the channel where it was shown"
    return plain_message(f"{who} can forget this trace; please ask one of them.")


def forget_preview(trace_id: str, judges: Sequence[tuple[str, Forgotten]], names: Sequence[str]) -> Message:
    """What forgetting a trace would take, with the buttons that decide."""
    lines = [f"Forget trace {escape(trace_id, 300)}? This can't be undone. What goes:"]
    for judge, going in judges:
        lines += _going(judge, going)
    if names:
        lines.append(f"• what {join_names(names)} said of it")
    lines.append("• its text, its verdict and its card")
    text = "\n".join(lines)
    confirm = {**button("Forget", FORGET, trace_id[:2000]), "style": "danger"}
    buttons = actions("forget", confirm, button("Keep", KEEP, trace_id[:2000]))
    return Message(text=text, blocks=(*paragraphs(text), buttons))


def _going(judge: str, going: Forgotten) -> list[str]:
    lines = [f"• the case that {escape(judge, 150)} remembers"] if going.trace_ids else []
    lines += [f"• the guideline “{escape(rule.text, 300)}”" for rule in going.retired]
    lines += [
        f"• the guideline “{escape(rule.text, 300)}” also rests on other traces: I'll learn it again from those"
        for rule in going.waiting
    ]
    return lines


def forgotten(trace_id: str, judges: Sequence[tuple[str, Forgotten]]) -> Message:
    """What forgetting took, honestly."""
    retired = sum(len(gone.retired) for _, gone in judges)
    waiting = sum(len(gone.waiting) for _, gone in judges)
    left = sum(len(gone.left) for _, gone in judges)
    anew = [rule for _, gone in judges for rule in gone.distilled]
    lines = [
        f"Trace {escape(trace_id, 300)} is forgotten: its text, its verdict and what people said of it are gone."
    ]
    if retired:
        lines.append(f"{pluralise(retired, 'guideline')} rested on it alone and went with it.")
    if anew:
        lines.append(
            "Learned again from what remains: " + " ".join(f"“{escape(rule.text, 300)}”" for rule in anew)
        )
    if left:
        lines.append(f"{pluralise(left, 'guideline')} out of use until learned again from what remains.")
    if not retired and not waiting:
        lines.append("No guideline rested on it.")
    return text_message("\n".join(lines))


def status_message(status: Status) -> Message:
    """Return the work that waits, the reasons, and the size of each judge's memory."""
    lines = ["*All is well.*" if status.connected and not status.troubles else "*Something needs a look.*"]
    if not status.connected:
        lines.append("• I am not connected to Slack at the moment.")
    lines += [f"• {escape(trouble, 400)}" for trouble in status.troubles]
    lines.append(
        f"Waiting: {pluralise(status.traces_waiting, 'trace')} to judge, "
        f"feedback on {pluralise(status.feedback_waiting, 'verdict')} to learn from, "
        f"{pluralise(status.posts_waiting, 'message')} to post."
    )
    for judge in status.judges:
        out_of_use = f" ({judge.waiting} out of use for now)" if judge.waiting else ""
        lines.append(
            f"*{escape(judge.name, 150)}* remembers {pluralise(judge.cases, 'case')} and "
            f"{pluralise(judge.guidelines, 'guideline')}{out_of_use}; it judges with {escape(judge.model, 150)}."
        )
    return text_message("\n".join(lines))


def nothing_forgotten() -> Message:
    """The preview was answered with Keep."""
    return plain_message("Nothing was forgotten.")


def apology(error_id: str) -> Message:
    """Return the apology for a bug; the id is the one in the log."""
    return plain_message(
        f"Sorry, something went wrong on my side (error {error_id}). Please try again in a minute."
    )
