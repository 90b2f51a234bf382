"""The modal in which a guideline is edited, and the one that tells what came of a decision."""

import json
from collections.abc import Sequence

from bot.blocks.guideline_answers import outcome_blocks
from bot.blocks.guideline_buttons import LABELS, RETIRE_GUIDELINE, guideline_value
from bot.blocks.mrkdwn import join_names
from bot.blocks.primitives import Block, actions, button, context, field, modal, plain_text
from bot.guideline_decision import DecisionOutcome
from bot.plain_text import pluralise
from memalign.records import Guideline

EDIT_VIEW, OUTCOME_VIEW = "edit_guideline_view", "guideline_outcome_view"
RULE_FIELD = "rule"
MAX_INPUT_LENGTH = 3000
"""Slack allows 3,000 characters in a text field."""


def edit_view(judge: str, rule: Guideline, names: Sequence[str], metadata: str) -> Block:
    """Return the modal in which a person puts a guideline into words of their own.

    Args:
        judge: the judge's name.
        rule: the guideline.
        names: the names of its people.
        metadata: what the modal carries, for its submission.
    """
    text = rule.text[:MAX_INPUT_LENGTH] if rule.has_words else ""
    element: Block = {
        "type": "plain_text_input",
        "action_id": RULE_FIELD,
        "multiline": True,
        "max_length": MAX_INPUT_LENGTH,
        "focus_on_load": True,
        **({"initial_value": text} if text else {}),
    }
    origin = f"from {join_names(names)}" + (
        f" · {pluralise(len(rule.source_trace_ids), 'case')}" if rule.sources else ""
    )
    blocks = [
        field(RULE_FIELD, "The rule", element),
        context(f"{origin}. Your words stay when more people say the same."),
        actions(
            "guideline-modal",
            button(LABELS[RETIRE_GUIDELINE], RETIRE_GUIDELINE, guideline_value(judge, rule.id)),
        ),
    ]
    view = modal(EDIT_VIEW, "Edit the rule", blocks)
    return {**view, "submit": plain_text("Save"), "private_metadata": metadata}


def outcome_view(outcome: DecisionOutcome) -> Block:
    """Return the modal that tells what came of a decision."""
    return modal(OUTCOME_VIEW, "Guidelines", outcome_blocks(outcome))


def edit_metadata(judge: str, guideline_id: str, text_hash: str, response_url: str, page: object) -> str:
    """Return what the modal carries: the guideline as it was read, and the list it was opened from."""
    carried = {
        "judge": judge,
        "guideline": guideline_id,
        "text": text_hash,
        "url": response_url,
        "page": page,
    }
    return json.dumps(carried, ensure_ascii=False)
