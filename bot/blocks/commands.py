"""Answers to `/memalign`."""

from bot.blocks.mrkdwn import escape, escape_name
from bot.blocks.primitives import SlackMessage, plain_message, text_message
from bot.plain_text import did_you_mean, guideline_state, keeping_sentence, pluralise
from bot.records import Status
from memalign.records import Guideline

HELP = """*What you can ask me*
• `/memalign guidelines`, with a judge's name or words to search for: what I have learned, to edit or put out of use
• `/memalign teach &lt;rule&gt;`: a rule in your own words
• `/memalign history`, with a judge's name: who changed what I have learned, and the way back to an earlier version
• `/memalign why &lt;trace id or link to a card&gt;`: the guidelines and cases behind a verdict
• `/memalign forget &lt;trace id or link to a card&gt;`: take back what was learned; I'll show you first what goes
• `/memalign forget --person @name`: take back everything one person said and voted on
• `/memalign status`: is anything stuck?
• `/memalign digest`: how far the judge and you agree this week; `/memalign digest last` for last week
• `/memalign stats`, with a judge's name: how it has done over its life, and what it has learned
• `/memalign pause` or `/memalign resume`, with a judge's name: judge and show nothing for a while
• `/memalign mute` or `/memalign unmute`: whether I may ask you things privately
• `/memalign mine`: all that I hold about you; `/memalign mine file` has it as JSON lines
• `/memalign forgotten`: what was forgotten, by whom and when
• `/memalign help`: this list
On a card's menu you also find *Correct this verdict* and *Forget this trace*.
*How to teach me*
React to a card with 👍 (the judge is right), 👎 (the judge is wrong) or 🤷 (can't tell); say why in its thread."""


def help_text(opening: str = "", *, keep_days: int | None = None) -> SlackMessage:
    """Return the list of sub-commands and the ways to teach.

    Args:
        opening: a sentence before it.
        keep_days: days after which traces that nobody answered are deleted; None: never.
    """
    return text_message("\n".join(filter(None, [escape(opening, 200), HELP, keeping_sentence(keep_days)])))


def unknown_command(name: str, guess: str | None, *, keep_days: int | None = None) -> SlackMessage:
    """Return the answer to a sub-command that there is not: the one that may be meant, or else all there are."""
    opening = f"I don't know “{name}”.{did_you_mean(guess)}"
    if guess is None:
        return help_text(opening, keep_days=keep_days)
    return text_message(f"{escape(opening, 200)} `/memalign help` lists all that you can ask.")


def unknown_week(text: str) -> SlackMessage:
    """Return the answer to a week that cannot be read."""
    week = escape(text.strip(), 100)
    return text_message(
        f"I don't know a week “{week}”. Try `/memalign digest`, `digest last`, or `digest 2026-W47`."
    )


def no_judges() -> SlackMessage:
    """Return the answer to somebody who is in no judge's channel."""
    return text_message("You are in no channel where a judge works; join one, and ask me again.")


def state_note(rule: Guideline) -> str:
    """Return the remark that follows a guideline which is not simply in use; empty for one that is."""
    state = guideline_state(rule)
    return f" _{state}_" if state else ""


def status_message(status: Status) -> SlackMessage:
    """Return the work that waits, the reasons, and the size of each judge's memory."""
    lines = [
        *_troubles(status),
        _waiting(status),
        *_remarks(status),
        *_memory_sizes(status),
        *_keeping(status),
    ]
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


def _remarks(status: Status) -> list[str]:
    return [escape(remark, 400) for remark in status.remarks]


def _keeping(status: Status) -> list[str]:
    return [sentence] if (sentence := keeping_sentence(status.keep_days)) else []


def partial_status_message(status: Status) -> SlackMessage:
    """Return the same for somebody who may see some judges only, without the numbers that count all."""
    note = "I tell you of the judges whose channels you are in."
    return text_message(
        "\n".join([*_troubles(status), *_remarks(status), *_memory_sizes(status), *_keeping(status), note])
    )


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
