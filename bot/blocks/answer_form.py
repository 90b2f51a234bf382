"""The modal in which a person answers a card before they see its verdict."""

import json

from bot.blocks.blind_card import YOUR_VIEW_FIRST, answer_values
from bot.blocks.card import case_elements
from bot.blocks.correction import reason_field, value_field
from bot.blocks.primitives import Block, modal, plain_text, section
from bot.blocks.rich_text import rich_text
from memalign.records import Label, Trace
from memalign.value_types import ValueType
from storage.records import StoredVerdict

ANSWER_VIEW = "answer_view"


def answer_view(
    stored: StoredVerdict,
    card_ts: str,
    trace: Trace | None,
    *,
    value_type: ValueType,
    value: Label | None,
    reason: str,
) -> Block:
    """Return the modal, which tells nothing of the verdict.

    Args:
        stored: the verdict, for its id.
        card_ts: the time of its card.
        trace: what was judged; None where the store holds it no more.
        value_type: the judge's.
        value: the value that the person gave before; None for none.
        reason: what they said before, to be edited.
    """
    case = case_elements(trace) if trace else []
    blocks = [
        *([rich_text(*case)] if case else []),
        section("The judge's verdict comes after your answer."),
        value_field("Your answer", value_type, answer_values(value_type), value),
        reason_field(reason),
    ]
    return {
        **modal(ANSWER_VIEW, YOUR_VIEW_FIRST, blocks),
        "submit": plain_text("Save"),
        "close": plain_text("Cancel"),
        "private_metadata": json.dumps({"verdict_id": stored.verdict_id, "card_ts": card_ts}),
    }


def hidden_view() -> Block:
    """Return the modal in place of one that would tell of a verdict."""
    return modal(
        "hidden_view",
        YOUR_VIEW_FIRST,
        [section("Answer the card first: its verdict, and the reasons for it, come after that.")],
    )
