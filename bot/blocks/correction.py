"""The modal that asks why a verdict is wrong."""

import json
from collections.abc import Sequence

from bot.blocks.mrkdwn import format_label
from bot.blocks.primitives import Block, field, menu, modal, plain_text, section
from bot.visible_text import visible
from memalign.records import Label
from storage.records import StoredVerdict

REASON_VIEW = "reason_view"


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
