"""The verdict card, and the modals that open from it."""

import json
from collections.abc import Sequence

from bot.blocks.left_out import left_out_line
from bot.blocks.mrkdwn import escape, escape_address, escape_name, format_label, format_label_plain
from bot.blocks.primitives import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    field,
    fit_modal,
    menu,
    modal,
    plain_text,
    section,
)
from bot.blocks.rich_text import rich_section, rich_text, run
from bot.blocks.trace_parts import TracePart, parts_of
from bot.blocks.why import why_button
from bot.redaction.redactor import is_redacted
from bot.visible_text import visible
from memalign.records import Label, Trace, Verdict
from memalign.value_types import ValueType
from storage.records import StoredVerdict

VOTE_UP, VOTE_DOWN, VOTE_UNSURE, SHOW_ALL = "vote_up", "vote_down", "vote_unsure", "show_all"
REASON_VIEW, TRACE_VIEW = "reason_view", "trace_view"
CORRECT_SHORTCUT = "correct_verdict"

MAX_RATIONALE_LENGTH = 800
REDACTED = "personal data removed"


def verdict_card(stored: StoredVerdict, trace: Trace, value_type: ValueType) -> SlackMessage:
    """Return the card that shows a verdict in its judge's channel."""
    verdict, parts = stored.verdict, parts_of(trace)
    cut = len(verdict.rationale) > MAX_RATIONALE_LENGTH or any(part.is_cut for part in parts)
    headline = f"*{escape_name(verdict.judge, 150)}*: {format_label(verdict.value)}"
    buttons = [
        button("👍 Right", VOTE_UP, stored.verdict_id),
        button("👎 Wrong", VOTE_DOWN, stored.verdict_id),
    ]
    buttons.append(button("🤷 Can't tell", VOTE_UNSURE, stored.verdict_id))
    if cut:
        buttons.append(button("Show everything", SHOW_ALL, stored.verdict_id))
    buttons.append(why_button(stored.verdict_id))
    text = f"{verdict.judge}: {format_label_plain(verdict.value)}. {verdict.rationale} (trace {verdict.trace_id})"
    return SlackMessage(
        text=escape(text, 1500),
        blocks=(
            section(headline),
            rich_text(rich_section(run(_shortened(verdict.rationale, MAX_RATIONALE_LENGTH)))),
            *(part.excerpt_block() for part in parts),
            context(_origin(trace, verdict)),
            actions(stored.verdict_id, *buttons),
            context(_legend(value_type)),
        ),
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _origin(trace: Trace, verdict: Verdict) -> str:
    pieces = [f"Trace {escape_name(trace.trace_id, 300)}"]
    if trace.url and trace.url.startswith(("https://", "http://")) and len(trace.url) < 500:
        pieces.append(f"<{escape_address(trace.url)}|open it>")
    if is_redacted(trace):
        pieces.append(REDACTED)
    if verdict.note:
        pieces.append(escape(verdict.note, 300))
    if line := left_out_line(verdict.left_out):
        pieces.append(line)
    return " · ".join(pieces)


def _legend(value_type: ValueType) -> str:
    ask = "" if value_type.opposite(True) is not None else " (I'll ask for the right value)"
    return f"👍 the judge is right · 👎 the judge is wrong{ask} · 🤷 can't tell · say why in the thread"


def card_line(stored: StoredVerdict) -> str:
    """Return a card in one line, escaped."""
    verdict = stored.verdict
    return f"*{escape_name(verdict.judge, 100)}*: {format_label(verdict.value)} – {escape(verdict.rationale, 150)}"


def trace_view(stored: StoredVerdict, trace: Trace) -> Block:
    """Return a modal with the trace's whole text, as far as Slack lets a modal hold it."""
    verdict = stored.verdict
    judgement = TracePart(
        title="Verdict", text=f"{format_label_plain(verdict.value)}\n{verdict.rationale}", length=0
    )
    why = actions(f"why-{stored.verdict_id}", why_button(stored.verdict_id))
    blocks: list[Block] = [context(_origin(trace, verdict)), why]
    for part in (judgement, *parts_of(trace)):
        blocks += part.whole_blocks()
    return modal(TRACE_VIEW, "Everything", fit_modal(blocks))


def reason_view(
    stored: StoredVerdict, card_ts: str, *, choices: Sequence[Label], ask_value: bool, earlier: str
) -> Block:
    """Return the modal that asks why a verdict is wrong, and for the right value where 👎 does not say it.

    Args:
        stored: the verdict.
        card_ts: the time of its card.
        choices: values to choose from; when empty, the value is typed.
        ask_value: adds a field for the right value.
        earlier: the reason this person gave before, to be edited.
    """
    blocks = [section(f"The judge said {format_label(stored.verdict.value)}. What is wrong with that?")]
    if ask_value:
        typed = {"type": "plain_text_input", "action_id": "value", "max_length": 75}
        element = menu("Choose one", "value", choices) if choices else typed
        blocks.append(field("value", "The right value", element))
    reason: Block = {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 3000}
    if earlier:
        reason["initial_value"] = visible(earlier)[:3000]
    blocks.append(field("reason", "Your reason", reason, optional=True))
    return {
        **modal(REASON_VIEW, "What is wrong?", blocks),
        "submit": plain_text("Teach"),
        "private_metadata": json.dumps({"verdict_id": stored.verdict_id, "card_ts": card_ts}),
    }
