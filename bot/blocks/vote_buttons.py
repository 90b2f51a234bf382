"""The buttons under a verdict: each says which value it stands for."""

from bot.blocks.primitives import Block, button
from bot.plain_text import format_label_plain
from bot.visible_text import visible_line
from memalign.records import Label
from memalign.value_types import ValueType

VOTE_UP, VOTE_DOWN, VOTE_UNSURE = "vote_up", "vote_down", "vote_unsure"
MAX_VALUE_LENGTH = 24
"""Characters of a value on a button; a longer one is in the headline only, since a phone has little room."""


def vote_buttons(value: Label, value_type: ValueType, verdict_id: str) -> list[Block]:
    """Return the buttons to agree, to disagree, and to say that one can't tell."""
    right, wrong = _words(value, value_type)
    return [
        button(f"👍 {right}", VOTE_UP, verdict_id),
        button(f"👎 {wrong}", VOTE_DOWN, verdict_id),
        unsure_button(verdict_id),
    ]


def unsure_button(verdict_id: str) -> Block:
    """Return the button to say that one can't tell."""
    return button("🤷", VOTE_UNSURE, verdict_id, spoken="I can't tell")


def _words(value: Label, value_type: ValueType) -> tuple[str, str]:
    if isinstance(value, bool):
        return ("Right, it passes", "No, it fails") if value else ("Right, it fails", "No, it passes")
    word = visible_line(format_label_plain(value))
    if value_type.kind == "str" or len(word) > MAX_VALUE_LENGTH:
        return "Right", "Another value"
    return f"Right: {word}", f"Not {word}" if value_type.kind == "category" else "Another value"
