"""Answers to `/memalign`."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import escape, escape_name, join_names, quoted
from bot.blocks.primitives import SlackMessage, plain_message, section, text_message
from bot.plain_text import FROM_ONE_PERSON, guideline_state, pluralise
from bot.records import Status
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline

HELP = """*What you can ask me*
• `/memalign guidelines` or `/memalign guidelines &lt;judge&gt;`: what I have learned, and from whom
• `/memalign why &lt;trace id or link to a card&gt;`: the guidelines and cases behind a verdict
• `/memalign forget &lt;trace id or link to a card&gt;`: take back what was learned; I'll show you first what goes
• `/memalign forget --person @name`: take back all that one person said and voted
• `/memalign status`: what waits, and why
• `/memalign digest`: how far the judge and you agree this week
• `/memalign pause` or `/memalign resume`, with a judge's name: judge and show nothing for a while
• `/memalign mute` or `/memalign unmute`: whether I may ask you things privately
• `/memalign mine`: all that I hold about you; `/memalign mine file` has it as JSON lines
• `/memalign forgotten`: what was forgotten, by whom and when
• `/memalign help`: this list
On a card's menu you also find *Correct this verdict* and *Forget this trace*.
*How to teach me*
React to a card with 👍 (the judge is right), 👎 (the judge is wrong) or 🤷 (can't tell); say why in its thread."""

AuthoredGuideline = tuple[Guideline, Sequence[str]]
"""A guideline with the names of the people it came from."""


def help_text(opening: str = "") -> SlackMessage:
    """Return the list of sub-commands and the ways to teach, below an opening sentence if there is one."""
    return text_message(f"{escape(opening, 200)}\n{HELP}" if opening else HELP)


def unknown_command(name: str, guess: str | None) -> str:
    """Return the sentence on a sub-command that there is not, with the one that may be meant."""
    hint = f" Did you mean “{guess}”?" if guess else ""
    return f"I don't know “{name}”.{hint}"


def no_judges() -> SlackMessage:
    """Return the answer to somebody who is in no judge's channel."""
    return text_message("You are in no channel where a judge works; join one, and ask me again.")


def guidelines_message(title: str, rules: Sequence[AuthoredGuideline]) -> SlackMessage:
    """Return a judge's guidelines with their sources; perhaps larger than one Slack message, see `pack_messages`."""
    if not rules:
        return text_message(
            f"*{escape_name(title)}* has no guidelines yet. A thumb with a reason in the thread teaches it."
        )
    head = f"*{escape_name(title)}* has learned {pluralise(len(rules), 'guideline')}:"
    entries = (section(_rule(rule, names)) for rule, names in rules)
    return SlackMessage(text=head, blocks=(section(head), *entries))


def _rule(rule: Guideline, names: Sequence[str]) -> str:
    lines = [f"• {escape(rule.text, 700)}{state_note(rule)}"]
    if rule.sources and _without_punctuation(rule.sources[-1].quote) != _without_punctuation(rule.text):
        lines.append(quoted(rule.sources[-1].quote, 300))
    traces = rule.source_trace_ids
    listed = ", ".join(escape_name(trace_id, 80) for trace_id in traces[:3]) + (
        ", …" if len(traces) > 3 else ""
    )
    alone = f" · {FROM_ONE_PERSON}" if len(rule.people) == 1 else ""
    lines.append(f"from {join_names(names)} · {pluralise(len(traces), 'trace')}: {listed}{alone}")
    lines += [f"stands also for “{escape(each.text, 300)}”" for each in merged_into(rule)]
    return "\n".join(lines)


def state_note(rule: Guideline) -> str:
    """Return the remark that follows a guideline which is not simply in use; empty for one that is."""
    state = guideline_state(rule)
    return f" _{state}_" if state else ""


def _without_punctuation(text: str) -> str:
    return text.strip(" .\n").casefold()


def status_message(status: Status) -> SlackMessage:
    """Return the work that waits, the reasons, and the size of each judge's memory."""
    lines = [*_troubles(status), _waiting(status), *_memory_sizes(status), *_keeping(status)]
    return text_message("\n".join(lines))


def _waiting(status: Status) -> str:
    parts = [
        status.traces_waiting and f"{pluralise(status.traces_waiting, 'trace')} to judge",
        status.feedback_waiting
        and f"feedback on {pluralise(status.feedback_waiting, 'verdict')} to learn from",
        status.posts_waiting and f"{pluralise(status.posts_waiting, 'message')} to post",
    ]
    told = ", ".join(str(part) for part in parts if part)
    return f"Waiting: {told}." if told else "Nothing is waiting."


def _keeping(status: Status) -> list[str]:
    if status.keep_days is None:
        return []
    return [f"Answers that nobody voted on are deleted after {pluralise(status.keep_days, 'day')}."]


def partial_status_message(status: Status) -> SlackMessage:
    """Return the same for somebody who may see some judges only, without the numbers that count all."""
    note = "I tell you of the judges whose channels you are in."
    return text_message("\n".join([*_troubles(status), *_memory_sizes(status), *_keeping(status), note]))


def _troubles(status: Status) -> list[str]:
    lines = ["*All is well.*" if status.connected and not status.troubles else "*Something needs a look.*"]
    if not status.connected:
        lines.append("• I am not connected to Slack at the moment.")
    return [*lines, *(f"• {escape(trouble, 400)}" for trouble in status.troubles)]


def _memory_sizes(status: Status) -> list[str]:
    lines = []
    for judge in status.judges:
        out_of_use = f" ({judge.waiting} out of use for now)" if judge.waiting else ""
        lines.append(
            f"*{escape_name(judge.title, 150)}* remembers {pluralise(judge.cases, 'case')} and "
            f"{pluralise(judge.guidelines, 'guideline')}{out_of_use}; it judges with {escape_name(judge.model, 150)}."
        )
        if judge.is_paused:
            lines.append(f"⏸️ *{escape_name(judge.title, 150)}* is paused; `/memalign resume` ends that.")
    return lines


def apology(error_id: str) -> SlackMessage:
    """Return the apology for a bug; the id is the one in the log."""
    return plain_message(
        f"Sorry, something went wrong on my side (error {error_id}). Please try again in a minute."
    )
