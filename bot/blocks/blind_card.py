"""Parts of a card that asks before it shows the verdict, and the answers to who answers it."""

import json
from collections.abc import Sequence

from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import (
    MAX_MENU_OPTIONS,
    Block,
    SlackMessage,
    button,
    fits_a_menu,
    menu,
    text_message,
)
from bot.blocks.vote_buttons import MAX_VALUE_LENGTH, unsure_button
from bot.plain_text import capitalised, format_label_plain
from bot.visible_text import visible_line
from memalign.records import Label
from memalign.value_types import ValueType

ANSWER = "blind_answer"
"""Begins the action ids of values to choose from."""
ANSWER_FORM = "blind_answer_form"
"""The button that opens a modal, for values that neither buttons nor a menu hold."""
YOUR_VIEW_FIRST = "Your view first"
MAX_ANSWER_BUTTONS = 5
"""Set by hand: more values than a phone shows in two rows are quicker found in a menu."""


def answer_hint(value_type: ValueType) -> str:
    """Return the sentences of the small print that say how to answer, and what follows."""
    then = "The judge's verdict comes after your answer."
    return f"👍 means pass, 👎 means fail. {then}" if value_type.kind == "bool" else then


def answer_elements(value_type: ValueType, verdict_id: str) -> list[Block]:
    """Return the buttons, or the menu, by which a person gives a value, and that for who can't tell.

    They follow from the judge alone, never from its verdict.
    """
    return [*_value_elements(value_type, verdict_id), unsure_button(verdict_id)]


def _value_elements(value_type: ValueType, verdict_id: str) -> list[Block]:
    values = answer_values(value_type)
    words = [_word(value) for value in values]
    if values and len(values) <= MAX_ANSWER_BUTTONS and max(map(len, words)) <= MAX_VALUE_LENGTH + 2:
        return [
            button(word, f"{ANSWER}:{place}", json.dumps(value, ensure_ascii=False))
            for place, (value, word) in enumerate(zip(values, words, strict=True))
        ]
    if values and len(values) <= MAX_MENU_OPTIONS and all(map(fits_a_menu, values)):
        return [menu("Choose your answer", ANSWER, values)]
    return [button("Give your answer", ANSWER_FORM, verdict_id)]


def answer_values(value_type: ValueType) -> Sequence[Label]:
    """Return all values that a judge has, in an order of their own; none where there are too many to list."""
    return (True, False) if value_type.kind == "bool" else value_type.categories or value_type.small_range


def _word(value: Label) -> str:
    mark = ("👍 " if value else "👎 ") if isinstance(value, bool) else ""
    return f"{mark}{capitalised(visible_line(format_label_plain(value)))}"


def answer_receipt(value: Label, judged: Label, *, asks_reason: bool) -> SlackMessage:
    """Return the answer to somebody who gave a value before they saw the verdict.

    Args:
        value: the person's.
        judged: the judge's.
        asks_reason: whether to ask for a reason where the two differ.
    """
    if value == judged:
        return text_message(f"You and the judge agree: *{_plain(value)}*.")
    why = " What makes it so? Reply on the card." if asks_reason else ""
    return text_message(f"Your answer counts: *{_plain(value)}*. The judge said *{_plain(judged)}*.{why}")


def unsure_before_verdict() -> SlackMessage:
    """Return the answer to somebody who cannot tell, on a card that does not show its verdict yet."""
    return text_message("Your 🤷 counts: you can't tell. The verdict comes once somebody answers.")


def two_answers() -> SlackMessage:
    """Return the note to somebody whose marks on such a card contradict each other."""
    return text_message(
        "You've given two different answers, so neither counts. Take one back, or press a value on the card."
    )


def verdict_hidden() -> SlackMessage:
    """Return the answer to a question about a verdict that nobody is to see yet."""
    return text_message(
        "This card asks for your view first. Once somebody answers it, I'll tell you what the judge said, and why."
    )


def _plain(value: Label) -> str:
    return escape_name(format_label_plain(value), 200)
