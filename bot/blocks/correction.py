"""The modal in which a person corrects a verdict: the case, the right value, the reason, the rules that cover it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.blocks.card import case_elements
from bot.blocks.excerpt import first_words
from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import (
    Block,
    context,
    field,
    fits_a_menu,
    label_options,
    menu,
    modal,
    plain_text,
    section,
)
from bot.blocks.rich_text import rich_text
from bot.plain_text import format_label_plain
from bot.visible_text import visible, visible_line
from bot.vote_marks import Vote
from memalign.records import Guideline, Label, Trace
from memalign.value_types import ValueType
from storage.records import StoredVerdict

REASON_VIEW = "reason_view"
VALUE, REASON, COVERED_BY = "value", "reason", "covered_by"
"""Fields of the modal."""
MAX_RADIO_BUTTONS = 6
"""More values are a menu, or a number to be typed."""
MAX_GUIDELINES_OFFERED = 5
MAX_REASON_LENGTH = 3000
MAX_OPTION_LINE = 75
"""Slack allows 75 characters in a checkbox's text, and in its description."""
MAX_CATEGORIES_IN_MENU = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A person's correction of a verdict as far as it is known.

    Attributes:
        vote: the person's vote; None for somebody without one.
        value: the right value that they gave before; None for none.
        reason: what they said before, to be edited.
        covered_by: ids of the guidelines that they ticked before.
    """

    vote: Vote | None
    value: Label | None
    reason: str
    covered_by: frozenset[str]


def correction_view(
    stored: StoredVerdict,
    card_ts: str,
    trace: Trace | None,
    *,
    value_type: ValueType,
    correction: Correction,
    guidelines: Sequence[Guideline],
) -> Block:
    """Return the modal.

    Args:
        stored: the verdict.
        card_ts: the time of its card.
        trace: what was judged; None where the store holds it no more.
        value_type: the judge's.
        correction: what the person said of the verdict before.
        guidelines: those that may cover the case; the first `MAX_GUIDELINES_OFFERED` are offered.
    """
    judged = stored.verdict.value
    is_open = value_type.opposite(judged) is None
    case = case_elements(trace) if trace else []
    blocks = [rich_text(*case)] if case else []
    blocks.append(section(f"The judge said *{_word(judged)}*. What did it miss?"))
    if is_open:
        listed = value_type.categories or value_type.small_range
        others = [each for each in listed if each != judged]
        blocks.append(value_field("The right value", value_type, others, correction.value))
    blocks.append(reason_field(correction.reason))
    if guidelines:
        element = _covered_by_element(guidelines[:MAX_GUIDELINES_OFFERED], correction.covered_by)
        blocks.append(field(COVERED_BY, "Already covered by", element, optional=True))
    mark = "answer" if stored.is_blind else "👎"
    note, close = _closing(correction, mark, is_open=is_open)
    return {
        **modal(REASON_VIEW, "Correct the verdict", [*blocks, context(note)]),
        "submit": plain_text("Save"),
        "close": plain_text(close),
        "notify_on_close": True,
        "private_metadata": json.dumps({"verdict_id": stored.verdict_id, "card_ts": card_ts}),
    }


def _word(value: Label) -> str:
    return escape_name(format_label_plain(value), 200)


def _closing(correction: Correction, mark: str, *, is_open: bool) -> tuple[str, str]:
    """Return what closing the modal leaves as it is, and the text of the button that closes it."""
    if correction.vote != "down":
        return "Nothing counts until you save.", "Cancel"
    if is_open and correction.value is None:
        return f"Your {mark} counts even if you close this; the right value stays open then.", "Not now"
    return f"Your {mark} counts even if you close this.", "Skip the reason"


def value_field(label: str, value_type: ValueType, values: Sequence[Label], value: Label | None) -> Block:
    """Return the field for a value.

    Args:
        label: its words.
        value_type: the judge's.
        values: to choose from; none where the judge's are not listed.
        value: the one given before; None for none.
    """
    return field(VALUE, label, _value_element(value_type, values, value))


def _value_element(value_type: ValueType, values: Sequence[Label], value: Label | None) -> Block:
    """Return buttons for few values, a menu for many categories, a number where the judge gives numbers, else text."""
    fits = bool(values) and all(map(fits_a_menu, values))
    if fits and len(values) <= MAX_RADIO_BUTTONS:
        return _chosen(_radio_buttons(values), values, value if len(values) > 1 else values[0])
    if value_type.numeric:
        return _number_input(value_type, value)
    if fits and len(values) <= MAX_CATEGORIES_IN_MENU:
        return _chosen(menu("Choose one", VALUE, values), values, value)
    typed: Block = {"type": "plain_text_input", "action_id": VALUE, "max_length": 300}
    return typed if value is None else {**typed, "initial_value": visible(str(value))[:300]}


def _radio_buttons(values: Sequence[Label]) -> Block:
    return {"type": "radio_buttons", "action_id": VALUE, "options": label_options(values)}


def _chosen(element: Block, values: Sequence[Label], value: Label | None) -> Block:
    """Return the element with a value chosen; as it is where that is none of its own."""
    place = next((place for place, each in enumerate(values) if each == value), None)
    return element if place is None else {**element, "initial_option": element["options"][place]}


def _number_input(value_type: ValueType, value: Label | None) -> Block:
    element: Block = {
        "type": "number_input",
        "action_id": VALUE,
        "is_decimal_allowed": value_type.kind == "float",
    }
    if value_type.value_range:
        low, high = map(_number_text, value_type.value_range)
        element |= {"min_value": low, "max_value": high}
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return {**element, "initial_value": _number_text(value)} if is_number else element


def _number_text(value: Label | None) -> str:
    """Return a number in digits, as Slack reads it: without an exponent."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def reason_field(earlier: str) -> Block:
    """Return the field for a reason, with what the person said before in it."""
    return field(REASON, "Your reason", _reason_element(earlier), optional=True)


def _reason_element(earlier: str) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": MAX_REASON_LENGTH,
    }
    return {**element, "initial_value": visible(earlier)[:MAX_REASON_LENGTH]} if earlier else element


def _covered_by_element(guidelines: Sequence[Guideline], ticked: frozenset[str]) -> Block:
    choices = [_guideline_option(rule) for rule in guidelines]
    element: Block = {"type": "checkboxes", "action_id": COVERED_BY, "options": choices}
    chosen = [choice for choice in choices if choice["value"] in ticked]
    return {**element, "initial_options": chosen} if chosen else element


def _guideline_option(rule: Guideline) -> Block:
    """Return a guideline as an option: as many of its words as two lines hold."""
    text = visible_line(rule.text).strip()
    first = first_words(text, MAX_OPTION_LINE)
    rest = text[len(first) :].strip()
    option: Block = {"text": plain_text(first or "…"), "value": rule.id}
    if not rest:
        return option
    second = first_words(rest, MAX_OPTION_LINE)
    if second != rest:
        second = f"{first_words(rest, MAX_OPTION_LINE - 1)}…"
    return {**option, "description": plain_text(second)}
