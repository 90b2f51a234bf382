"""The modal that asks for the right value of a similar case that somebody calls wrong."""

import json
from collections.abc import Sequence

from bot.blocks.correction import REASON_VIEW
from bot.blocks.mrkdwn import escape, format_label
from bot.blocks.primitives import Block, field, menu, modal, plain_text, section
from bot.plain_text import format_label_plain
from bot.visible_text import visible
from memalign.records import Label
from storage.records import StoredVerdict

MAX_RADIO_BUTTONS = 10
"""Slack allows ten; more values are in a menu."""
MAX_REASON_LENGTH = 3000
MAX_QUESTION_LENGTH = 300


def wrong_case_view(
    stored: StoredVerdict,
    *,
    question: str,
    label: Label | None,
    choices: Sequence[Label],
    earlier: str,
) -> Block:
    """Return the modal; it is submitted as the one that asks why a verdict is wrong.

    Args:
        stored: the verdict on the case; its card is posted.
        question: the first lines of what was asked.
        label: what people say of the case; None if they took that back.
        choices: the other values; when empty, the value is typed.
        earlier: the reason this person gave before, to be edited.
    """
    people = f"People say *{format_label(label)}*. " if label is not None else ""
    reason: Block = {
        "type": "plain_text_input",
        "action_id": "reason",
        "multiline": True,
        "max_length": MAX_REASON_LENGTH,
    }
    if earlier:
        reason["initial_value"] = visible(earlier)[:MAX_REASON_LENGTH]
    lines = (escape(question, MAX_QUESTION_LENGTH).replace("\n", " "), f"{people}What should it be?")
    blocks = [
        section("\n".join(line for line in lines if line)),
        field("value", "The right value", _value_element(choices)),
        field("reason", "Your reason", reason, optional=True),
    ]
    return {
        **modal(REASON_VIEW, "Correct this case", blocks),
        "submit": plain_text("Save"),
        "notify_on_close": True,
        "private_metadata": json.dumps({"verdict_id": stored.verdict_id, "card_ts": stored.message_ts}),
    }


def _value_element(choices: Sequence[Label]) -> Block:
    if not choices:
        return {"type": "plain_text_input", "action_id": "value", "max_length": 75}
    if len(choices) > MAX_RADIO_BUTTONS:
        return menu("Choose one", "value", choices)
    options = [
        {
            "text": plain_text(format_label_plain(choice)[:75]),
            "value": json.dumps(choice, ensure_ascii=False),
        }
        for choice in choices
    ]
    element: Block = {"type": "radio_buttons", "action_id": "value", "options": options}
    return {**element, "initial_option": options[0]} if len(options) == 1 else element
